local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local loop = require("spec.support.loop")

local function pattern(size)
  return ("0123456789abcdef"):rep(math.ceil(size / 16)):sub(1, size)
end

describe("a body", function()
  for _, size in ipairs({ 0, 1, 1000, 16384, 16385, 70000, 1000000 }) do
    it(("of %d bytes passes exactly, by length and chunked, both ways"):format(size), function()
      local body = pattern(size)
      local o = origin.start(function(request)
        return { body = request.body, chunked = request.target == "/chunked" }
      end)
      local c = proxy.start { route = { to = o.url } }:connect()

      assert.equal(body, c:request({ method = "POST", path = "/plain", body = body }).body)
      assert.equal(body, c:request({ method = "POST", path = "/chunked", body = body, chunked = true }).body)
      assert.equal(body, c:request({ method = "POST", path = "/plain", body = body, chunked = true }).body)
    end)
  end

  it("in many small chunks passes exactly", function()
    local chunks = {}
    for i = 1, 500 do
      chunks[i] = tostring(i) .. ","
    end
    local o = origin.start(function(request)
      return { body = { request.body, "x", "y" } }
    end)
    local p = proxy.start { route = { to = o.url } }

    assert.equal(table.concat(chunks) .. "xy", p:request({ method = "POST", body = chunks }).body)
  end)

  it("whose framing crosses the end of a buffer passes exactly, both ways", function()
    local raw
    local o = origin.start(function(request)
      return { body = request.body, raw = request.target == "/raw" and raw or nil, close = request.target == "/raw" }
    end)
    local p = proxy.start { config = { timeouts = { body = "2s", response = "2s" } }, route = { to = o.url } }
    local request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    local response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    local function chunked(head, total, ending)
      local size = total - #head - #ending - 6
      return ("%s%04x\r\n%s%s"):format(head, size, pattern(size), ending), pattern(size)
    end

    for _, edge in ipairs({ 16384, 65536 }) do
      for total = edge - 8, edge + 8 do
        if total < 65536 then
          local text, body = chunked(request, total, "\r\n0\r\n\r\n")
          local c = p:connect()
          c:send(text)
          assert.equal(body, c:receive("POST").body, "request of " .. total)
        end
        local body
        raw, body = chunked(response, math.min(total, 65535 + 60), "\r\n0\r\n\r\n")
        assert.equal(body, p:get("/raw").body, "response of " .. total)
      end
    end
    local trailers = "\r\n0\r\nX-T: " .. ("t"):rep(15000) .. "\r\n\r\n"
    local text, body = chunked(request, 28000, trailers)
    local c = p:connect()
    c:send(text)
    assert.equal(body, c:receive("POST").body)
    raw, body = chunked(response, 28000, trailers)
    local r = p:get("/raw")
    assert.equal(body, r.body)
    assert.equal(15000, #r.trailers["X-T"])
  end)

  it("keeps its trailers both ways, without those that would steer", function()
    local seen
    local o = origin.start(function(request)
      seen = request.trailers
      return { body = { "a" }, trailers = { ["X-Sum"] = "42", ["Content-Length"] = "1" } }
    end)
    local p = proxy.start { route = { to = o.url } }
    local r = p:request { method = "POST", body = { "b" }, trailers = { ["X-Check"] = "7", Host = "evil" },
      headers = { TE = "trailers" } }

    assert.equal("7", seen["X-Check"])
    assert.is_nil(seen.Host)
    assert.equal("42", r.trailers["X-Sum"])
    assert.is_nil(r.trailers["Content-Length"])
  end)

  it("that is sent byte by byte arrives whole", function()
    local o = origin.start(function(request)
      return { body = request.body }
    end)
    local c = proxy.start { route = { to = o.url } }:connect()
    local text = c:format { method = "POST", body = { "hello", " ", "world" }, trailers = { A = "b" } }

    for i = 1, #text do
      c:send(text:sub(i, i))
    end
    assert.equal("hello world", c:receive("POST").body)
  end)

  it("waits for 100 Continue from the backend", function()
    local o = origin.start(function(request)
      return { body = request.body }
    end)
    local c = proxy.start { route = { to = o.url } }:connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    local interim = c:try_head()
    assert.equal(100, interim.status)
    c:send("hello")

    assert.equal("hello", c:receive("POST").body)
  end)

  it("is not waited for when the backend refuses the expectation", function()
    local o = origin.start(function()
      return { status = 417, close = true, headers = { ["Content-Length"] = "0" } }
    end, { stream = true })
    local c = proxy.start { route = { to = o.url } }:connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")

    assert.equal(417, c:receive("POST").status)
  end)

  it("may be preceded by other interim responses", function()
    local o = origin.start { informational = { { status = 103, headers = { Link = "</a.css>" } } }, body = "x" }
    local r = proxy.start { route = { to = o.url } }:get("/")

    assert.equal(103, r.informational[1].status)
    assert.equal("</a.css>", r.informational[1].headers.Link)
    assert.equal("x", r.body)
  end)

  it("of a large answer waits in the backend while the client reads slowly", function()
    local SIZE = 256 * 1024 * 1024
    local block, sent = ("x"):rep(65536), 0
    local o = origin.start(function()
      return { headers = { ["Content-Length"] = tostring(SIZE) }, body = function(write)
        while sent < SIZE and write(block) do
          sent = sent + #block
        end
        return sent == SIZE
      end }
    end, { send_buffer = 65536 })
    local p = proxy.start { route = { to = o.url }, workers = 1 }
    p:get("/", { method = "HEAD" })
    sent = 0
    local before = p:rss()
    local c = p:connect { receive_buffer = 65536 }
    c:send_request { path = "/big" }
    assert.truthy(c:try_head())
    local last
    loop.eventually(function() -- the flow comes to a standstill
      local still = last == sent
      last = sent
      loop.delay(0.1)
      return still
    end)

    assert.is_true(sent < 32 * 1024 * 1024, "the proxy took " .. sent .. " bytes")
    if not (os.getenv("TIDELOCK_BUILD") or ""):find("san") then
      assert.is_true(p:rss() - before < 1024 * 1024, "memory grew by " .. p:rss() - before)
    end
    c:reset()
    loop.eventually(function()
      return o:connections() == 0
    end)
  end)

  it("that the client abandons ends the backend's work", function()
    local ended
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      local _, err = stream:read_some()
      ended = err
    end)
    local c = proxy.start { route = { to = o.url } }:connect()
    c:send_request { path = "/" }
    loop.eventually(function()
      return o.accepted == 1
    end)
    c:close()

    loop.eventually(function()
      return ended
    end)
  end)

  it("larger than max_body_size gets 413, by length at once and chunked when it is too much", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url, options = { max_body_size = "1k" } } }

    assert.equal(200, p:request({ method = "POST", body = pattern(1024) }).status)
    local r = p:request { method = "POST", body = pattern(1025) }
    assert.equal(413, r.status)
    assert.equal(413, p:request({ method = "POST", body = { pattern(600), pattern(600) } }).status)
  end)

  it("may be answered before it was sent", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
      stream:read_some()
    end)
    local c = proxy.start { route = { to = o.url } }:connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome")

    assert.equal("early", c:receive("POST").body)
    assert.equal("closed", c:wait_closed())
  end)
end)
