local behind = require("spec.scripts.policies.behind")
local compress = require("spec.flow.compress")
local corpus = require("spec.support.corpus")

local TEXT = corpus.html(5000)

--- A proxy in front of an origin that answers TEXT as text/html, with these headers over that.
local function serve(headers, settings, response)
  local p = compress.start(function()
    local own = { body = TEXT, headers = { ["Content-Type"] = "text/html" } }
    for key, value in pairs(response or {}) do
      own[key] = value
    end
    for key, value in pairs(headers or {}) do
      own.headers[key] = value or nil
    end
    return own
  end, settings)
  return p
end

local function refused(r)
  assert.is_nil(r.headers["Content-Encoding"])
  assert.equal(TEXT, r.body)
end

describe("a response of a route with the option compression", function()
  for _, coding in ipairs(compress.CODINGS) do
    it("is sent as " .. coding .. " to a client that takes it", function()
      local p = serve({ ["Accept-Ranges"] = "bytes", ETag = '"v1"', ["X-A"] = "b" })
      local r = compress.get(p, coding)

      assert.equal(coding, r.headers["Content-Encoding"])
      assert.equal(TEXT, compress.body(r))
      assert.is_true(#r.body < #TEXT / 2)
      assert.equal("Accept-Encoding", r.headers.Vary)
      assert.equal('W/"v1"', r.headers.ETag)
      assert.equal("chunked", r.headers["Transfer-Encoding"])
      assert.equal("b", r.headers["X-A"])
      assert.is_nil(r.headers["Content-Length"])
      assert.is_nil(r.headers["Accept-Ranges"])
    end)
  end

  it("stays as it is for a client that does not take it, but says that it varies", function()
    local p = serve({ ["Accept-Ranges"] = "bytes", ETag = '"v1"' })
    for _, accepted in ipairs({ false, "", "deflate", "gzip;q=0", "identity, gzip;q=0.5" }) do
      local r = compress.get(p, accepted)
      refused(r)
      assert.equal("Accept-Encoding", r.headers.Vary)
      assert.equal('"v1"', r.headers.ETag)
      assert.equal("bytes", r.headers["Accept-Ranges"])
      assert.equal(tostring(#TEXT), r.headers["Content-Length"])
    end
  end)

  it("has the coding that the client likes best, and of equal ones the proxy's first", function()
    local p = serve(nil, { order = { "br", "gzip" } })
    assert.equal("br", compress.get(p, "gzip, deflate, br, zstd").headers["Content-Encoding"])
    assert.equal("gzip", compress.get(p, "br;q=0.5, gzip").headers["Content-Encoding"])
    assert.equal("gzip", compress.get(p, "identity;q=0, gzip;q=0.1").headers["Content-Encoding"])
    refused(compress.get(p, "zstd"))
  end)

  it("is not compressed when its type is not one of the list", function()
    for _, type in ipairs({ "image/png", "application/octet-stream", "video/mp4", "application/zip", false }) do
      local r = compress.get(serve({ ["Content-Type"] = type }))
      refused(r)
      assert.is_nil(r.headers.Vary)
    end
    local p = serve({ ["Content-Type"] = "image/png" }, { types = { "image/*" } })
    assert.equal(TEXT, compress.body(compress.get(p)))
    refused(compress.get(serve(nil, { types = { "image/*" } })))
  end)

  it("is compressed for any type by default that is text", function()
    for _, type in ipairs({ "application/json", "image/svg+xml", "application/problem+json; charset=utf-8",
      "text/css" }) do
      assert.equal(TEXT, compress.body(compress.get(serve({ ["Content-Type"] = type }))))
    end
  end)

  it("is not compressed for a call of gRPC, whatever the list says: its messages have codings of their own", function()
    local types = { ["Content-Type"] = "application/grpc+json" }
    assert.equal(TEXT, compress.body(compress.get(serve(types))))
    for _, type in ipairs({ "application/grpc", "application/grpc+json" }) do
      refused(compress.get(serve(types), "gzip", { headers = { ["Content-Type"] = type } }))
    end
  end)

  it("is not compressed below the least size, and is from that on", function()
    local body
    local p = compress.start(function()
      return { body = body, headers = { ["Content-Type"] = "text/plain" } }
    end, { min_size = 2000 })
    body = TEXT:sub(1, 1999)
    local r = compress.get(p)
    assert.equal(body, r.body)
    assert.is_nil(r.headers.Vary)
    body = TEXT:sub(1, 2000)
    assert.equal(body, compress.body(compress.get(p)))
    body = ""
    assert.equal("0", compress.get(p).headers["Content-Length"])
  end)

  it("of unknown length is compressed, however short", function()
    local p = serve(nil, nil, { body = { "ab", "c" } })
    assert.equal("abc", compress.body(compress.get(p)))
    p = serve(nil, nil, { body = "abc", close = true })
    assert.equal("abc", compress.body(compress.get(p)))
  end)

  it("is not compressed when it is encoded already, and is when that says identity", function()
    local r = compress.get(serve({ ["Content-Encoding"] = "br" }))
    assert.equal("br", r.headers["Content-Encoding"])
    assert.equal(TEXT, r.body)
    assert.is_nil(r.headers.Vary)
    r = compress.get(serve({ ["Content-Encoding"] = { "identity", "x-own" } }))
    assert.equal(TEXT, r.body)
    r = compress.get(serve({ ["Content-Encoding"] = "identity" }))
    assert.equal("gzip", r.headers["Content-Encoding"])
    assert.equal(TEXT, compress.body(r))
  end)

  for _, mark in ipairs({
    { "Cache-Control", "public, no-transform" }, { "Content-Range", "bytes 0-4999/9000" }, { "Content-MD5", "x" },
    { "Digest", "sha-256=x" }, { "Content-Digest", "sha-256=:x:" }, { "Repr-Digest", "sha-256=:x:" },
  }) do
    it("is not compressed with " .. mark[1] .. ": " .. mark[2], function()
      local r = compress.get(serve({ [mark[1]] = mark[2] }))
      refused(r)
      assert.equal(mark[2], r.headers[mark[1]])
    end)
  end

  it("is not compressed for a request that forbids it", function()
    local p = serve()
    local r = compress.get(p, "gzip", { headers = { ["Cache-Control"] = "max-age=0, no-transform" } })
    refused(r)
    assert.equal("Accept-Encoding", r.headers.Vary)
    assert.equal(TEXT, compress.body(compress.get(p, "gzip", { headers = { ["Cache-Control"] = "no-cache" } })))
  end)

  it("is not compressed with status 206 or 205, and is with an error", function()
    refused(compress.get(serve({ ["Content-Range"] = "bytes 0-4999/9000" }, nil, { status = 206 })))
    refused(compress.get(serve({ ["Content-Type"] = "text/html" }, nil, { status = 206 })))
    assert.is_nil(compress.get(serve(nil, nil, { status = 204, body = "" })).headers["Content-Encoding"])
    local r = compress.get(serve(nil, nil, { status = 404 }))
    assert.equal(404, r.status)
    assert.equal(TEXT, compress.body(r))
  end)

  it("has the same head to HEAD as to GET", function()
    local p = serve({ ETag = '"v1"' })
    local r = compress.get(p, "gzip", { method = "HEAD" })
    assert.equal("gzip", r.headers["Content-Encoding"])
    assert.equal("Accept-Encoding", r.headers.Vary)
    assert.equal('W/"v1"', r.headers.ETag)
    assert.is_nil(r.headers["Content-Length"])
    r = compress.get(p, false, { method = "HEAD" })
    assert.is_nil(r.headers["Content-Encoding"])
    assert.equal(tostring(#TEXT), r.headers["Content-Length"])
    r = compress.get(serve(nil, { min_size = 6000 }), "gzip", { method = "HEAD" })
    assert.is_nil(r.headers["Content-Encoding"])
  end)

  it("adds to what it varies with, once", function()
    assert.equal("Accept, Accept-Encoding", compress.get(serve({ Vary = "Accept" })).headers.Vary)
    assert.equal("Origin, Accept-Encoding, X", table.concat(
      compress.get(serve({ Vary = { "Origin", "X" } })):values("Vary"), ", "))
    assert.equal("accept-encoding, X", compress.get(serve({ Vary = "accept-encoding, X" })).headers.Vary)
    assert.equal("*", compress.get(serve({ Vary = "*" })).headers.Vary)
  end)

  it("keeps a weak tag as it is", function()
    assert.equal('W/"a"', compress.get(serve({ ETag = 'W/"a"' })).headers.ETag)
  end)

  it("reaches a client of HTTP/1.0, which the end of the connection tells the end", function()
    local r = compress.get(serve(), "gzip", { version = "1.0" })
    assert.equal(TEXT, compress.body(r))
    assert.is_nil(r.headers["Transfer-Encoding"])
  end)
end)

describe("a client that has a compressed response", function()
  local function validating(request)
    local given = request.headers["If-None-Match"]
    local fresh = given and given:find('"v1"', 1, true)
    return { status = fresh and 304 or 200, body = not fresh and TEXT or nil,
      headers = { ["Content-Type"] = not fresh and "text/html" or nil, ETag = '"v1"' } }
  end

  it("is told by its weak tag that nothing changed, with that tag", function()
    local p = compress.start(validating)
    local tag = compress.get(p).headers.ETag
    local r = compress.get(p, "gzip", { headers = { ["If-None-Match"] = '"v0", ' .. tag } })

    assert.equal('W/"v1"', tag)
    assert.equal(304, r.status)
    assert.equal('W/"v1"', r.headers.ETag)
    assert.equal("Accept-Encoding", r.headers.Vary)
    assert.is_nil(r.headers["Content-Encoding"])
  end)

  it("is not confused with one that has it as it is", function()
    local p = compress.start(validating)
    local r = compress.get(p, "gzip", { headers = { ["If-None-Match"] = '"v1"' } })
    assert.equal(304, r.status)
    assert.equal('"v1"', r.headers.ETag)
  end)
end)

describe("compression", function()
  it("is off without the option, and then changes nothing", function()
    local p = compress.start(function()
      return { body = TEXT, headers = { ["Content-Type"] = "text/html", ETag = '"v1"' } }
    end, nil, { route = { compression = "false" } })
    local r = compress.get(p)
    refused(r)
    assert.is_nil(r.headers.Vary)
    assert.equal('"v1"', r.headers.ETag)
  end)

  it("leaves the proxy's own answers alone", function()
    local p = compress.start(nil, { min_size = 0 }, { route = { policy = "own" }, scripts = behind.scripts {
      own = [[return { summary = "", on_request = function(req)
        req:answer(200, { ["Content-Type"] = "text/plain" }, ("x"):rep(3000))
      end }]],
    } })
    local r = compress.get(p)
    assert.equal(("x"):rep(3000), r.body)
    assert.is_nil(r.headers["Content-Encoding"])
  end)

  it("sees what a request policy has made of the head", function()
    local p = compress.start(function(request)
      return { body = TEXT, headers = { ["Content-Type"] = request.target == "/typed" and "text/html" or nil } }
    end, nil, { route = { policy = "own" }, scripts = behind.scripts {
      own = [[return { summary = "", on_response = function(res, req)
        if req:path() == "/typed" then
          res:set_header("Content-Encoding", "x-own")
        else
          res:set_header("Content-Type", "text/plain")
        end
      end }]],
    } })
    assert.equal("x-own", compress.get(p, "gzip", { path = "/typed" }).headers["Content-Encoding"])
    assert.equal(TEXT, compress.body(compress.get(p, "gzip", { path = "/" })))
  end)

  it("counts what it did, for the route", function()
    local p = serve()
    local r = compress.get(p)
    compress.get(p, false)
    local counted, all = compress.stats(p, 2)
    assert.same({ responses = 1, bytes_in = #TEXT, bytes_out = #r.body, skipped = 0 }, counted)
    assert.equal(#r.body + #TEXT, all.bytes_sent)
  end)

  it("is left out when it may take no time, or no stream, and that is counted", function()
    for _, settings in ipairs({ { cpu = 0 }, { streams = 0 } }) do
      local p = serve(nil, settings)
      local r = compress.get(p)
      refused(r)
      assert.equal("Accept-Encoding", r.headers.Vary)
      assert.equal(1, compress.stats(p).skipped)
    end
  end)

  it("follows changed settings", function()
    local p = serve()
    local function becomes(settings, test)
      settings.cpu = 100
      p:write_config { compression = settings }
      p:reload()
      p.eventually(function()
        return test(compress.get(p))
      end)
    end
    local size = #compress.get(p).body
    becomes({ gzip = 1 }, function(r) return #r.body > size end)
    becomes({ gzip = 9 }, function(r) return #r.body < size and compress.body(r) == TEXT end)
    becomes({ types = "image/*" }, function(r) return not r.headers["Content-Encoding"] end)
  end)
end)
