local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

describe("the proxy answers itself", function()
  local CASES = {
    { "white space before a colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
    { "a folded line", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400 },
    { "a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400 },
    { "a missing Host", "GET / HTTP/1.1\r\n\r\n", 400 },
    { "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
    { "an impossible Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
    { "both length and chunked",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "two unlike lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
    { "a coding that is not chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400 },
    { "a malformed chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400 },
    { "a control byte in a value", "GET / HTTP/1.1\r\nHost: a\r\nA: \1\r\n\r\n", 400 },
    { "a head that is too large", "GET / HTTP/1.1\r\nHost: a\r\nA: " .. ("a"):rep(17000) .. "\r\n\r\n", 431 },
    { "too many fields", "GET / HTTP/1.1\r\nHost: a\r\n" .. ("A: b\r\n"):rep(101) .. "\r\n", 431 },
    { "a target that is too long", "GET /" .. ("a"):rep(8200) .. " HTTP/1.1\r\nHost: a\r\n\r\n", 414 },
    { "CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 501 },
    { "HTTP/2.0 in a request line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
  }

  it("to what it refuses, and no backend hears of it", function()
    local o = origin.raw(function(stream)
      local head = stream:read_until("\r\n\r\n")
      if head then
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      end
    end)
    local p = proxy.start { route = { to = o.url } }

    for _, case in ipairs(CASES) do
      local c = p:connect()
      c:send(case[2])
      local r = c:receive()
      assert.equal(case[3], r.status, case[1])
      assert.truthy(r.headers["Proxy-Status"]:find("^tidelock; error="), case[1])
      if case[3] ~= 501 then
        assert.equal("close", r.headers.Connection, case[1])
        assert.equal("closed", c:wait_closed())
      end
    end
    assert.equal(1, o.accepted) -- the malformed chunk came behind a good head
  end)

  it("when a head does not come to its end in time", function()
    local o = origin.start()
    local p = proxy.start { config = { timeouts = { head = "200ms" } }, route = { to = o.url } }
    local c = p:connect()
    c:send("GET / HTTP/1.1\r\nHo")

    assert.equal(408, c:receive().status)
    local silent = p:connect()
    assert.equal("closed", silent:wait_closed())
  end)

  it("when a body does not come to its end in time", function()
    local o = origin.start()
    local p = proxy.start { config = { timeouts = { body = "200ms" } }, route = { to = o.url } }
    local c = p:connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")

    assert.equal(408, c:receive("POST").status)
  end)

  it("by closing an idle connection after its time", function()
    local o = origin.start()
    local p = proxy.start { config = { timeouts = { keep_alive = "200ms" } }, route = { to = o.url } }
    local c = p:connect()
    assert.equal(200, c:get("/").status)

    assert.equal("closed", c:wait_closed())
  end)

  it("with a page that says nothing about the inside", function()
    local p = proxy.start { route = { to = origin.refusing_url() } }
    local r = p:get("/")

    assert.equal(502, r.status)
    assert.truthy(r.body:find("refused", 1, true))
    assert.is_nil(r.body:find("127.0.0.1", 1, true))
    assert.equal('tidelock; error=connection_refused; details="connect_refused"', r.headers["Proxy-Status"])
  end)

  it("to a host that nobody serves: 404 by default, 503 or a closed connection by configuration", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url, host = "a.example" } }
    assert.equal(404, p:get("/", { host = "b.example" }).status)

    local q = proxy.start { config = { unknown_host = 503 } }
    assert.equal(503, q:get("/").status)

    local c = proxy.start({ config = { unknown_host = "close" } }):connect()
    c:send_request {}
    assert.equal("closed", c:wait_closed())
  end)
end)
