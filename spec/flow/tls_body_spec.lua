local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local tls = require("spec.support.tls_client")

local SIZE = 6 * 1024 * 1024

--- Bytes that differ from place to place.
local function pattern(size)
  local parts = {}
  for i = 1, math.ceil(size / 16) do
    parts[i] = ("%016x"):format(i * 2654435761 % 2 ^ 48)
  end
  return table.concat(parts):sub(1, size)
end

local SANITIZED = (os.getenv("TIDELOCK_BUILD") or ""):find("san")

local function start(respond, config, o)
  o = o or origin.start(respond)
  config = config or {}
  config.tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } }
  return proxy.start { https = true, workers = 1, route = { host = "*", to = o.url }, config = config }
end

--- Waits until a number that grows has stopped to.
local function stands_still(read)
  local last
  loop.eventually(function()
    local still = last == read()
    last = read()
    loop.delay(0.2)
    return still
  end, 30)
end

--- Reads a response's body in small pieces with pauses between; the head is read already.
local function read_slowly(c, size)
  local parts, have = {}, 0
  while have < size do
    local piece, err = c.stream:read_some(math.min(size - have, 16384))
    if not piece then
      return nil, err, have
    end
    parts[#parts + 1] = piece
    have = have + #piece
    if #parts % 16 == 0 then
      loop.delay(0.001)
    end
  end
  return table.concat(parts)
end

describe("bodies over TLS", function()
  for _, version in ipairs({ "1.2", "1.3" }) do
    it("of all sizes around records and buffers come out as they went in, TLS " .. version, function()
      local p = start(function(request) return { body = request.body } end)
      local c = assert(tls.connect(p, "a.example", { version = version }))
      for _, size in ipairs({ 0, 1, 1000, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 262144, 1000003 }) do
        local body = pattern(size)
        assert.is_true(body == c:request({ method = "POST", body = body }).body, size)
        assert.is_true(body == c:request({ method = "POST", body = { body, "" }, chunked = true }).body, size)
      end
    end)

    it("reach a slow reader whole, and the end of the connection after them, TLS " .. version, function()
      local body = pattern(SIZE)
      local p = start(function() return { body = body } end)
      for _, connection in ipairs({ "keep-alive", "close" }) do
        local c = assert(tls.connect(p, "a.example", { version = version, receive_buffer = 4096 }))
        c:send_request({ path = "/", headers = { Connection = connection } })
        local head = assert(c:try_head())
        assert.equal(tostring(SIZE), head.headers["content-length"])
        assert.is_true(body == read_slowly(c, SIZE))
        if connection == "close" then
          assert.equal("closed", c:wait_closed())
        else
          c.methods = {}
          assert.equal(200, c:request({ method = "HEAD" }).status)
        end
      end
    end)
  end

  it("are taken only as fast as the backend takes them", function()
    local goes_on, body = false, pattern(64 * 1024 * 1024)
    local received
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      while not goes_on do
        loop.delay(0.005)
      end
      received = stream:read(#body)
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    end, { receive_buffer = 65536 })
    local p = start(nil, nil, o)
    local c = assert(tls.connect(p, "a.example", { send_buffer = 65536 }))
    local before = p:rss()
    local sending = loop.spawn(function() c:send_request({ method = "POST", body = body }) end)
    stands_still(function() return c.stream.sent end)
    assert.is_true(c.stream.sent < 16 * 1024 * 1024, c.stream.sent)
    if not SANITIZED then
      assert.is_true(p:rss() - before < 2 * 1024 * 1024, p:rss() - before)
    end
    goes_on = true
    loop.join(sending, 60)
    assert.equal("ok", c:receive("POST").body)
    assert.is_true(body == received)
  end)

  it("wait in the backend while the client reads slowly", function()
    local sent, block = 0, ("x"):rep(65536)
    local p = start(function()
      return { headers = { ["Content-Length"] = tostring(2 ^ 28) }, body = function(write)
        while sent < 2 ^ 28 and write(block) do
          sent = sent + #block
        end
        return sent == 2 ^ 28
      end }
    end)
    local c = assert(tls.connect(p, "a.example", { receive_buffer = 65536 }))
    local before = p:rss()
    c:send_request { path = "/" }
    assert(c:try_head())
    stands_still(function() return sent end)
    assert.is_true(sent < 32 * 1024 * 1024, sent)
    if not SANITIZED then
      assert.is_true(p:rss() - before < 2 * 1024 * 1024, p:rss() - before)
    end
  end)

  it("that the backend cuts look cut", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n")
    end)
    local p = start(nil, nil, o)
    local c = assert(tls.connect(p, "a.example"))
    c:send_request { path = "/" }
    assert.is_nil((c:try_receive()))
    -- What is no whole response must not end as if it were one: by HTTP, nor by TLS.
    local got = tls.openssl(p, { request = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", args = { "-msg", "-tls1_2" } })
    assert.is_nil(got.out:find("<<< TLS 1.2, Alert [length 0002], warning close_notify", 1, true))
  end)

  it("follow pipelined requests in one record", function()
    local p = start(function(request) return { body = request.target } end)
    local c = assert(tls.connect(p, "a.example"))
    local text = {}
    for i = 1, 50 do
      text[i] = ("GET /%d HTTP/1.1\r\nHost: a.example\r\n\r\n"):format(i)
    end
    c:send(table.concat(text))
    for i = 1, 50 do
      assert.equal("/" .. i, c:receive("GET").body)
    end
  end)
end)

describe("a TLS client that leaves", function()
  for _, how in ipairs({ "close", "cut" }) do
    it("during a response is noticed, by its " .. how, function()
      local ended
      local o = origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
        local _, err = stream:read_some()
        ended = err
      end)
      local p = start(nil, nil, o)
      local c = assert(tls.connect(p, "a.example"))
      c:send_request { path = "/" }
      loop.eventually(function() return o.accepted == 1 end)
      if how == "cut" then
        c.stream:cut()
      else
        c:close()
      end
      loop.eventually(function() return ended end)
    end)
  end

  it("between two requests is forgotten", function()
    local p = start(function() return { body = "x" } end)
    local c = assert(tls.connect(p, "a.example"))
    assert.equal(200, c:get("/").status)
    local open = p:descriptors()
    c:close()
    p.eventually(function() return p:descriptors() == open - 1 end)
  end)
end)
