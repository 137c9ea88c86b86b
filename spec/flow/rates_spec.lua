-- Clients that give a body, or take a response, slower than limits.body_rate and limits.send_rate.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local MIB = 1024 * 1024
local FAST = 100000 -- bytes a second: nobody here sends that many
local SLOW = 10 -- everybody here sends more

local function start(o, config)
  config.access_log = { format = "text", file = "-" }
  config.timeouts = config.timeouts or {}
  config.timeouts.rate = config.timeouts.rate or "300ms"
  return group.start({ o.url }, { config = config })
end

--- A request whose body arrives in pieces of so many bytes, one each 50 ms, until it is whole or answered.
local function dribble(c, size, piece, headers)
  local fields = { { "Content-Length", tostring(size) } }
  for name, value in pairs(headers or {}) do
    fields[#fields + 1] = { name, value }
  end
  c:send(c:format { method = "POST", headers = fields })
  local task = loop.spawn(function()
    for _ = 1, size / piece do
      if not c.stream:write(("x"):rep(piece)) then
        return
      end
      loop.delay(0.05)
    end
  end)
  local r = c:receive("POST")
  loop.cancel(task)
  return r
end

describe("limits.body_rate", function()
  it("answers 408 to a body that dribbles, and ends the connection, and its backend's", function()
    local o = origin.start()
    local g = start(o, { limits = { body_rate = FAST } })
    local c = g.proxy:connect()
    local from = loop.now()
    local r = dribble(c, 10000, 10)
    assert.equal(408, r.status)
    assert.equal('tidelock; error=http_request_error; details="body_slow"', r.headers["Proxy-Status"])
    assert.equal("close", r.headers.Connection)
    assert.is_true(loop.now() - from >= 0.55) -- a window of grace, one that was measured
    loop.soon(function() assert.equal(0, o:connections()) end)
    assert.equal(1, g.proxy:status().refused.body_slow)
  end)

  it("lets a body pass that is faster, however long it takes", function()
    local g = start(origin.start(), { limits = { body_rate = SLOW }, timeouts = { rate = "500ms" } })
    assert.equal(200, dribble(g.proxy:connect(), 4000, 100).status)
  end)

  it("does not blame a client for a backend that takes its time", function()
    local o = origin.start(function(request)
      loop.delay(2)
      return { body = tostring(#request.stream:read(4 * MIB)) }
    end, { stream = true, receive_buffer = 4096 })
    local g = start(o, { limits = { body_rate = FAST } })
    local r = g.proxy:request { method = "POST", body = ("x"):rep(4 * MIB) }
    assert.same({ 200, tostring(4 * MIB) }, { r.status, r.body })
  end)

  it("waits for 100 Continue as long as the backend does", function()
    local o = origin.start(function(request)
      loop.delay(1.5)
      request.stream:write("HTTP/1.1 100 Continue\r\n\r\n")
      return { body = request.stream:read(5) }
    end, { stream = true })
    local g = start(o, { limits = { body_rate = FAST } })
    local c = g.proxy:connect()
    c:send(c:format { method = "POST", headers = { ["Content-Length"] = "5", Expect = "100-continue" } })
    assert.equal(100, c:try_head().status)
    c:send("hello")
    assert.equal("hello", c:receive().body)
  end)

  it("does not hold for gRPC calls, which may wait by design", function()
    local g = start(origin.start(), { limits = { body_rate = FAST } })
    assert.equal(200, dribble(g.proxy:connect(), 300, 10, { ["Content-Type"] = "application/grpc" }).status)
  end)

  it("does not hold once the answer has begun: then the two talk", function()
    local o = origin.start(function(request)
      return { chunked = true, headers = { ["Transfer-Encoding"] = "chunked" }, body = function(write)
        write("5\r\nready\r\n")
        return write(("%x\r\n%s\r\n0\r\n\r\n"):format(300, request.stream:read(300)))
      end }
    end, { stream = true })
    local g = start(o, { limits = { body_rate = FAST } })
    local r = dribble(g.proxy:connect(), 300, 10)
    assert.same({ 200, "ready" .. ("x"):rep(300) }, { r.status, r.body })
  end)

  it("is any when it is 0", function()
    local g = start(origin.start(), { limits = { body_rate = 0 } })
    assert.equal(200, dribble(g.proxy:connect(), 300, 10).status)
  end)

  it("answers 408 on a stream of HTTP/2, and the connection goes on", function()
    local g = start(origin.start(), { limits = { body_rate = FAST } })
    local c = h2.connect(g.proxy.url)
    local id = c:open { method = "POST", body = false, headers = { { "content-length", "10000" } } }
    local task = loop.spawn(function()
      while true do
        c:data(id, "x")
        loop.delay(0.05)
      end
    end)
    local r = c:response(id)
    loop.cancel(task)
    assert.equal(408, r.status)
    assert.equal(200, c:request().status)
  end)
end)

--- A backend with a body of so many bytes, which counts how its connections end.
local function big(size)
  local body = ("0123456789abcdef"):rep(size / 16)
  return origin.start(function() return { body = body } end), body
end

describe("limits.send_rate", function()
  it("resets a client that takes nothing, and lets its backend go", function()
    local o = big(16 * MIB)
    local g = start(o, { limits = { send_rate = FAST } })
    local c = g.proxy:connect { receive_buffer = 4096 }
    c:send_request {}
    loop.soon(function() assert.equal(1, #g.proxy:access_log()) end)
    assert.equal(0, o:connections())
    assert.equal(1, g.proxy:status().closed.client_reads_slowly)
    local _, err = c.stream:read_all()
    assert.equal("reset", err)
  end)

  it("does not hold while the response comes slowly from the backend", function()
    local o = origin.start(function()
      return { chunked = true, headers = { ["Transfer-Encoding"] = "chunked" }, body = function(write)
        for _ = 1, 8 do
          write("1\r\nx\r\n")
          loop.delay(0.25)
        end
        return write("0\r\n\r\n")
      end }
    end)
    local g = start(o, { limits = { send_rate = FAST } })
    assert.equal("xxxxxxxx", g:get("/").body)
  end)

  it("sees what a client takes out of large buffers, where none of ours moves for longer than timeouts.send", function()
    local o, body = big(12 * MIB)
    local g = start(o, { limits = { send_rate = 1000 }, timeouts = { rate = "2s", send = "2500ms" } })
    local c = g.proxy:connect { receive_buffer = 32768 }
    c:send_request {}
    local parts, from = {}, loop.now()
    while loop.now() - from < 5.5 do
      parts[#parts + 1] = assert(c.stream:read_some(2048))
      loop.delay(0.02)
    end
    local rest = #table.concat(parts)
    while rest < #body do
      rest = rest + #assert(c.stream:read_some())
    end
    assert.is_true(rest >= #body)
  end)

  it("is any when it is 0, and timeouts.send holds", function()
    local o = big(16 * MIB)
    local g = start(o, { limits = { send_rate = 0 }, timeouts = { send = "1500ms" } })
    local c, from = g.proxy:connect { receive_buffer = 4096 }, loop.now()
    c:send_request {}
    loop.soon(function() assert.equal(1, #g.proxy:access_log()) end)
    assert.is_true(loop.now() - from >= 1.4)
  end)

  it("resets a stream whose window opens by a byte at a time, and no other", function()
    local o = big(MIB)
    local g = start(o, { limits = { send_rate = FAST } })
    local c = h2.connect(g.proxy.url, { windows = false, settings = { INITIAL_WINDOW_SIZE = 1 } })
    c:window(0, 64 * MIB)
    local slow, fast = c:open {}, c:open {}
    c:window(fast, 2 * MIB)
    local task = loop.spawn(function()
      while true do
        c:window(slow, 1)
        loop.delay(0.05)
      end
    end)
    assert.equal(MIB, c:response(fast).received)
    assert.equal("INTERNAL_ERROR", c:response(slow).reset)
    loop.cancel(task)
    assert.equal(200, c:request({ method = "HEAD" }).status)
  end)

  it("closes a session whose own window opens by a byte at a time", function()
    local o = big(MIB)
    local g = start(o, { limits = { send_rate = FAST }, timeouts = { send = "60s" } })
    local c = h2.connect(g.proxy.url, { windows = false, settings = { INITIAL_WINDOW_SIZE = 16 * MIB } })
    for _ = 1, 5 do
      c:open {}
    end
    local task = loop.spawn(function()
      while c:window(0, 1) do
        loop.delay(0.05)
      end
    end)
    c:wait(function() end)
    loop.cancel(task)
    assert.truthy(c.closed)
    loop.soon(function() assert.equal(0, o:connections()) end)
    assert.equal(1, g.proxy:status().closed.client_reads_slowly)
  end)

  it("closes a session that is not read", function()
    local o = big(16 * MIB)
    local g = start(o, { limits = { send_rate = FAST }, timeouts = { send = "60s" } })
    local c = h2.connect(g.proxy.url, { windows = false, receive_buffer = 4096,
      settings = { INITIAL_WINDOW_SIZE = 64 * MIB } })
    c:window(0, 64 * MIB)
    local id = c:open {}
    loop.soon(function() assert.equal(1, #g.proxy:access_log()) end)
    c:wait(function() end)
    assert.truthy(c.closed)
    assert.falsy(c:stream_of(id).ended)
    assert.equal(1, g.proxy:status().closed.client_reads_slowly)
  end)
end)
