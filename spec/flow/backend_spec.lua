local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

--- A proxy with one group of all given backends.
local function group(urls, options)
  options = options or {}
  local p = proxy.start { config = options.config, workers = options.workers or 1 }
  p.session = p:registry()
  p.session:register("spec", "one")
  for _, url in ipairs(urls) do
    local id = p.session:ok("ROUTE_ADD", "*", "/", url, 0)
    for key, value in pairs(options.options or {}) do
      p.session:ok("OPTIONS_SET", id, key, value)
    end
  end
  p.session:ok("CONFIG_APPLY")
  return p
end

local function breaking(bytes)
  return origin.raw(function(stream)
    stream:read_until("\r\n\r\n")
    if bytes then
      stream:write(bytes)
    end
  end)
end

describe("a backend that", function()
  local CASES = {
    { "closes without an answer", nil, 502, 'connection_terminated; details="backend_broke"' },
    { "closes in the middle of a head", "HTTP/1.1 200 OK\r\nA", 502, 'connection_terminated; details="backend_broke"' },
    { "answers with garbage", "this is no HTTP\r\n\r\n", 502, 'http_protocol_error; details="bad_response"' },
    { "folds a line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 502, 'http_protocol_error; details="bad_response"' },
    { "sends length and chunked", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 502,
      'http_protocol_error; details="bad_response"' },
    { "switches protocols unasked", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 502,
      'http_protocol_error; details="bad_response"' },
    { "sends a head that is too large", "HTTP/1.1 200 OK\r\nA: " .. ("a"):rep(20000) .. "\r\n\r\n", 502,
      'http_response_header_section_size; details="response_head_too_big"' },
  }

  for _, case in ipairs(CASES) do
    it(case[1] .. " is a bad gateway", function()
      local p = group({ breaking(case[2]).url })
      local r = p:get("/")

      assert.equal(case[3], r.status)
      assert.equal("tidelock; error=" .. case[4], r.headers["Proxy-Status"])
    end)
  end

  it("answers late is a gateway timeout, and the option sets how late", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:read_some()
    end)
    local p = group({ o.url }, { options = { timeout = "150ms", retries = "0" } })
    local r = p:get("/")

    assert.equal(504, r.status)
    assert.equal('tidelock; error=connection_read_timeout; details="backend_late"', r.headers["Proxy-Status"])
  end)

  it("ends its body early makes the client's connection end, never look complete", function()
    for _, bytes in ipairs({
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
    }) do
      local c = group({ breaking(bytes).url }):connect()
      c:send_request {}
      local response = c:try_receive()
      assert.is_nil(response)
    end
  end)

  it("does not resolve is named as such", function()
    local p = group({ "http://no-such-name.invalid:80" })
    local r = p:get("/")

    assert.equal(502, r.status)
    assert.equal('tidelock; error=dns_error; details="no_address"', r.headers["Proxy-Status"])
  end)

  it("has a name is found by its name, over the address that listens", function()
    local o = origin.start()
    local p = group({ "http://localhost:" .. o.port })

    for _ = 1, 10 do
      assert.equal(200, p:get("/").status)
    end
  end)

  it("listens on IPv6 is reached", function()
    local o = origin.start(nil, { host = "::1" })
    assert.equal(200, group({ o.url }):get("/").status)
  end)
end)

