--- WebSockets that are open when something happens to their member, and how they ended.

local assert = require("luassert")
local cleanup = require("spec.support.cleanup")
local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local web = require("spec.support.web")
local websocket = require("spec.support.websocket")

local websockets = {}

--- HTTP/1: the connection itself, once it is upgraded.
local function connect_by_upgrade(p, way)
  local bytes = web.connect(p, way)
  assert(bytes:write(websocket.request { host = web.HOST }))
  local head = message.read_head(bytes)
  local status = tonumber(head.line:match("^HTTP/1%.1 (%d+)"))
  if status ~= 101 then
    return nil, status
  end
  return cleanup.add(websocket.peer(bytes, true)) -- left open, it would hold up the end of the proxy
end

--- HTTP/2: a stream of a connection.
-- @param c connection
function websockets.stream(c, way)
  local id = c:open { method = "CONNECT", protocol = "websocket", path = "/", scheme = way.tls and "https" or "http",
    headers = { { "sec-websocket-version", "13" } }, body = false }
  local s = c:stream_of(id)
  c:wait(function() return s.status or s.reset end)
  if s.status ~= 200 then
    return nil, s.status
  end
  local bytes = c:bytes(id)
  function bytes.read_all()
    c:wait(function() return s.ended or s.reset end)
  end
  function bytes.close()
    c:data(id, "", true)
    c:close()
  end
  return websocket.peer(bytes, true), id
end

--- Opens a WebSocket in one of web.WAYS, on a connection of its own.
-- @return peer; nil, status
function websockets.connect(p, way)
  if way.version == 1 then
    return connect_by_upgrade(p, way)
  end
  return websockets.stream(h2.over(web.connect(p, way), { authority = web.HOST }), way)
end

local stalled_ms = 0

-- A tunnel has ended when both ends have answered, and they are in this process: while it does not run, none ends.
local function watch_stalls()
  stalled_ms = 0
  while true do
    local before = loop.now()
    loop.delay(0.01)
    stalled_ms = stalled_ms + math.max(0, (loop.now() - before) * 1000 - 50)
  end
end

local function keep_close(list, peer)
  local frame = peer:await_close()
  if frame then
    list[#list + 1] = frame
  end
end

--- A proxy with one member whose backend keeps the close frames it gets, and count open WebSockets that answer theirs.
-- @param options of group.start; way: one of web.WAYS (default: HTTP/1.1)
function websockets.open(count, options)
  options = options or {}
  options.config = options.config or {}
  options.config.access_log = { format = "text" }
  local frames = { client = {}, backend = {} }
  local o = origin.start(websocket.handler(function(peer)
    keep_close(frames.backend, peer)
  end))
  local g = group.start({ o.url }, options.way and web.listening(options) or options)
  loop.spawn(watch_stalls)
  for _ = 1, count do
    local ws = assert(websockets.connect(g.proxy, options.way or web.WAYS[1]))
    ws.stream.timeout = 60
    loop.spawn(function()
      keep_close(frames.client, ws)
      ws.stream:read_all()
      ws.stream:close()
    end)
  end
  return g, frames, o
end

--- Wall clock ms at which tunnels ended, and how, oldest first.
function websockets.ends(g)
  local times, whys = {}, {}
  for _, line in ipairs(g.proxy:access_log()) do
    if line.tunnel then
      times[#times + 1] = log_line.wall_ms(line.time)
      whys[line["end"]] = (whys[line["end"]] or 0) + 1
    end
  end
  return times, whys
end

--- Waits until as many have ended.
function websockets.wait_ended(g, count)
  loop.eventually(function()
    return #websockets.ends(g) == count
  end, 30)
  return websockets.ends(g)
end

--- Each tunnel ends at its rank's time: no earlier than two ranks a worker before, late only as a busy machine is.
-- Of tunnels of websockets.open.
function websockets.assert_even(times, start_ms, length_ms, workers)
  for i, time in ipairs(times) do
    local due_ms = (i - 0.5) / #times * length_ms
    local slack_ms = 2 * workers / #times * length_ms
    local text = ("tunnel %d of %d ended after %d ms, not about %d"):format(i, #times, time - start_ms, due_ms)
    assert.is_true(time - start_ms >= due_ms - slack_ms, text)
    assert.is_true(time - start_ms <= due_ms + slack_ms + 600 * loop.SLOWNESS + stalled_ms, text)
  end
end

--- Both ends of as many got a close frame with 1001 and this reason.
function websockets.assert_frames(frames, count, reason)
  for _, side in ipairs({ frames.client, frames.backend }) do
    assert.equal(count, #side)
    for _, frame in ipairs(side) do
      assert.same({ 1001, reason }, { frame.code, frame.reason })
    end
  end
end

return websockets
