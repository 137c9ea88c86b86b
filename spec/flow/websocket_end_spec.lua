local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local eventually = loop.eventually

local function open(serve, options)
  options = options or {}
  options.config = options.config or {}
  options.config.access_log = { format = "text" }
  local o = origin.start(websocket.handler(serve))
  local g = group.start({ o.url }, options)
  return assert(websocket.connect(g.proxy)), g, o
end

--- The access log's word for how the only tunnel ended.
local function end_of(g)
  return eventually(function()
    local line = g.proxy:access_log()[1]
    return line and line["end"]
  end)
end

describe("a tunnel", function()
  it("lets the backend finish when the client has ended, and the other way round", function()
    local heard
    local ws, g = open(function(peer)
      heard = peer.stream:read_all()
      peer.stream:write("last words")
    end)
    ws.stream:write("from the client")
    ws.stream:shutdown()
    assert.equal("last words", ws.stream:read_all())
    assert.equal("from the client", heard)
    assert.equal("done", end_of(g))

    ws, g = open(function(peer)
      peer.stream:write("from the backend")
      peer.stream:shutdown()
      heard = peer.stream:read_all()
    end)
    assert.equal("from the backend", ws.stream:read_all())
    ws.stream:write("last words")
    ws.stream:close()
    assert.equal("done", end_of(g))
    assert.equal("last words", heard)
  end)

  it("with one end ended does not wait for the other for ever", function()
    local ws, g = open(function(peer)
      peer.stream:read_all()
      peer.stream:read(1) -- says nothing, does not close
      loop.delay(60)
    end, { config = { timeouts = { tunnel_close = "100ms" } } })
    ws.stream:shutdown()
    assert.equal("", ws.stream:read_all())
    assert.equal("done", end_of(g))
  end)

  it("resets the client when the backend's connection breaks, behind what came before", function()
    local ws, g, o = open(function(peer)
      peer:send("before")
      peer:receive()
    end)
    assert.equal("before", ws:receive().payload)
    o:kill()
    local _, err = ws.stream:read_all()
    assert.equal("reset", err)
    assert.equal("backend", end_of(g))
    loop.soon(function() assert.equal(1, g:stats("r1").errors) end)
  end)

  it("resets the backend when the client's connection breaks", function()
    local why
    local ws, g = open(function(peer)
      why = select(2, peer:receive())
    end)
    ws.stream:reset()
    assert.equal("client", end_of(g))
    eventually(function()
      return why == "reset"
    end)
  end)

  it("passes on an answer 101 and its bytes that come in pieces, cut anywhere", function()
    local text = websocket.answer() .. websocket.frame { payload = "one" } .. websocket.frame { payload = "two" }
    local cut = 0
    local o = origin.start(function(request)
      request.stream:write(text:sub(1, cut))
      loop.delay(0.001)
      request.stream:write(text:sub(cut + 1))
      websocket.echo(websocket.peer(request.stream))
      return { raw = "", close = true }
    end)
    local g = group.start({ o.url })
    for i = 1, #text - 1 do
      cut = i
      local ws = assert(websocket.connect(g.proxy))
      assert.same({ "one", "two" }, { ws:receive().payload, ws:receive().payload })
      ws:close()
    end
  end)

  it("takes a request to upgrade and its first bytes in pieces, cut anywhere", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ o.url })
    local text = websocket.request() .. websocket.frame { payload = "one", mask = "abcd" }
    for cut = 1, #text - 1 do
      local stream = g.proxy:connect().stream
      stream:write(text:sub(1, cut))
      loop.delay(0.001)
      stream:write(text:sub(cut + 1))
      assert(stream:read_until("\r\n\r\n"))
      local ws = websocket.peer(stream, true)
      assert.equal("one", ws:receive().payload)
      ws:close()
    end
  end)

  it("passes what is no WebSocket, too", function()
    local got
    local ws, g = open(function(peer)
      got = peer.stream:read(7)
      peer.stream:write("\255\255garbage")
    end)
    ws.stream:write("garbage")
    assert.equal("\255\255garbage", ws.stream:read_all())
    assert.equal("garbage", got)
    ws.stream:close()
    assert.equal("done", end_of(g))
  end)
end)

