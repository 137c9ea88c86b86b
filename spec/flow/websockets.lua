--- WebSockets that are open when something happens to their member, and how they ended.

local assert = require("luassert")
local group = require("spec.support.group")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local websockets = {}

local function keep_close(list, peer)
  local frame = peer:await_close()
  if frame then
    list[#list + 1] = frame
  end
end

--- A proxy with one member whose backend keeps the close frames it gets, and count open WebSockets that answer theirs.
function websockets.open(count, options)
  options = options or {}
  options.config = options.config or {}
  options.config.access_log = { format = "text" }
  local frames = { client = {}, backend = {} }
  local o = origin.start(websocket.handler(function(peer)
    keep_close(frames.backend, peer)
  end))
  local g = group.start({ o.url }, options)
  for _ = 1, count do
    local ws = assert(websocket.connect(g.proxy))
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
function websockets.assert_even(times, start_ms, length_ms, workers)
  for i, time in ipairs(times) do
    local due_ms = (i - 0.5) / #times * length_ms
    local slack_ms = 2 * workers / #times * length_ms
    local text = ("tunnel %d of %d ended after %d ms, not about %d"):format(i, #times, time - start_ms, due_ms)
    assert.is_true(time - start_ms >= due_ms - slack_ms, text)
    assert.is_true(time - start_ms <= due_ms + slack_ms + 600 * loop.SLOWNESS, text)
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
