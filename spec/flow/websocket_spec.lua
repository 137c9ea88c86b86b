local group = require("spec.support.group")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local eventually = loop.eventually

local function echo(options)
  local o = origin.start(websocket.handler())
  return group.start({ o.url }, options), o
end

describe("a WebSocket", function()
  it("passes messages both ways, as they were framed", function()
    local g = echo()
    local ws = assert(websocket.connect(g.proxy))

    ws:send("hello")
    assert.same({ opcode = 1, payload = "hello", final = true, masked = false }, ws:receive())
    ws:send("\0\255", websocket.BINARY)
    assert.same({ opcode = 2, payload = "\0\255", final = true, masked = false }, ws:receive())
    assert.equal(1000, ws:close(1000).code)
  end)

  it("passes fragments, and pings between them", function()
    local frames = {}
    local o = origin.start(websocket.handler(function(peer)
      for i = 1, 4 do
        frames[i] = peer:receive()
      end
      peer:send_frame { payload = "a", final = false }
      peer:send_frame { opcode = websocket.PONG, payload = "p" }
      peer:send_frame { opcode = websocket.CONTINUATION, payload = "b" }
      peer:await_close()
    end))
    local ws = assert(websocket.connect(group.start({ o.url }).proxy))

    ws:send_frame { payload = "one", final = false }
    ws:send_frame { opcode = websocket.PING, payload = "p" }
    ws:send_frame { opcode = websocket.CONTINUATION, payload = "two", final = false }
    ws:send_frame { opcode = websocket.CONTINUATION, payload = "" }
    assert.equal("ab", ws:receive_message())
    assert.equal(1000, ws:close().code)
    assert.same({ 1, 9, 0, 0 }, { frames[1].opcode, frames[2].opcode, frames[3].opcode, frames[4].opcode })
    assert.same({ "one", "p", "two", "" },
      { frames[1].payload, frames[2].payload, frames[3].payload, frames[4].payload })
    assert.is_true(frames[1].masked)
  end)

  it("starts with the bytes that came with either head", function()
    local o = origin.start(websocket.handler(nil, { early = websocket.frame { payload = "first" } }))
    local g = group.start({ o.url })
    local ws = assert(websocket.connect(g.proxy, { early = websocket.frame { payload = "early", mask = "abcd" } }))

    assert.equal("first", ws:receive().payload)
    assert.equal("early", ws:receive().payload)
  end)

  it("gets the handshake's fields, and the client the backend's", function()
    local g, o = echo()
    local ws = assert(websocket.connect(g.proxy, { path = "/chat?x=1", headers = {
      ["Sec-WebSocket-Protocol"] = "chat", ["Sec-WebSocket-Extensions"] = "permessage-deflate",
    } }))
    local asked = o.requests[1].headers

    assert.equal("/chat?x=1", o.requests[1].target)
    assert.equal("upgrade", asked.Connection)
    assert.equal("websocket", asked.Upgrade)
    assert.equal(websocket.KEY, asked["Sec-WebSocket-Key"])
    assert.equal("chat", asked["Sec-WebSocket-Protocol"])
    assert.equal("permessage-deflate", asked["Sec-WebSocket-Extensions"])
    assert.equal("127.0.0.1", asked["X-Forwarded-For"])
    assert.equal("upgrade", ws.head.fields.Connection)
    assert.equal("websocket", ws.head.fields.Upgrade)
    assert.equal(websocket.ACCEPT, ws.head.fields["Sec-WebSocket-Accept"])
  end)

  it("carries large messages whole", function()
    local g = echo()
    local ws = assert(websocket.connect(g.proxy))
    local text = ("0123456789abcdef"):rep(3 * 65536)

    local sender = loop.spawn(function()
      assert(ws:send(text, websocket.BINARY))
    end)
    local got = ws:receive_message()
    loop.join(sender)
    assert.equal(#text, #got)
    assert.is_true(got == text)
  end)

  it("counts as a request when it opens, and its bytes as they pass", function()
    local g = echo()
    local ws = assert(websocket.connect(g.proxy))

    ws:send("hello")
    ws:receive()
    local stats
    eventually(function()
      stats = g:stats("r1")
      return stats.bytes_sent == 7 and stats.bytes_received == 11
    end)
    assert.same({ 1, 1, 1 }, { stats.requests, stats.tunnels, stats.tunnels_open })
    assert.equal(1, stats.status_codes["101"])
    assert.same({ 1, 1 }, { g:status("r1").in_flight, g:status("r1").tunnels_open })

    ws:close()
    eventually(function()
      return g:status("r1").in_flight == 0
    end)
    stats = g:stats("r1")
    assert.same({ 1, 1, 0, 0 }, { stats.requests, stats.tunnels, stats.tunnels_open, stats.errors })
  end)

  it("is a line in the access log when it has ended, with its bytes", function()
    local g = echo { config = { access_log = { format = "text" } } }
    local ws = assert(websocket.connect(g.proxy, { path = "/chat" }))

    ws:send("hello")
    ws:receive()
    assert.equal(0, #g.proxy:access_log())
    ws:close()
    eventually(function()
      return #g.proxy:access_log() == 1
    end)
    local line = g.proxy:access_log()[1]
    assert.same({ "GET", "/chat", "a.example", "101", "websocket", "done", "r1" },
      { line.method, line.path, line.host, line.status, line.tunnel, line["end"], line.route })
    assert.same({ "11", "19" }, { line.sent, line.received }) -- with the close frames
  end)

  it("needs HTTP/1.1", function()
    local o = origin.start()
    local g = group.start({ o.url })
    local r = g:get("/", { version = "1.0", headers = websocket.headers() })

    assert.equal(200, r.status)
    assert.is_nil(o.requests[1].headers.Upgrade)
  end)
end)

describe("the option websocket", function()
  it("takes the request to upgrade away when it is false", function()
    local o = origin.start()
    local g = group.start({ o.url }, { options = { websocket = "false" } })
    local c = g.proxy:connect()
    local r = c:request { path = "/", headers = websocket.headers() }

    assert.same({ 200, "ok" }, { r.status, r.body })
    assert.is_nil(o.requests[1].headers.Upgrade)
    assert.is_nil(o.requests[1].headers.Connection)
    assert.equal(200, c:request({ path = "/" }).status)
  end)
end)

describe("a request to upgrade", function()
  it("is an ordinary one when the backend answers anything but 101", function()
    local o = origin.start({ status = 404, body = "no" })
    local g = group.start({ o.url })
    local c = g.proxy:connect()

    for _ = 1, 2 do
      local r = c:request { path = "/", headers = websocket.headers() }
      assert.same({ 404, "no" }, { r.status, r.body })
      assert.is_nil(r.headers.Upgrade)
    end
    assert.same({ 2, 0 }, { g:stats("r1").requests, g:stats("r1").tunnels })
  end)

  it("is passed for other protocols, too, but never for a version of HTTP", function()
    local o = origin.start({ raw = websocket.answer("chat/2") .. "hi", close = true })
    local g = group.start({ o.url }, { config = { retries = 0 } })
    local ws = assert(websocket.connect(g.proxy, { headers = { Upgrade = "h2c, HTTP/2.0, chat/2" } }))

    assert.equal("chat/2", ws.head.fields.Upgrade)
    assert.equal("hi", ws.stream:read_all())
    assert.equal("chat/2", o.requests[1].headers.Upgrade)

    o:respond({ body = "ok" })
    local r = g:get("/", { headers = { Connection = "Upgrade", Upgrade = "h2c" } })
    assert.equal(200, r.status)
    assert.is_nil(o.requests[2].headers.Upgrade)
  end)

  it("has its body sent before the tunnel's bytes", function()
    local got
    local o = origin.start(function(request)
      request.stream:write(websocket.answer("chat"))
      got = request.stream:read(4)
      request.stream:write("pong")
      return { raw = "", close = true }
    end)
    local g = group.start({ o.url })
    local c = g.proxy:connect()

    c:send(message.head("POST / HTTP/1.1", { { "Host", "a" }, { "Connection", "upgrade" }, { "Upgrade", "chat" },
      { "Content-Length", "4" } }) .. "bodyping")
    assert.truthy(message.read_head(c.stream).line:find(" 101 "))
    assert.equal("pong", c.stream:read_all())
    assert.equal("body", o.requests[1].body)
    assert.equal("ping", got)
  end)

  it("lets the rest of a body follow an early 101", function()
    local body
    local o = origin.start(function(request)
      request.stream:write(websocket.answer("chat"))
      body = message.read_body(request.stream, request.headers) .. "/" .. request.stream:read(4)
      request.stream:write("pong")
      return { raw = "", close = true }
    end, { stream = true })
    local c = group.start({ o.url }).proxy:connect()

    c:send(message.head("POST / HTTP/1.1", { { "Host", "a" }, { "Connection", "upgrade" }, { "Upgrade", "chat" },
      { "Transfer-Encoding", "chunked" } }) .. "2\r\nbo\r\n")
    assert.truthy(message.read_head(c.stream).line:find(" 101 "))
    c:send("2\r\ndy\r\n0\r\n\r\nping")
    assert.equal("pong", c.stream:read_all())
    assert.equal("body/ping", body)
  end)

  it("is tried at another member when the first refuses the connection", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ origin.refusing_url(), o.url })

    for _ = 1, 4 do
      local ws = assert(websocket.connect(g.proxy))
      ws:send("x")
      assert.equal("x", ws:receive().payload)
      ws:close()
    end
    assert.is_true(g:status("r1").retries > 0)
  end)
end)

describe("an answer 101", function()
  local function status_of(raw, headers)
    local o = origin.start({ raw = raw, close = true })
    return group.start({ o.url }, { options = { retries = "0" } }):get("/", { headers = headers }).status
  end

  it("that nobody asked for is a bad response", function()
    assert.equal(502, status_of(websocket.answer()))
  end)

  it("to another protocol than was asked for is a bad response", function()
    assert.equal(502, status_of(websocket.answer("chat"), websocket.headers()))
  end)

  it("without Upgrade or without Connection is a bad response", function()
    assert.equal(502, status_of("HTTP/1.1 101 x\r\nConnection: upgrade\r\n\r\n", websocket.headers()))
    assert.equal(502, status_of("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", websocket.headers()))
  end)
end)
