-- A request in the wide block that an earlier one has left behind.

local ffi = require("ffi")
local group = require("spec.support.group")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local sys = require("spec.support.sys")
local websocket = require("spec.support.websocket")

local KIB = 1024
local WIDE = 256 * KIB
local IPPROTO_TCP, TCP_MAXSEG = 6, 2
local FIRST, SECOND = ("a"):rep(90 * KIB), ("0123456789abcdef"):rep(128 * KIB)

local function post(fields, body)
  local head = { { "Host", "a" }, { "Content-Length", tostring(#body) } }
  for _, field in ipairs(fields) do
    head[#head + 1] = field
  end
  return message.head("POST / HTTP/1.1", head)
end

--- A backend for which the kernel holds little, as behind a path that is no loopback: it answers an upgrade at once, and
-- takes the body when gate() says so.
local function narrow(gate, take)
  local o = origin.start(function(request)
    if not request.headers.Upgrade then
      message.read_body(request.stream, request.headers)
      return { body = "ok", close = true } -- the next one comes over a connection that has not learnt to hold more
    end
    request.stream:write(websocket.answer("chat"))
    loop.eventually(gate, 60)
    take(message.read_body(request.stream, request.headers))
    return { raw = "", close = true }
  end, { stream = true, receive_buffer = 8 * KIB })
  assert(ffi.C.setsockopt(o.listener:getfd(), IPPROTO_TCP, TCP_MAXSEG, ffi.new("int[1]", 1000), 4) == 0, sys.error())
  return o
end

--- A client whose upgrade stands in a wide block, its body still to come.
local function upgraded(p)
  local client
  loop.eventually(function() -- where the bytes come in pieces there is none
    local c = p:connect()
    c:send(post({}, FIRST) .. FIRST .. post({ { "Connection", "upgrade" }, { "Upgrade", "chat" } }, SECOND))
    assert.equal(200, c:receive("POST").status)
    assert.truthy(message.read_head(c.stream).line:find(" 101 "))
    client = p:status().buffer_bytes >= WIDE and c
    return client or c:close()
  end)
  return client
end

--- Waits until nothing more of what the client sends goes out.
local function held_up(c)
  local sent, since = -1, 0
  loop.eventually(function()
    if c.stream.sent ~= sent then
      sent, since = c.stream.sent, loop.now()
    end
    return loop.now() - since > 1
  end)
end

describe("the body of an upgrade, behind a large request", function()
  it("waits in its block for a backend that has switched and takes nothing, and comes whole", function()
    local open, got = false, nil
    local o = narrow(function() return open end, function(body) got = body end)
    local p = group.start({ o.url }).proxy
    local c = upgraded(p)
    local sender = loop.spawn(function() c:send(SECOND) end)
    held_up(c)
    assert.is_true(p:status().buffer_bytes >= WIDE)
    open = true
    loop.join(sender)
    loop.eventually(function() return got end)
    assert.is_true(got == SECOND)
  end)
end)