describe("an idle tunnel", function()
  local function idle(options)
    local backend = {}
    local ws, g = open(function(peer)
      backend.frame = peer:await_close()
    end, options)
    return ws, g, backend
  end

  it("is closed with 1001 at both ends after the option websocket_idle", function()
    local ws, g, backend = idle { options = { websocket_idle = "150ms" } }
    local frame = ws:await_close()

    assert.same({ 1001, "idle for too long", false }, { frame.code, frame.reason, frame.masked })
    assert.equal("idle", end_of(g))
    assert.same({ 1001, true }, { backend.frame.code, backend.frame.masked })
  end)

  it("is closed after timeouts.tunnel without the option, or when it is 0", function()
    local ws, g = idle { config = { timeouts = { tunnel = "150ms" } }, options = { websocket_idle = "0" } }
    assert.equal(1001, ws:await_close().code)
    assert.equal("idle", end_of(g))
  end)

  it("stays while bytes pass in one direction", function()
    local ws, g = open(function(peer)
      repeat
        loop.delay(0.1)
      until not peer:send("tick")
    end, { options = { websocket_idle = "1s" } })
    local from = loop.now()
    while loop.now() < from + 2 do
      assert.equal("tick", ws:receive().payload)
    end
    assert.equal(1, g:stats("r1").tunnels_open)
  end)

  it("whose ends do not answer the close frame ends all the same", function()
    local ws, g = open(function()
      loop.delay(60)
    end, { options = { websocket_idle = "100ms" } })
    assert.equal(1001, ws:receive().code)
    assert.equal("", ws.stream:read_all())
    assert.equal("idle", end_of(g))
  end)

  it("of another protocol just ends", function()
    local o = origin.start(function(request)
      request.stream:write(websocket.answer("chat"))
      request.stream:read_all()
      return { raw = "", close = true }
    end)
    local g = group.start({ o.url }, { options = { websocket_idle = "100ms" } })
    local ws = assert(websocket.connect(g.proxy, { headers = { Upgrade = "chat" } }))
    assert.equal("", ws.stream:read_all())
  end)
end)

describe("the option websocket_max_age", function()
  it("closes a busy tunnel in time, but not much earlier", function()
    local ws, g = open(nil, { options = { websocket_max_age = "1s" } })
    local from = loop.now()
    repeat
      ws:send("x")
      local payload, frame = ws:receive_message()
      if not payload then
        assert.same({ 1001, "open for long enough" }, { frame.code, frame.reason })
        ws:send_close(1001)
      end
    until not payload
    assert.is_true(loop.now() - from >= 0.85)
    assert.equal("age", end_of(g))
  end)
end)

describe("the option websocket_max", function()
  it("refuses one more with 503, and counts it, until one ends", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ o.url }, { workers = 2, options = { websocket_max = "3" } })
    local open_ones = {}
    for i = 1, 3 do
      open_ones[i] = assert(websocket.connect(g.proxy))
    end
    for _ = 1, 6 do
      local ws, head = websocket.connect(g.proxy)
      assert.is_nil(ws)
      assert.truthy(head.line:find(" 503 "))
      assert.truthy(head.fields["Proxy-Status"]:find("connection_limit_reached", 1, true))
    end
    loop.soon(function() assert.equal(6, g:stats("r1").rejected.tunnels) end)
    assert.equal(503, g:get("/", { headers = websocket.headers() }).status)

    open_ones[1]:close()
    eventually(function()
      return websocket.connect(g.proxy)
    end)
  end)

  it("does not count requests that were not answered with 101", function()
    local o = origin.start()
    local g = group.start({ o.url }, { options = { websocket_max = "1" } })
    for _ = 1, 3 do
      assert.equal(200, g:get("/", { headers = websocket.headers() }).status)
    end
  end)

  it("sends what is too much for one member to another", function()
    local a, b = origin.start(websocket.handler()), origin.start(websocket.handler())
    local g = group.start({ a.url, b.url }, { options = { websocket_max = "2" } })
    for _ = 1, 4 do
      assert(websocket.connect(g.proxy))
    end
    assert.same({ 2, 2 }, { a:count(), b:count() })
    assert.is_nil((websocket.connect(g.proxy)))
  end)
end)
