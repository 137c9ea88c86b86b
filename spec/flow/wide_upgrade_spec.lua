-- A request in the wide block that an earlier one has left behind.

local ffi = require("ffi")
local group = require("spec.support.group")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local sys = require("spec.support.sys")
local websocket = require("spec.support.websocket")

local KIB = 1024
local IPPROTO_TCP, TCP_MAXSEG = 6, 2
local TAKEN = 1

local function post(fields, body)
  local head = { { "Host", "a" }, { "Content-Length", tostring(#body) } }
  for _, field in ipairs(fields) do
    head[#head + 1] = field
  end
  return message.head("POST / HTTP/1.1", head)
end

--- A backend for which the kernel holds little, as behind a path that is no loopback: it answers an upgrade at once,
-- and takes the body when gate() says so.
local function narrow(gate, take)
  local o = origin.start(function(request)
    if not request.headers.Upgrade then
      message.read_body(request.stream, request.headers)
      return { body = "ok", close = true } -- the next one comes over a connection that has not learnt to hold more
    end
    request.stream:write(websocket.answer("chat"))
    loop.eventually(gate, 60)
    sys.set_buffers(request.stream.fd, 4096 * KIB) -- the rest is to come soon
    take(message.read_body(request.stream, request.headers))
    return { raw = "", close = true }
  end, { stream = true, receive_buffer = 8 * KIB })
  assert(ffi.C.setsockopt(o.listener:getfd(), IPPROTO_TCP, TCP_MAXSEG, ffi.new("int[1]", 1000), 4) == 0, sys.error())
  return o
end

describe("the body of an upgrade, behind a large request", function()
  it("waits in its block for a backend that has switched and takes nothing, and comes whole", function()
    local open, got = false, nil
    local o = narrow(function() return open end, function(body) got = body end)
    local p = group.start({ o.url }).proxy
    local c = p:connect { send_buffer = 512 * KIB }
    local first, second = ("a"):rep(90 * KIB), ("0123456789abcdef"):rep(1024 * KIB)
    c:send(post({}, first) .. first .. post({ { "Connection", "upgrade" }, { "Upgrade", "chat" } }, second))
    assert.equal(200, c:receive("POST").status)
    assert.truthy(message.read_head(c.stream).line:find(" 101 "))

    local sender = loop.spawn(function() c:send(second) end)
    local sent, since = -1, 0
    loop.eventually(function() -- all that fits has gone: the client is held up
      if c.stream.sent ~= sent then
        sent, since = c.stream.sent, loop.now()
      end
      return loop.now() - since > TAKEN
    end)
    assert.is_true(sent < #first + #second)
    assert.is_true(p:status().buffer_bytes > 0) -- it lives
    open = true
    loop.join(sender)
    loop.eventually(function() return got end)
    assert.is_true(got == second)
  end)
end)
