-- Connections are read when they are taken, and watched later: whatever they send, or don't, they are heard.

local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function start(handler, config)
  local o = origin.start(handler)
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }, o
end

--- A backend that answers when its gate is opened, and sees when it is left.
local function held()
  local gate = { asked = 0, left = 0 }
  local o = origin.raw(function(stream)
    while stream:read_until("\r\n\r\n") do
      gate.asked = gate.asked + 1
      loop.eventually(function() return gate.open or stream:ended() end)
      if not stream:write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") then
        break
      end
    end
    gate.left = gate.left + 1
  end)
  local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
  return p, gate
end

local CLOSE = { headers = { Connection = "close" } }

describe("a client whose first request waits for its backend", function()
  for _, way in ipairs { "close", "reset", "shutdown" } do
    it("is heard when it leaves: " .. way, function()
      local p, gate = held()
      local c = p:connect()
      c:send_request(CLOSE)
      loop.eventually(function() return gate.asked == 1 end)
      c[way](c)
      loop.eventually(function() return gate.left == 1 end)
      loop.soon(function() assert.equal(1, p:status().closed.client_gone) end)
    end)
  end

  it("is answered in order when it sends further ones meanwhile", function()
    local p, gate = held()
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return gate.asked == 1 end)
    c:send_request {}
    c:send_request(CLOSE)
    gate.open = true
    for _ = 1, 3 do
      assert.equal("ok", c:receive().body)
    end
    assert.equal("closed", c:wait_closed())
  end)

  it("is answered when many of them come at once", function()
    local p, gate = held()
    local clients = {}
    for i = 1, 200 do
      clients[i] = p:connect()
      clients[i]:send_request(i % 2 == 0 and CLOSE or {})
    end
    loop.eventually(function() return gate.asked == 200 end)
    gate.open = true
    for _, c in ipairs(clients) do
      assert.equal("ok", c:receive().body)
    end
    assert.equal("ok", clients[1]:get("/").body)
  end)

  it("is finished when the proxy stops", function()
    local p, gate = held()
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return gate.asked == 1 end)
    p:signal("TERM")
    p:wait_log("stopping")
    gate.open = true
    assert.equal("ok", c:receive().body)
    assert.equal(0, p:wait_exit())
  end)
end)

describe("a connection", function()
  it("that sends nothing holds no buffer, and is ended in its time", function()
    local p = start(nil, { timeouts = { head = "1s" } })
    local clients = {}
    for i = 1, 50 do
      clients[i] = p:connect()
    end
    loop.eventually(function() return p:status().connections.open == 50 end)
    assert.equal(0, p:status().buffer_bytes)
    for _, c in ipairs(clients) do
      assert.equal("closed", c:wait_closed())
    end
  end)

  it("is heard, whether those before it had sent something when they were taken or not", function()
    local p = start(function() return { body = "ok" } end)
    for _ = 1, 2 do
      local silent = {}
      for i = 1, 40 do
        silent[i] = p:connect()
      end
      loop.eventually(function() return p:status().connections.open == 40 end)
      for _ = 1, 20 do -- each with its request behind the handshake
        local c = p:connect()
        c:send_request(CLOSE)
        assert.equal("ok", c:receive().body)
      end
      for _, c in ipairs(silent) do
        c:send_request(CLOSE)
        assert.equal("ok", c:receive().body)
      end
      loop.eventually(function() return p:status().connections.open == 0 end)
    end
  end)

  it("that sends its request byte by byte is answered", function()
    local p = start(function() return { body = "whole" } end)
    local c = p:connect()
    for byte in c:format({ host = "a.test" }):gmatch(".") do
      c:send(byte)
    end
    assert.equal("whole", c:receive().body)
    assert.equal("whole", c:get("/").body)
  end)

  it("whose body comes later than its head is answered", function()
    local p = start(function(request) return { body = request.body } end)
    local c = p:connect()
    c:send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\nabc")
    loop.eventually(function() return p:status().buffer_bytes > 0 end)
    c:send("def")
    assert.equal("abcdef", c:receive("POST").body)
  end)

  it("whose preface of HTTP/2 comes in two pieces speaks HTTP/2", function()
    local p = start(function() return { body = "h2" } end)
    assert.equal("h2", h2.connect(p.url, { authority = "a.test" }):request({ path = "/" }).text)
    local c = http.connect(p.url)
    c:send("PRI * HTTP/2.0\r\n")
    loop.eventually(function() return p:status().buffer_bytes > 0 end)
    c:send("\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    assert.equal("\4", c.stream:read(9):sub(4, 4)) -- its SETTINGS
  end)

  it("that is there when the last one ended keeps the proxy's listener free", function()
    local p = start(function() return { body = "ok" } end)
    for _ = 1, 300 do
      local c = p:connect()
      c:send_request(CLOSE)
      assert.equal("ok", c:receive().body)
      c:close()
    end
    loop.soon(function()
      assert.equal(0, p:status().connections.open)
      assert.equal(300, p:status().closed.client_last)
    end)
  end)
end)
