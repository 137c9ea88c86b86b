local group = require("spec.support.group")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local websocket = require("spec.support.websocket")
local websockets = require("spec.flow.websockets")

local eventually = loop.eventually

describe("a drain", function()
  it("closes the member's WebSockets evenly over its length, with 1001 at both ends", function()
    local g, frames = websockets.open(60, { workers = 2 })
    g.session:ok("DRAIN_START", "3s")
    local start_ms = log_line.wall_ms(g.proxy:wait_log('time=(%S+) level=info msg="[^"]*[Dd]rain started'))
    local times, whys = websockets.wait_ended(g, 60)

    assert.same({ drain = 60 }, whys)
    websockets.assert_frames(frames, 60, "the service drains")
    websockets.assert_even(times, start_ms, 3000, 2)
    eventually(function()
      return g:json("DRAIN_STATUS").completed
    end)
  end)

  it("leaves those of other members alone", function()
    local function named(name)
      return origin.start(websocket.handler(function(peer)
        peer:send(name)
        websocket.echo(peer)
      end))
    end
    local g = group.start({ named("drained").url, named("other").url }, { apart = true })
    local at = {}
    for _ = 1, 2 do -- round robin
      local ws = assert(websocket.connect(g.proxy))
      at[ws:receive().payload] = ws
    end
    g.session:ok("DRAIN_START", "0")
    assert.equal(1001, at.drained:await_close().code)
    loop.delay(0.3) -- several looks of the worker's
    at.other:send("still there?")
    assert.equal("still there?", at.other:receive_message())
  end)

  it("that is over when the backend agrees still closes in order: 101, then 1001", function()
    local asked, agrees = false, false
    local o = origin.start(function(request)
      asked = true
      eventually(function() return agrees end)
      return websocket.handler()(request)
    end)
    local g = group.start({ o.url })
    local opening = loop.spawn(function()
      local ws, err = websocket.connect(g.proxy)
      return (assert(ws, err):await_close())
    end)
    eventually(function() return asked end)
    g.session:ok("DRAIN_START", "0")
    agrees = true
    assert.equal(1001, loop.join(opening).code)
  end)

  it("that is cancelled leaves the rest alone", function()
    local g, frames = websockets.open(10, {})
    g.session:ok("DRAIN_START", "4s")
    eventually(function()
      return #frames.client >= 2
    end)
    g.session:ok("DRAIN_CANCEL")
    local closed = #websockets.wait_ended(g, #frames.client)
    loop.delay(1)
    assert.is_true(#websockets.ends(g) <= closed + 1) -- one may have been under way
    assert.is_true(#websockets.ends(g) <= 6)
    assert.equal(10 - #websockets.ends(g), g:stats("r1").tunnels_open)
  end)

  it("of no length closes all at once", function()
    local g, frames = websockets.open(5, { workers = 2 })
    g.session:ok("DRAIN_START", "0")
    websockets.wait_ended(g, 5)
    websockets.assert_frames(frames, 5, "the service drains")
  end)

  it("waits for the messages in progress, both ways", function()
    local got, backend_sent = {}, false
    local o = origin.start(websocket.handler(function(peer)
      peer:send_frame { payload = "to the ", final = false }
      got[1] = peer:receive_message()
      peer:send_frame { opcode = websocket.CONTINUATION, payload = "client" }
      backend_sent = true
      got[2] = peer:await_close()
    end))
    local g = group.start({ o.url })
    local ws = assert(websocket.connect(g.proxy))
    local frame = websocket.frame { payload = "to the backend", mask = "abcd" }
    assert.equal("to the ", ws:receive().payload)
    ws.stream:write(frame:sub(1, 5))
    eventually(function()
      return g:stats("r1").bytes_received == 5
    end)
    g.session:ok("DRAIN_START", "0")
    loop.delay(0.4) -- several looks of the worker's
    assert.is_false(backend_sent)
    ws.stream:write(frame:sub(6))

    assert.equal("client", ws:receive().payload)
    assert.equal(1001, ws:await_close().code)
    eventually(function()
      return got[2]
    end)
    assert.same({ "to the backend", 1001 }, { got[1], got[2].code })
  end)

  it("waits for a message that never ends no longer than timeouts.tunnel_message", function()
    local why = {}
    local o = origin.start(websocket.handler(function(peer)
      repeat
        local frame, err = peer:receive()
        why[#why + 1] = frame and frame.code or err
      until not frame
    end))
    local g = group.start({ o.url }, { config = { timeouts = { tunnel_message = "300ms" } } })
    local within_frame, between = assert(websocket.connect(g.proxy)), assert(websocket.connect(g.proxy))
    within_frame.stream:write(websocket.frame({ payload = "never", mask = "abcd" }):sub(1, 8))
    between:send_frame { payload = "never", final = false }
    eventually(function()
      return g:stats("r1").bytes_received == 8 + 11
    end)
    g.session:ok("DRAIN_START", "0")

    assert.equal(1001, within_frame:await_close().code)
    assert.equal(1001, between:await_close().code)
    eventually(function()
      return #why >= 3
    end)
    table.sort(why, function(x, y)
      return tostring(x) < tostring(y)
    end)
    assert.equal(1001, why[1]) -- between fragments a close frame can be put in
    assert.equal("reset", why[#why])
  end)

  it("leaves a close handshake that is under way to its ends", function()
    local got
    local o = origin.start(websocket.handler(function(peer)
      assert(peer:receive().code == 4000)
      loop.delay(0.5)
      peer:send("one more")
      peer:send_close(4000)
      got = peer:receive()
    end))
    local g = group.start({ o.url })
    local ws = assert(websocket.connect(g.proxy))
    ws:send_close(4000)
    eventually(function()
      return g:stats("r1").bytes_received == 8
    end)
    g.session:ok("DRAIN_START", "0")
    assert.equal("one more", ws:receive().payload)
    assert.equal(4000, ws:receive().code)
    ws.stream:close()
    loop.delay(0.05)
    assert.is_nil(got)
  end)

  it("ends what is no WebSocket, without a frame", function()
    local g, _, o = websockets.open(0)
    o:respond(function(request)
      request.stream:write(websocket.answer("chat") .. "bytes")
      request.stream:read_all()
      return { raw = "", close = true }
    end)
    local ws = assert(websocket.connect(g.proxy, { headers = { Upgrade = "chat" } }))
    assert.equal("bytes", ws.stream:read(5))
    g.session:ok("DRAIN_START", "0")
    assert.equal("", ws.stream:read_all())

    g.session:ok("DRAIN_CANCEL")
    o:respond(websocket.handler(function(peer)
      peer.stream:write("HTTP/1.1 200 OK\r\n")
      peer.stream:read_all()
    end))
    ws = assert(websocket.connect(g.proxy))
    assert.equal("HTTP/1.1 200 OK\r\n", ws.stream:read_until("\n"))
    g.session:ok("DRAIN_START", "0")
    assert.equal("", ws.stream:read_all())
  end)
end)

describe("a proxy that stops", function()
  it("closes its WebSockets evenly over timeouts.shutdown, with 1001 at both ends", function()
    local g, frames = websockets.open(40, { workers = 2, config = { timeouts = { shutdown = "4s" } } })
    g.proxy:signal("TERM")
    local start_ms = log_line.wall_ms(g.proxy:wait_log('time=(%S+) level=info msg="stopping"'))
    local times, whys = websockets.wait_ended(g, 40)

    assert.same({ shutdown = 40 }, whys)
    websockets.assert_even(times, start_ms, 3000, 2) -- a quarter is for the close handshakes
    assert.equal(0, g.proxy:wait_exit())
    websockets.assert_frames(frames, 40, "the proxy stops")
  end)

  it("does not wait for those that do not answer longer than that", function()
    local o = origin.start(websocket.handler(function()
      loop.delay(60)
    end))
    local g = group.start({ o.url }, { config = { timeouts = { shutdown = "1s" } } })
    local ws = assert(websocket.connect(g.proxy))
    ws.stream:write(websocket.frame({ payload = "never", mask = "abcd" }):sub(1, 8))
    g.proxy:signal("TERM")
    assert.equal(0, g.proxy:wait_exit())
  end)

  it("stops at once without any", function()
    local p = proxy.start()
    local from = loop.now()
    p:signal("TERM")
    assert.equal(0, p:wait_exit())
    assert.is_true(loop.now() - from < 5 * loop.SLOWNESS)
  end)
end)