describe("a failed attempt", function()
  it("that never reached a backend goes to another member, whatever the method", function()
    local o = origin.start(function(request)
      return { body = request.body }
    end)
    local p = group({ origin.refusing_url(), o.url })

    for i = 1, 20 do
      assert.equal("n" .. i, p:request({ method = "POST", body = "n" .. i }).body)
    end
  end)

  it("leaves the member that refused alone for a while", function()
    local o = origin.start()
    local p = group({ origin.refusing_url(), o.url }, { config = { access_log = { format = "text", file = "-" } } })
    for _ = 1, 20 do
      assert.equal(200, p:get("/").status)
    end
    local retried = 0
    loop.eventually(function()
      return #p:access_log() == 20
    end)
    for _, line in ipairs(p:access_log()) do
      retried = retried + tonumber(line.retries)
    end

    assert.is_true(retried >= 1 and retried <= 4, "retried " .. retried)
  end)

  it("that may have been acted on is repeated only for an idempotent method", function()
    local bad, good = breaking(), origin.start()
    local p = group({ bad.url, good.url })
    local statuses = { GET = {}, POST = {} }

    for _ = 1, 10 do
      for method, seen in pairs(statuses) do
        local status = p:request({ method = method, body = "x" }).status
        seen[status] = (seen[status] or 0) + 1
      end
    end
    assert.same({ [200] = 10 }, statuses.GET)
    assert.truthy((statuses.POST[502] or 0) > 0)
    assert.equal(10, (statuses.POST[200] or 0) + statuses.POST[502])
  end)

  it("sends the body again while it is at hand", function()
    local bad = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:read(10000)
    end)
    local good = origin.start(function(request)
      return { body = request.body }
    end)
    local p = group({ bad.url, good.url })

    for _ = 1, 6 do
      assert.equal(("a"):rep(10000), p:request({ method = "PUT", body = ("a"):rep(10000) }).body)
      local chunks = { ("b"):rep(5000), ("c"):rep(5000) }
      assert.equal(table.concat(chunks), p:request({ method = "PUT", body = chunks }).body)
    end
  end)

  it("never has its body taken for the next request", function()
    local eats = origin.raw(function(stream)
      local head = stream:read_until("\r\n\r\n")
      stream:read(tonumber(head:match("Content%-Length: (%d+)")))
    end)
    local ok = origin.start()
    local p = group({ eats.url })
    p.session:ok("ROUTE_ADD", "ok.example", "/", ok.url, 0)
    p.session:ok("CONFIG_APPLY")
    local smuggled = "GET /smuggled HTTP/1.1\r\nHost: ok.example\r\n\r\n"

    for _, method in ipairs({ "PUT", "POST" }) do
      local c = p:connect()
      c:send_request { method = method, body = smuggled }
      assert.equal(502, c:receive().status)
      c:send_request { path = "/next", host = "ok.example" }
      local r = c:try_receive()
      assert.is_true(r == nil or r.status == 200)
    end
    for _, request in ipairs(ok.requests) do
      assert.equal("/next", request.target)
    end
  end)

  it("is not repeated more often than retries says", function()
    local bad = breaking()
    assert.equal(502, group({ bad.url }, { options = { retries = "0" } }):get("/").status)
    assert.equal(1, bad.accepted)

    local first, second, third = breaking(), breaking(), breaking()
    local p = group({ first.url, second.url, third.url }, { options = { retries = "1" } })
    assert.equal(502, p:get("/").status)
    assert.equal(2, first.accepted + second.accepted + third.accepted)
  end)

  it("on a pooled connection that was closed meanwhile is invisible", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      stream:read_until("\r\n\r\n") -- the second request gets no answer
    end)
    local p = group({ o.url }, { options = { retries = "0" } })
    local c = p:connect()

    for _ = 1, 5 do
      assert.equal("ok", c:get("/").body)
    end
  end)
end)

describe("connections to a backend", function()
  it("are kept and used again, and closed when they idle for too long", function()
    local o = origin.start()
    local p = group({ o.url }, { config = { timeouts = { pool = "200ms" } } })
    for _ = 1, 10 do
      assert.equal(200, p:get("/").status)
    end

    assert.equal(1, o.accepted)
    loop.eventually(function()
      return o:connections() == 0
    end)
  end)

  it("are not kept beyond limits.pool_size", function()
    local o = origin.start { delay = 0.1 }
    local p = group({ o.url }, { config = { limits = { pool_size = 2 } } })
    local gets = {}
    for i = 1, 8 do
      gets[i] = function()
        return p:get("/").status
      end
    end
    loop.all(gets)

    assert.equal(8, o.accepted)
    loop.eventually(function()
      return o:connections() == 2
    end)
  end)
end)
