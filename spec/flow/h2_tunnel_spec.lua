-- WebSocket and other tunnels over HTTP/2 (RFC 8441) to backends that speak HTTP/1.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local websocket = require("spec.support.websocket")

-- A backend that agrees; serve: function(stream, request). accept: another answer to the key.
local function backend(serve, accept, protocol)
  return origin.start(function(request)
    local fields = message.fields({ Connection = "Upgrade", Upgrade = protocol or "websocket", ["X-A"] = "b",
      ["Sec-WebSocket-Accept"] = accept or websocket.accept_of(request.headers["Sec-WebSocket-Key"] or "") })
    request.stream:write(message.head("HTTP/1.1 101 Switching Protocols", fields))
    serve(request.stream, request)
    return { raw = "", close = true }
  end, { stream = true })
end

local function start(o, options)
  local p = proxy.start { workers = 1, config = { access_log = { format = "text", file = "-" } },
    route = { to = o.url, host = "a.test", options = options or { websocket = "true", retries = "0" } } }
  return h2.connect(p.url), p
end

local function open(c, protocol, more)
  local request = { method = "CONNECT", protocol = protocol or "websocket", path = "/chat", body = false }
  for key, value in pairs(more or {}) do
    request[key] = value
  end
  local id = c:open(request)
  local s = c:stream_of(id)
  c:wait(function()
    return s.status or s.reset
  end)
  return s, id
end

describe("a tunnel over HTTP/2", function()
  it("is offered in SETTINGS", function()
    local c = start(origin.start())
    c:wait(function()
      return c.settings
    end)
    assert.equal(1, c.settings[h2.SETTINGS.ENABLE_CONNECT_PROTOCOL])
  end)

  it("carries a WebSocket: the backend sees a handshake of HTTP/1, the client none", function()
    local seen
    local o = backend(function(stream, request)
      seen = request
      websocket.echo(websocket.peer(stream, false))
    end)
    local c, p = start(o)
    local s, id = open(c, "websocket", { headers = { { "sec-websocket-version", "13" }, { "origin", "http://a" } } })

    assert.equal(200, s.status)
    assert.equal("b", s.headers["x-a"])
    assert.is_nil(s.headers["sec-websocket-accept"])
    assert.is_nil(s.headers["content-length"])
    local peer = websocket.peer(c:bytes(id), true)
    for _, text in ipairs({ "hello", ("x"):rep(20000), "" }) do
      peer:send(text)
      assert.equal(text, (peer:receive_message()))
    end
    peer:send_close(1000)
    c:wait(function()
      return s.ended or s.reset
    end)
    assert.equal("GET", seen.method)
    assert.equal("/chat", seen.target)
    assert.equal("a.test", seen.headers.Host)
    assert.equal("13", seen.headers["Sec-WebSocket-Version"])
    assert.equal(24, #seen.headers["Sec-WebSocket-Key"])
    c:data(id, "", true)
    loop.eventually(function()
      return #p:access_log() == 1
    end)
    assert.equal("HTTP/2", p:access_log()[1].protocol)
    assert.equal("websocket", p:access_log()[1].tunnel)
  end)

  it("is one of many streams, each with a key of its own", function()
    local keys = {}
    local o = backend(function(stream, request)
      keys[request.headers["Sec-WebSocket-Key"]] = true
      websocket.echo(websocket.peer(stream, false))
    end)
    local c = start(o)
    local peers = {}
    for i = 1, 10 do
      local s, id = open(c)
      assert.equal(200, s.status)
      peers[i] = websocket.peer(c:bytes(id), true)
    end
    for i, peer in ipairs(peers) do
      peer:send("text " .. i)
    end
    for i, peer in ipairs(peers) do
      assert.equal("text " .. i, (peer:receive_message()))
    end
    local count = 0
    for _ in pairs(keys) do
      count = count + 1
    end
    assert.equal(10, count)
  end)

  it("carries other protocols, whose client speaks first or ends first", function()
    local got
    local o = backend(function(stream)
      got = stream:read_all()
      stream:write("bye")
    end, "none", "tidal")
    local c = start(o)
    local id = c:open({ method = "CONNECT", protocol = "tidal", body = false })
    c:data(id, "early ")
    local s = c:stream_of(id)
    c:wait(function()
      return s.status
    end)
    c:data(id, "late", true)
    local r = c:response(id)
    assert.same({ 200, "bye", "early late" }, { r.status, r.text, got })
    assert.is_nil(r.reset)
  end)

  it("is refused where the backend's answer to the key is another's", function()
    local o = backend(function() end, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    local c = start(o)
    assert.equal(502, open(c).status)
    assert.equal(502, open(c).status)
  end)

  it("is refused where the backend does not switch: success would be taken for a tunnel", function()
    local o = origin.start(function(request)
      return { status = request.target == "/missing" and 404 or 200, body = "page" }
    end)
    local c = start(o)
    assert.equal(501, open(c).status)
    local s = open(c, "websocket", { path = "/missing" })
    assert.equal(404, s.status)
    assert.equal("page", c:response(s.id).text)
    assert.equal(200, c:request({ path = "/after" }).status)
  end)

  it("is refused where the route has none, and for protocols that would hide requests", function()
    local o = origin.start()
    local c = start(o, { websocket = "false" })
    assert.equal(501, open(c).status)
    assert.equal(0, o:count())
    c = start(o)
    assert.equal(501, open(c, "h2c").status)
    assert.equal(0, o:count())
  end)

  for name, request in pairs({
    ["with another method"] = { method = "GET" }, ["without :path"] = { path = false },
    ["without :scheme"] = { scheme = false }, ["of a protocol that is no token"] = { protocol = "a b" },
    ["with a length"] = { headers = { { "content-length", "3" } } },
  }) do
    it("is malformed " .. name, function()
      local c = start(origin.start())
      c:wait(function()
        return c.settings
      end)
      local s = open(c, nil, request)
      assert.is_true(s.reset == "PROTOCOL_ERROR" or s.status == 400)
    end)
  end

  it("that the backend breaks is reset", function()
    local o = backend(function(stream)
      stream:reset()
    end)
    local c = start(o)
    local s = open(c)
    c:wait(function()
      return s.reset
    end)
    assert.same({ 200, "INTERNAL_ERROR" }, { s.status, s.reset })
  end)

  it("that its client resets ends the backend's connection", function()
    local ended
    local o = backend(function(stream)
      ended = not stream:read(1)
    end)
    local c = start(o)
    local _, id = open(c)
    c:reset(id)
    assert.equal(501, open(c, "h2c").status)
    loop.eventually(function()
      return ended
    end)
  end)
end)
