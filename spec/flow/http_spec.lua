local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

describe("a request and its response", function()
  it("go over a kept connection, one after the other", function()
    local o = origin.start(function(request)
      return { body = request.target }
    end)
    local c = proxy.start { route = { to = o.url } }:connect()

    for i = 1, 5 do
      assert.equal("/" .. i, c:get("/" .. i).body)
    end
    assert.equal(1, o.accepted)
  end)

  it("are answered in order when pipelined", function()
    local o = origin.start(function(request)
      return { body = request.target, delay = request.target == "/1" and 0.05 or 0 }
    end)
    local c = proxy.start { route = { to = o.url } }:connect()

    for i = 1, 40 do
      c:send_request { path = "/" .. i }
    end
    for i = 1, 40 do
      assert.equal("/" .. i, c:receive().body)
    end
  end)

  it("pass with status, reason and fields", function()
    local o = origin.start { status = 418, reason = "Short and stout", headers = { { "X-A", "1" }, { "X-A", "2" } } }
    local r = proxy.start { route = { to = o.url } }:get("/")

    assert.equal(418, r.status)
    assert.equal("Short and stout", r.reason)
    assert.same({ "1", "2" }, r:values("X-A"))
    assert.equal("1.1 tidelock", r.headers.Via)
  end)

  it("know HEAD, 204 and 304: no body, and the length of what GET would have", function()
    local o = origin.start(function(request)
      local status = tonumber(request.target:match("%d+"))
      return { status = status, headers = status ~= 204 and { ["Content-Length"] = "5" } or nil, body = "hello" }
    end)
    local c = proxy.start { route = { to = o.url } }:connect()

    local head = c:request { method = "HEAD", path = "/200" }
    assert.equal("5", head.headers["Content-Length"])
    assert.equal(304, c:get("/304").status)
    assert.equal(204, c:get("/204").status)
    assert.equal("hello", c:get("/200").body)
  end)

  it("take the absolute form, whose host wins over Host", function()
    local o = origin.start(function(request)
      return { body = request.target .. " " .. request.headers.Host }
    end)
    local p = proxy.start { route = { to = o.url, host = "a.example" } }
    local r = p:request { path = "http://a.example/x?y=1", host = "other.example" }

    assert.equal("/x?y=1 a.example", r.body)
  end)

  it("join the backend's base path with the request's", function()
    local o = origin.start(function(request)
      return { body = request.target }
    end)
    local p = proxy.start { route = { to = o.url .. "/base/" } }

    assert.equal("/base/x?q", p:get("/x?q").body)
  end)
end)

