local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")

local function start(url, options)
  return proxy.start { workers = 1, route = { to = url, host = "a.test", options = options } }
end

local function echo(s)
  return { headers = { { "x-path", s.request[":path"] } }, body = s.text }
end

describe("an h2c backend", function()
  it("gets the request of an HTTP/1.1 client in its own words", function()
    local o = h2_origin.serve(echo)
    local p = start(o.url .. "/base")
    local headers = { ["X-Mine"] = "Yes", TE = "trailers" }
    local r = p:request { method = "POST", path = "/x?y=1", body = "hello", headers = headers }

    assert.same({ 200, "/base/x?y=1", "hello" }, { r.status, r.headers["x-path"], r.body })
    local got = o.requests[1].request
    assert.same({ "POST", "http", "a.test", "5", "Yes", "trailers" },
      { got[":method"], got[":scheme"], got[":authority"], got["content-length"], got["x-mine"], got.te })
    assert.same({}, { got.host, got.connection, got["transfer-encoding"] })
  end)

  it("gets the request of an HTTP/2 client, and one client's requests share a connection with another's", function()
    local o = h2_origin.serve(echo)
    local p = start(o.url)
    local a, b = h2.connect(p.url, { authority = "a.test" }), h2.connect(p.url, { authority = "a.test" })

    for i = 1, 5 do
      assert.equal("/a" .. i, a:request({ path = "/a" .. i }).headers["x-path"])
      assert.equal("/b" .. i, b:request({ path = "/b" .. i }).headers["x-path"])
      assert.equal(200, p:get("/c").status)
    end
    assert.equal(1, o.accepted)
    assert.equal(15, o:count())
  end)

  it("gets many requests at the same time over one connection", function()
    local o = h2_origin.start(function(c)
      local all = {}
      for i = 1, 50 do
        all[i] = c:next_request()
      end
      for i = 50, 1, -1 do
        c:respond(all[i].id, { body = all[i].request[":path"] })
      end
      c:next_request()
    end)
    local p = start(o.url)
    local requests = {}
    for i = 1, 50 do
      requests[i] = { path = "/" .. i, host = "a.test" }
    end
    for i, r in ipairs(http.parallel(p.url, requests)) do
      assert.equal("/" .. i, r.body)
    end
    assert.equal(1, o.accepted)
  end)

  it("sends trailers to both kinds of clients", function()
    local o = h2_origin.serve(function()
      local trailers = { { "grpc-status", "0" }, { "x-end", "yes" }, { "grpc-status-details-bin", "AAE=" } }
      return { body = "x", trailers = trailers }
    end)
    local p = start(o.url)
    local r = p:request { path = "/", headers = { TE = "trailers" } }
    assert.same({ "x", "0", "yes", "AAE=" },
      { r.body, r.trailers["grpc-status"], r.trailers["x-end"], r.trailers["grpc-status-details-bin"] })
    r = h2.connect(p.url, { authority = "a.test" }):request({})
    assert.same({ "x", "0", "yes" }, { r.text, r.trailers["grpc-status"], r.trailers["x-end"] })
  end)

  it("gets trailers of both kinds of clients", function()
    local o = h2_origin.serve(function(s)
      return { headers = { { "x-got", s.trailers and s.trailers["x-sum"] or "none" } } }
    end)
    local p = start(o.url)
    local c = p:connect()
    c:send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n")
    local r = c:receive()
    assert.same({ 200, "7", "" }, { r.status, r.headers["x-got"], r.body })
    c = h2.connect(p.url, { authority = "a.test" })
    local id = c:open { method = "POST", body = false }
    c:data(id, "x")
    c:headers(id, { { "x-sum", "8" } }, h2.END_HEADERS + h2.END_STREAM)
    assert.equal("8", c:response(id).headers["x-got"])
  end)

  it("says by the head alone that nothing follows, which an HTTP/1.1 client is told as a length", function()
    local o = h2_origin.serve(function() return {} end)
    local c = start(o.url):connect()
    for _ = 1, 3 do
      local r = c:get("/")
      assert.same({ 200, "0" }, { r.status, r.headers["Content-Length"] })
    end
  end)

  it("answers HEAD, 204 and 304 without a body, and with the length it says", function()
    local o = h2_origin.serve(function(s)
      local status = tonumber(s.request[":path"]:match("%d+"))
      return { status = status, headers = status ~= 204 and { { "content-length", "10" } } or nil }
    end)
    local c = start(o.url):connect()
    assert.equal("10", c:request({ method = "HEAD", path = "/200" }).headers["Content-Length"])
    assert.same({ 204 }, { c:get("/204").status })
    assert.same({ 304, "10" }, { c:get("/304").status, c:get("/304").headers["Content-Length"] })
  end)

  it("sends interim responses all at once with its answer, and none is lost", function()
    for count = 1, 4 do
      local o = h2_origin.start(function(c)
        for s in c.next_request, c do
          local bytes = {}
          for i = 1, count do
            bytes[i] = h2.frame("HEADERS", h2.END_HEADERS, s.id, h2.block { { ":status", "103" }, { "x-n", "" .. i } })
          end
          local last = h2.block { { ":status", "204" } }
          bytes[count + 1] = h2.frame("HEADERS", h2.END_HEADERS + h2.END_STREAM, s.id, last)
          c:send(table.concat(bytes))
        end
      end)
      local r = h2.connect(start(o.url).url, { authority = "a.test" }):request {}
      assert.equal(204, r.status)
      assert.equal(count, #r.informational)
      for i, early in ipairs(r.informational) do
        assert.same({ 103, "" .. i }, { early.status, early.headers["x-n"] })
      end
    end
  end)

  it("may send interim responses without end: the answer comes all the same", function()
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        local early = h2.frame("HEADERS", h2.END_HEADERS, s.id, h2.block { { ":status", "103" }, { "x-n", "1" } })
        c:send(early:rep(100) .. h2.frame("HEADERS", h2.END_HEADERS, s.id, h2.block { { ":status", "200" } })
          .. h2.frame("DATA", h2.END_STREAM, s.id, "end"))
      end
    end)
    local c = h2.connect(start(o.url).url, { authority = "a.test" })
    for _ = 1, 3 do
      local r = c:request {}
      assert.same({ 200, "end" }, { r.status, r.text })
    end
  end)

  it("sends interim responses", function()
    local seen = false
    local o = h2_origin.start(function(c)
      local s = c:next_request()
      c:headers(s.id, { { ":status", "103" }, { "link", "</a>" } })
      loop.eventually(function() return seen end)
      c:respond(s.id, { body = "x" })
      c:next_request()
    end)
    local c = start(o.url):connect()
    c:send_request { path = "/" }
    assert.equal("HTTP/1.1 103 Early Hints", c.stream:read_until("\r\n\r\n"):match("^[^\r]+"))
    seen = true
    assert.equal("x", c:receive().body)
  end)

  it("is not asked for WebSocket, which goes no such way", function()
    local o = h2_origin.serve(function() return { body = "plain" } end)
    local p = start(o.url, { websocket = "true" })
    local r = p:get("/", { headers = {
      Connection = "Upgrade", Upgrade = "websocket", ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
      ["Sec-WebSocket-Version"] = "13" } })
    assert.same({ 200, "plain" }, { r.status, r.body })
    assert.is_nil(o.requests[1].request.upgrade)
  end)

  it("passes large bodies both ways, whole", function()
    local o = h2_origin.serve(function(s) return { body = nil, headers = { { "x-size", tostring(#s.text) } } } end)
    local p = start(o.url)
    local r = p:request { method = "POST", body = ("x"):rep(1000000) }
    assert.equal("1000000", r.headers["x-size"])
  end)
end)
