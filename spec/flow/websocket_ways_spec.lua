-- What ends WebSockets, over TLS and as streams of HTTP/2: the same as over plain HTTP/1.1, see
-- websocket_drain_spec.lua, websocket_gone_spec.lua and websocket_end_spec.lua.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local share = require("spec.support.share")
local web = require("spec.support.web")
local websocket = require("spec.support.websocket")
local websockets = require("spec.flow.websockets")

local eventually = loop.eventually

--- A group whose backend serves WebSockets by a function.
local function start(serve, options)
  return group.start({ origin.start(websocket.handler(serve)).url }, web.listening(options))
end

local function drain_start_ms(g)
  return log_line.wall_ms(g.proxy:wait_log('time=(%S+) level=info msg="[^"]*[Dd]rain started'))
end

for i = 2, #web.WAYS do
  local way = web.WAYS[i]

  describe("WebSockets over " .. way.name, function()
    it("are closed evenly over a drain's length, with 1001 at both ends", function()
      local g, frames = websockets.open(30, { workers = 2, way = way })
      g.session:ok("DRAIN_START", "2s")
      local start_ms = drain_start_ms(g)
      local times, whys = websockets.wait_ended(g, 30)
      assert.same({ drain = 30 }, whys)
      websockets.assert_even(times, start_ms, 2000, 2)
      eventually(function() return #frames.client == 30 and #frames.backend == 30 end)
      websockets.assert_frames(frames, 30, "the service drains")
    end)

    it("are closed evenly within timeouts.tunnel_close when their route is removed", function()
      local g, frames = websockets.open(20, { way = way, config = { timeouts = { tunnel_close = "1500ms" } } })
      local start_ms = share.now_ms()
      g.session:ok("ROUTE_REMOVE", "r1")
      g.session:ok("CONFIG_APPLY")
      local times, whys = websockets.wait_ended(g, 20)
      assert.same({ removed = 20 }, whys)
      websockets.assert_even(times, start_ms, 1500, 1)
      eventually(function() return #frames.client == 20 and #frames.backend == 20 end)
      websockets.assert_frames(frames, 20, "the service is gone from here")
    end)

    it("are closed evenly within timeouts.tunnel_close in maintenance", function()
      local g, frames = websockets.open(20, { way = way, config = { timeouts = { tunnel_close = "1500ms" } } })
      local start_ms = share.now_ms()
      g.session:ok("MAINT_ENTER", "ALL", "")
      local times, whys = websockets.wait_ended(g, 20)
      assert.same({ maintenance = 20 }, whys)
      websockets.assert_even(times, start_ms, 1500, 1)
      eventually(function() return #frames.client == 20 and #frames.backend == 20 end)
      websockets.assert_frames(frames, 20, "the service is under maintenance")
    end)

    it("are closed behind the messages in progress, both ways", function()
      local got, served = {}, 0
      local g = start(function(peer)
        served = served + 1
        if served == 2 then -- between messages: it is closed as soon as the worker looks
          return peer:await_close()
        end
        peer:send_frame { payload = "to the ", final = false }
        got[1] = peer:receive_message()
        peer:send_frame { opcode = websocket.CONTINUATION, payload = "client" }
        got[2] = peer:await_close()
      end)
      local ws = assert(websockets.connect(g.proxy, way))
      local frame = websocket.frame { payload = "to the backend", mask = "abcd" }
      assert.equal("to the ", ws:receive().payload)
      ws.stream:write(frame:sub(1, 5))
      local other = assert(websockets.connect(g.proxy, way))
      eventually(function() return g:stats("r1").bytes_received == 5 end)
      g.session:ok("DRAIN_START", "0")
      assert.equal(1001, other:await_close().code)
      ws.stream:write(frame:sub(6))

      assert.equal("client", ws:receive().payload)
      assert.equal(1001, ws:await_close().code)
      eventually(function() return got[2] end)
      assert.same({ "to the backend", 1001 }, { got[1], got[2].code })
    end)

    it("are closed when they are idle, or old, or refused when there are too many", function()
      local g = start(nil, { options = { websocket_idle = "150ms" } })
      local idle = websockets.connect(g.proxy, way):await_close()
      assert.same({ 1001, "idle for too long" }, { idle.code, idle.reason })

      g = start(nil, { options = { websocket_max_age = "300ms" } })
      local old = websockets.connect(g.proxy, way):await_close()
      assert.same({ 1001, "open for long enough" }, { old.code, old.reason })

      g = start(nil, { options = { websocket_max = "2" } })
      local first = assert(websockets.connect(g.proxy, way))
      assert(websockets.connect(g.proxy, way))
      local third, status = websockets.connect(g.proxy, way)
      assert.same({ nil, 503 }, { third, status })
      loop.soon(function() assert.equal(1, g:stats("r1").rejected.tunnels) end)
      assert.equal(1000, first:close().code)
      eventually(function() return websockets.connect(g.proxy, way) end)
    end)

    it("count in the route's numbers while they are open", function()
      local g = start()
      local ws = assert(websockets.connect(g.proxy, way))
      ws:send("hello")
      assert.equal("hello", ws:receive().payload)
      loop.soon(function()
        local stats = g:stats("r1")
        assert.same({ 1, 1, 1, 7, 11 },
          { stats.requests, stats.tunnels, stats.tunnels_open, stats.bytes_sent, stats.bytes_received })
      end)
      ws:close()
      eventually(function() return g:stats("r1").tunnels_open == 0 end)
    end)
  end)
end

describe("WebSockets of one HTTP/2 connection", function()
  local COUNT, LENGTH_MS = 20, 2000

  it("are closed evenly over a drain's length, each for itself, and the next request is sent elsewhere", function()
    local g, frames = websockets.open(0, { way = web.WAYS[3] })
    local c = h2.over(web.connect(g.proxy, web.WAYS[3]), { authority = web.HOST })
    local ids, closed = {}, 0
    for i = 1, COUNT do
      ids[i] = select(2, assert(websockets.stream(c, web.WAYS[3])))
    end
    g.session:ok("DRAIN_START", LENGTH_MS .. "ms")
    local start_ms = drain_start_ms(g)
    local expected = websocket.frame { opcode = websocket.CLOSE,
      payload = websocket.close_payload(1001, "the service drains") }
    local answer = websocket.frame { opcode = websocket.CLOSE, payload = websocket.close_payload(1001), mask = "abcd" }
    while closed < COUNT and c:step() do
      for i, id in pairs(ids) do
        if c:stream_of(id).received > 0 then
          assert.equal(expected, table.concat(c:stream_of(id).body))
          c:data(id, answer, true)
          ids[i], closed = nil, closed + 1
        end
      end
    end
    assert.equal(COUNT, closed)
    local times, whys = websockets.wait_ended(g, COUNT)
    assert.same({ drain = COUNT }, whys)
    websockets.assert_even(times, start_ms, LENGTH_MS, 1)
    eventually(function() return #frames.backend == COUNT end)
    assert.equal(503, c:request { path = "/" }.status)
    c:wait(function() end)
    assert.same({ "closed", "NO_ERROR" }, { c.closed, c.goaway.code })
  end)
end)