describe("fields", function()
  local function echo()
    return origin.start(function(request)
      return { body = request.raw }
    end)
  end

  it("that are hop-by-hop, or named by Connection, go no further", function()
    local o = echo()
    local p = proxy.start { route = { to = o.url } }
    local seen = p:get("/", {
      headers = { Connection = "keep-alive, X-Mine", ["X-Mine"] = "1", ["Keep-Alive"] = "5", ["Proxy-Connection"] = "x",
        ["Proxy-Authorization"] = "secret", Upgrade = "h2c", TE = "deflate", ["X-Other"] = "2" },
    }).body

    for _, gone in ipairs({ "X%-Mine", "Keep%-Alive", "Proxy%-", "Upgrade", "deflate" }) do
      assert.is_nil(seen:find(gone), gone)
    end
    assert.truthy(seen:find("X-Other: 2", 1, true))
  end)

  it("of a response that are hop-by-hop go no further", function()
    local o = origin.start { headers = { Connection = "X-Gone", ["X-Gone"] = "1", ["Keep-Alive"] = "timeout=5",
      ["Proxy-Authenticate"] = "Basic", ["X-Stays"] = "2" } }
    local r = proxy.start { route = { to = o.url } }:get("/")

    assert.is_nil(r.headers["X-Gone"])
    assert.is_nil(r.headers["Keep-Alive"])
    assert.is_nil(r.headers["Proxy-Authenticate"])
    assert.equal("2", r.headers["X-Stays"])
  end)

  it("say who asked: X-Forwarded-For, -Proto, -Host, X-Real-IP and Via, but not Forwarded", function()
    local o = echo()
    local seen = proxy.start { route = { to = o.url, host = "a.example" } }:get("/").body

    assert.truthy(seen:find("\r\nX-Forwarded-For: 127.0.0.1\r\n", 1, true))
    assert.truthy(seen:find("\r\nX-Forwarded-Proto: http\r\n", 1, true))
    assert.truthy(seen:find("\r\nX-Forwarded-Host: a.example\r\n", 1, true))
    assert.truthy(seen:find("\r\nX-Real-IP: 127.0.0.1\r\n", 1, true))
    assert.truthy(seen:find("\r\nVia: 1.1 tidelock\r\n", 1, true))
    assert.is_nil(seen:find("\r\nForwarded:", 1, true))
  end)

  local CLAIMS = { ["X-Forwarded-For"] = "9.9.9.9", ["X-Forwarded-Proto"] = "https", ["X-Real-IP"] = "9.9.9.9",
    ["X-Forwarded-Host"] = "claimed", Forwarded = "for=9.9.9.9", Via = "1.1 before" }

  it("that claim another client are thrown away from a stranger", function()
    local o = echo()
    local seen = proxy.start { route = { to = o.url } }:get("/", { headers = CLAIMS }).body

    assert.is_nil(seen:find("9.9.9.9", 1, true))
    assert.is_nil(seen:find("claimed", 1, true))
    assert.is_nil(seen:find("https", 1, true))
    assert.truthy(seen:find("Via: 1.1 before, 1.1 tidelock", 1, true))
  end)

  it("of a trusted proxy are believed and added to", function()
    local o = echo()
    local p = proxy.start { config = { trusted_proxies = { "127.0.0.0/8" } }, route = { to = o.url } }
    local seen = p:get("/", { headers = CLAIMS }).body

    assert.truthy(seen:find("X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n", 1, true))
    assert.truthy(seen:find("X-Forwarded-Proto: https\r\n", 1, true))
    assert.truthy(seen:find("X-Forwarded-Host: claimed\r\n", 1, true))
    assert.truthy(seen:find("X-Real-IP: 9.9.9.9\r\n", 1, true))
    assert.truthy(seen:find("Forwarded: for=9.9.9.9\r\n", 1, true))
  end)

  it("say the same in Forwarded when it is switched on", function()
    local o = echo()
    local p = proxy.start { config = { forwarded = true }, route = { to = o.url, host = "a.example" } }

    assert.truthy(p:get("/").body:find('Forwarded: for=127.0.0.1;host="a.example";proto=http\r\n', 1, true))
  end)

  it("carry the client's Host, or the backend's where preserve_host is off", function()
    local o = echo()
    local p = proxy.start { route = { to = o.url, host = "a.example" } }
    assert.truthy(p:get("/").body:find("\r\nHost: a.example\r\n", 1, true))

    local q = proxy.start { route = { to = o.url, host = "a.example", options = { preserve_host = "false" } } }
    assert.truthy(q:get("/").body:find("\r\nHost: " .. o.authority .. "\r\n", 1, true))
  end)

  it("set by the service or by configuration take the place of the backend's own", function()
    local o = origin.start { headers = { ["X-Frame-Options"] = "ALLOW", Server = "o" } }
    local p = proxy.start { config = { response_headers = { ["X-Frame-Options"] = "DENY", ["X-Default"] = "d" } },
      route = { to = o.url } }
    p.session:ok("HEADERS_SET", "ALL", "server", "mine | and more")
    p.session:ok("HEADERS_SET", p.route_id, "X-Default", "route's")
    p.session:ok("CONFIG_APPLY")
    local r = p:get("/")

    assert.same({ "DENY" }, r:values("X-Frame-Options"))
    assert.same({ "mine | and more" }, r:values("Server"))
    assert.same({ "route's" }, r:values("X-Default"))
  end)
end)

describe("HTTP/1.0", function()
  it("clients get an answer that ends with the connection, unless they ask to keep it", function()
    local o = origin.start { body = { "a", "b" } }
    local p = proxy.start { route = { to = o.url } }
    local c = p:connect()
    local r = c:request { version = "1.0" }

    assert.equal("ab", r.body)
    assert.is_nil(r.headers["Transfer-Encoding"])
    assert.equal("closed", c:wait_closed())

    o:respond { body = "kept" }
    local k = p:connect()
    for _ = 1, 2 do
      local again = k:request { version = "1.0", headers = { Connection = "keep-alive" } }
      assert.equal("kept", again.body)
      assert.equal("keep-alive", again.headers.Connection)
    end
  end)

  it("backends that end the body with the connection leave the client's connection open", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.0 200 OK\r\n\r\nuntil the end")
    end)
    local c = proxy.start { route = { to = o.url } }:connect()

    assert.equal("until the end", c:get("/").body)
    assert.equal("until the end", c:get("/").body)
  end)
end)
