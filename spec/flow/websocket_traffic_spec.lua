local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local TEXT = ("the quick brown fox jumps over the lazy dog "):rep(1500)

--- Sends a message of any size in any fragments.
local function send_some(ws)
  local text = TEXT:sub(1, math.random(0, #TEXT))
  local at, opcode = 1, websocket.TEXT
  repeat
    local last = math.random() < 0.4 and #text or math.min(#text, at + math.random(0, 20000))
    local ok = ws:send_frame { opcode = opcode, payload = text:sub(at, last), final = last == #text }
    if not ok then
      return nil
    end
    opcode, at = websocket.CONTINUATION, last + 1
  until last == #text
  return text
end

--- Echoes are compared until the close frame.
-- @return how it ended, number of messages that came back
local function talk(ws)
  for i = 0, math.huge do
    local sent = send_some(ws)
    local got, frame = ws:receive_message()
    if not got then
      ws:send_close(1001)
      return type(frame) == "table" and frame.code or frame, i
    end
    if got ~= sent then
      return "another message than was sent", i
    end
  end
end

--- What a backend sees: whole messages, then a close frame.
local function backend(ends)
  return websocket.handler(function(peer)
    while true do
      local got, frame = peer:receive_message()
      if not got then
        ends[#ends + 1] = type(frame) == "table" and frame.code or frame
        peer:send_close(1001)
        return
      elseif got ~= TEXT:sub(1, #got) then
        ends[#ends + 1] = "a message that nobody sent"
        return
      end
      peer:send(got)
    end
  end)
end

local function all(count, value)
  local list = {}
  for i = 1, count do
    list[i] = value
  end
  return list
end

local COUNT = 24

--- Talks over many WebSockets until something closes them.
-- @return how they ended at clients and at backends, messages in all
local function talk_until(options, close)
  local at_backends, at_clients, messages, tasks = {}, {}, 0, {}
  local o = origin.start(backend(at_backends))
  options.workers = 2
  local g = group.start({ o.url }, options)
  for i = 1, COUNT do
    local ws = assert(websocket.connect(g.proxy))
    ws.stream.timeout = 60
    tasks[i] = loop.spawn(function()
      local how, count = talk(ws)
      at_clients[#at_clients + 1], messages = how, messages + count
      ws.stream:close()
    end)
  end
  close(g)
  for _, task in ipairs(tasks) do
    loop.join(task, 60)
  end
  loop.eventually(function()
    return #at_backends == COUNT
  end)
  return at_clients, at_backends, messages, g
end

describe("busy WebSockets", function()
  it("lose no part of a message when their member drains", function()
    local at_clients, at_backends, messages = talk_until({}, function(g)
      g.session:ok("DRAIN_START", "2s")
    end)
    assert.same(all(COUNT, 1001), at_clients)
    assert.same(all(COUNT, 1001), at_backends)
    assert.is_true(messages > COUNT)
  end)

  it("stay whole through applies, drains that are cancelled, and the end of their route", function()
    local at_clients, at_backends = talk_until({ config = { timeouts = { tunnel_close = "1s" } } }, function(g)
      for i = 1, 20 do
        g.session:ok("ROUTE_UPDATE", "r1", "priority", i)
        g.session:ok("CONFIG_APPLY")
        g.session:ok("DRAIN_START", "60s")
        loop.delay(0.05)
        g.session:ok("DRAIN_CANCEL")
      end
      g.session:ok("ROUTE_REMOVE", "r1")
      g.session:ok("CONFIG_APPLY")
    end)
    assert.same(all(COUNT, 1001), at_clients)
    assert.same(all(COUNT, 1001), at_backends)
  end)

  it("stay whole when the proxy stops", function()
    local at_clients, at_backends = talk_until({ config = { timeouts = { shutdown = "8s" } } }, function(g)
      g.proxy:signal("TERM")
      g.proxy.expected_end = true
    end)
    assert.same(all(COUNT, 1001), at_clients)
    assert.same(all(COUNT, 1001), at_backends)
  end)
end)
