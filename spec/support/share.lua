--- How well a drain keeps its share: what was turned away in each tenth, against what should have been.
--
-- Requests do not come evenly on a busy machine, so what should have been is taken from the time of each request in the
-- access log, not from the middle of the tenth.

local loop = require("spec.support.loop")
local socket = require("socket")

local share = {}

--- The wall clock now, ms.
function share.now_ms()
  return socket.gettime() * 1000
end

--- Samples counters of a draining route at the end of each tenth.
-- @param sample function() -> turned away, taken: sums so far
-- @return list of { from_ms, to_ms (wall), turned, taken, unsure_ms: for how long altogether the counters at its ends
--   were on their way }
function share.sample(sample, start_ms, length_ms)
  local tenths = {}
  local function timed_sample()
    local asked_ms = share.now_ms()
    local turned, taken = sample()
    return turned, taken, share.now_ms() - asked_ms
  end
  local turned, taken, took_ms = timed_sample()
  local from_ms = share.now_ms()
  for i = 1, 10 do
    local to_ms = start_ms + length_ms * i / 10
    loop.delay(math.max(0, (to_ms - share.now_ms()) / 1000))
    local now_turned, now_taken, now_took_ms = timed_sample()
    tenths[i] = {
      from_ms = from_ms, to_ms = share.now_ms(), turned = now_turned - turned, taken = now_taken - taken,
      unsure_ms = took_ms + now_took_ms,
    }
    from_ms, turned, taken, took_ms = tenths[i].to_ms, now_turned, now_taken, now_took_ms
  end
  return tenths
end

--- The mean share that should have been turned away of the requests of a time.
-- @param times list of wall ms, in order
function share.expected(times, tenth, start_ms, length_ms)
  local sum, count = 0, 0
  for _, at in ipairs(times) do
    if at > tenth.from_ms and at <= tenth.to_ms then
      sum = sum + math.min(1, math.max(0, (at - start_ms) / length_ms))
      count = count + 1
    end
  end
  return sum / count, count
end

return share
