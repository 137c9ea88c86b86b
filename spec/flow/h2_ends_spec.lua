-- How HTTP/2 connections begin and end: preface, cuts, idling.

local cases = require("spec.support.h2_cases")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function start(handler, config)
  local o = origin.start(handler)
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }, o
end

local function hold()
  local gate = { waiting = 0 }
  return gate, function(request)
    if request.target == "/held" then
      gate.waiting = gate.waiting + 1
      loop.eventually(function()
        return gate.open
      end)
    end
    return { body = "ok" }
  end
end

local function until_closed(c)
  c:wait(function() end)
  return c.closed
end

describe("an HTTP/2 connection", function()
  it("begins with its preface, in pieces as well", function()
    local p = start()
    for cut = 1, #h2.PREFACE - 1 do
      local c = h2.connect(p.url, { preface = false })
      c:send(h2.PREFACE:sub(1, cut))
      loop.delay(0.001)
      c:send(h2.PREFACE:sub(cut + 1) .. h2.frame("SETTINGS", 0, 0))
      assert.equal(200, c:request().status, "cut at " .. cut)
      c:close()
    end
  end)

  it("does not begin with what is nearly the preface", function()
    local p = start()
    local c = p:connect()
    c:send("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n")
    assert.equal(505, c:receive().status)
    c = p:connect()
    c:send("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n")
    assert.equal(200, c:receive().status)
    c:send(h2.PREFACE) -- not the first bytes
    assert.equal(505, c:receive().status)
  end)

  it("is not to be had on clear text where it is switched off", function()
    local p = start(nil, { http2 = { cleartext = false } })
    local c = p:connect()
    c:send(h2.PREFACE)
    assert.equal(505, c:receive().status)
  end)

  it("is not upgraded to from HTTP/1", function()
    local p, o = start()
    local r = p:get("/", { headers = { Connection = "Upgrade, HTTP2-Settings", Upgrade = "h2c",
      ["HTTP2-Settings"] = "AAMAAABkAAQAAP__" } })
    assert.equal(200, r.status)
    assert.is_nil(o.requests[1].headers.Upgrade)
    assert.is_nil(o.requests[1].headers["HTTP2-Settings"])
  end)

  it("cut at every byte harms nothing", function()
    local p = start()
    local text = h2.PREFACE .. h2.frame("SETTINGS", 0, 0, h2.settings({ ENABLE_PUSH = 0 }))
      .. h2.frame("HEADERS", h2.END_HEADERS, 1, h2.block(h2.fields({ method = "POST" })))
      .. h2.frame("DATA", 0, 1, "abc") .. h2.frame("HEADERS", 5, 1, h2.block({ { "t", "1" } }))
      .. h2.frame("PING", 0, 0, "12345678") .. h2.frame("RST_STREAM", 0, 1, h2.bytes(8, 4))
    for cut = 1, #text do
      local c = h2.connect(p.url, { preface = false })
      c:send(text:sub(1, cut))
      if cut % 2 == 0 then
        c.stream:reset()
      end
      c:close()
    end
    assert.equal(200, p:get("/").status)
  end)

  it("in pieces of every size serves as well", function()
    local p = start(function(request)
      return { body = request.body }
    end)
    for size = 1, 40 do
      local c = h2.connect(p.url, { preface = false })
      local text = h2.PREFACE .. h2.frame("SETTINGS", 0, 0)
        .. h2.frame("HEADERS", h2.END_HEADERS, 1, h2.block(h2.fields({ method = "POST" })))
        .. h2.frame("DATA", 1, 1, "abc")
      for at = 1, #text, size do
        c:send(text:sub(at, at + size - 1))
      end
      assert.equal("abc", c:response(1).text)
      c:close()
    end
  end)

  it("with garbage behind the preface ends, others go on", function()
    math.randomseed(1)
    for _ = 1, 20 do
      cases.run { send = function(c)
        local bytes = {}
        for i = 1, 400 do
          bytes[i] = string.char(math.random(0, 255))
        end
        c:send("\0\0\5\4\0\0\0\0\0" .. table.concat(bytes))
      end, check = function(c)
        assert.equal("FRAME_SIZE_ERROR", c:wait(function() return c.goaway end).code)
        until_closed(c)
      end }
    end
  end)

  it("that is idle for too long is told so and ends", function()
    local p = start(nil, { timeouts = { keep_alive = "300ms" } })
    local c = h2.connect(p.url)
    assert.equal(200, c:request().status)
    assert.equal("closed", until_closed(c))
    assert.same({ last = 1, code = "NO_ERROR" }, c.goaway)
    c = h2.connect(p.url)
    assert.equal("closed", until_closed(c)) -- without any request, too
  end)

  it("is not idle because it pings", function()
    local p = start(nil, { timeouts = { keep_alive = "400ms" } })
    local c = h2.connect(p.url)
    local from = loop.now()
    while not c.closed do
      c:send(h2.frame("PING", 0, 0, "12345678"))
      loop.delay(0.02)
      pcall(c.step, c)
    end
    assert.is_true(loop.now() - from < 5)
  end)

  it("is not idle while a request is in progress", function()
    local gate, handler = hold()
    local p = start(handler, { timeouts = { keep_alive = "200ms" } })
    local c = h2.connect(p.url)
    local id = c:open({ path = "/held" })
    loop.delay(0.6)
    gate.open = true
    assert.equal(200, c:response(id).status)
  end)

  it("whose head stays incomplete ends, and its streams with it", function()
    local gate, handler = hold()
    local p = start(handler, { timeouts = { head = "300ms" } })
    local c = h2.connect(p.url)
    c:open({ path = "/held" })
    c:send(h2.frame("HEADERS", h2.END_STREAM, 3, h2.block(h2.fields({}))))
    assert.equal("closed", until_closed(c))
    assert.is_truthy(c.goaway)
    gate.open = true
  end)

  it("that its client ends takes its requests along", function()
    local gate, handler = hold()
    local p, o = start(handler, { access_log = { format = "text", file = "-" } })
    local c = h2.connect(p.url)
    for _ = 1, 5 do
      c:open({ path = "/held" })
    end
    loop.eventually(function() return gate.waiting == 5 end)
    c:close()
    loop.eventually(function() return #p:access_log() == 5 end)
    for _, line in ipairs(p:access_log()) do
      assert.equal("499", line.status)
      assert.equal("client_gone", line.verdict)
      assert.equal("HTTP/2", line.protocol)
    end
    gate.open = true
    assert.equal(5, o.accepted)
  end)

  it("gives up a request whose stream is reset, and its connection to the backend", function()
    local gate, handler = hold()
    local p, o = start(handler, { access_log = { format = "text", file = "-" } })
    local c = h2.connect(p.url)
    local id = c:open({ path = "/held" })
    loop.eventually(function() return gate.waiting == 1 end)
    c:reset(id)
    assert.equal(200, c:request().status)
    loop.eventually(function() return #p:access_log() == 2 end)
    assert.equal("499", p:access_log()[1].status)
    gate.open = true
    loop.eventually(function() return next(o.open) and not next(o.open, next(o.open)) end) -- one is left
  end)
end)

describe("a response over HTTP/2", function()
  for _, ending in ipairs({ "close", "reset" }) do
    it(("that the backend cuts by %s is cut by INTERNAL_ERROR, other streams go on"):format(ending), function()
      local o = origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        loop.delay(0.01)
        stream[ending](stream)
      end)
      local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test", options = { retries = "0" } } }
      local c = h2.connect(p.url)
      for _ = 1, 3 do
        local r = c:request()
        assert.same({ 200, "INTERNAL_ERROR" }, { r.status, r.reset })
        assert.is_falsy(r.ended)
      end
    end)
  end
end)
