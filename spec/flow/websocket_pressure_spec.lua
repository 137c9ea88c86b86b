local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local MIB = 1024 * 1024
local MESSAGE = ("0123456789abcdef"):rep(MIB / 16)
local COUNT = 16
local GROWTH = 4 * MIB -- of a program that had served nobody; all that is sent is four times as much
local SMALL = { receive_buffer = 131072, send_buffer = 131072 }

local eventually = loop.eventually
local SANITIZED = loop.SLOWNESS > 1 -- such a program keeps freed memory for a while

--- Waits until a number stays as it is for a while.
local function settled(number)
  local last, since = number(), loop.now()
  eventually(function()
    local now = number()
    if now ~= last then
      last, since = now, loop.now()
    end
    return loop.now() - since > 0.3
  end, 30)
  return last
end

local function flood(peer)
  for _ = 1, COUNT do
    assert(peer:send(MESSAGE, websocket.BINARY))
  end
end

local function take_all(peer)
  for _ = 1, COUNT do
    local message = assert(peer:receive_message())
    assert(message == MESSAGE, "a message came changed")
  end
end

describe("a slow reader", function()
  it("at the client holds the backend up, and costs no memory", function()
    local sender
    local o = origin.start(websocket.handler(function(peer)
      sender = peer
      flood(peer)
      peer:await_close()
    end), SMALL)
    local g = group.start({ o.url })
    local before = g.proxy:rss()
    local ws = assert(websocket.connect(g.proxy, SMALL))

    local passed = settled(function()
      return sender and g:stats("r1").bytes_sent or 0
    end)
    assert.is_true(passed > 0 and passed < 8 * MIB, ("%d bytes passed"):format(passed))
    assert.is_true(sender.stream.sent < 12 * MIB)
    assert.is_true(SANITIZED or g.proxy:rss() - before < GROWTH)
    take_all(ws)
    assert.equal(1000, ws:close().code)
  end)

  it("at the backend holds the client up, and costs no memory", function()
    local gate, got = false, nil
    local o = origin.start(websocket.handler(function(peer)
      eventually(function()
        return gate
      end, 60)
      take_all(peer)
      got = true
      peer:await_close()
    end), SMALL)
    local g = group.start({ o.url })
    local before = g.proxy:rss()
    local ws = assert(websocket.connect(g.proxy, SMALL))
    local sender = loop.spawn(flood, ws)

    local passed = settled(function()
      return g:stats("r1").bytes_received
    end)
    assert.is_true(passed > 0 and passed < 8 * MIB, ("%d bytes passed"):format(passed))
    assert.is_true(ws.stream.sent < 12 * MIB)
    assert.is_true(SANITIZED or g.proxy:rss() - before < GROWTH)
    gate = true
    loop.join(sender, 60)
    eventually(function()
      return got
    end, 30)
    assert.equal(1000, ws:close().code)
  end)

  it("that takes no byte for timeouts.send ends its tunnel", function()
    local o = origin.start(websocket.handler(function(peer)
      repeat
      until not peer:send(MESSAGE, websocket.BINARY)
    end), SMALL)
    local g = group.start({ o.url }, { config = {
      timeouts = { send = "300ms" }, access_log = { format = "text" },
    } })
    local ws = assert(websocket.connect(g.proxy, SMALL))
    eventually(function()
      local line = g.proxy:access_log()[1]
      return line and line["end"] == "slow"
    end)
    local _, err = ws.stream:read_all()
    assert.equal("reset", err)
    assert.equal(0, g:stats("r1").tunnels_open)
  end)

  it("does not keep a drain from ending its tunnel", function()
    local o = origin.start(websocket.handler(function(peer)
      repeat
      until not peer:send(MESSAGE, websocket.BINARY)
    end), SMALL)
    local g = group.start({ o.url }, { config = { timeouts = { tunnel_message = "200ms" } } })
    assert(websocket.connect(g.proxy, SMALL))
    settled(function()
      return g:stats("r1").bytes_sent
    end)
    g.session:ok("DRAIN_START", "0")
    eventually(function()
      return g:stats("r1").tunnels_open == 0
    end)
  end)
end)

describe("idle WebSockets", function()
  it("hold no buffers", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ o.url })
    local function talk(count)
      for _ = 1, count do
        local ws = assert(websocket.connect(g.proxy))
        ws:send(("x"):rep(20000))
        assert.equal(20000, #ws:receive_message())
      end
    end
    talk(10)
    local before = g.proxy:rss()
    talk(200)
    -- With a block for each direction that would be 6 MB, and more where reads filled theirs.
    local grown = (g.proxy:rss() - before) / 200
    assert.is_true(SANITIZED or grown < 16 * 1024, ("%d bytes for each"):format(grown))
    assert.equal(210, g:stats("r1").tunnels_open)
  end)
end)
