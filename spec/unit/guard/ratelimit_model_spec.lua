local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/ratelimit.h")

-- The same limit told another way: a bucket that each request fills by window / requests and time
-- empties. Nanoseconds in doubles: exact below 2^53, 104 days.
local function model_take(bucket, requests, window_ms, now_us)
  local each = math.max(1, math.floor(window_ms * 1e6 / requests))
  local full = each * requests
  local level = math.max(0, bucket.level - (now_us - bucket.now) * 1000)
  level = math.min(level, full)
  local allowed = level + each <= full
  local wait = math.max(0, level + each - full)
  if allowed then
    level = level + each
  end
  bucket.level, bucket.now = level, now_us
  local remaining = 0
  while allowed and remaining < requests and level + (remaining + 1) * each <= full do
    remaining = remaining + 1
  end
  return { allowed, remaining, math.ceil(level / 1e6), math.ceil(wait / 1e6) }
end

local function pick(list)
  return list[math.random(#list)]
end

local REQUESTS = { 1, 2, 3, 5, 7, 10, 33, 100 }
local WINDOWS = { 1, 2, 10, 333, 1000, 60000, 3600000 }

-- How far the clock goes until the next take, in microseconds: not at all, a little, to the time
-- that was told, about one request's worth, a long pause.
local function step(requests, window, last)
  return pick({
    function() return 0 end,
    function() return math.random(0, 3) end,
    function() return last[4] * 1000 end,
    function() return math.max(0, math.floor(window * 1000 / requests) + math.random(-2, 2)) end,
    function() return math.random(0, math.min(window, 60000) * 2000) end,
  })()
end

-- One round of 500 takes by seven sources; what is said when it goes wrong begins with name.
local function play(name)
  local limiter = ffi.gc(lib.ratelimit_new(0), lib.ratelimit_free)
  local rules, result = ffi.new("struct ratelimit_rules"), ffi.new("struct ratelimit_result")
  local requests, window, now = pick(REQUESTS), pick(WINDOWS), math.random(0, 1e9)
  local buckets, last, seen = {}, { false, 0, 0, 0 }, 0
  for number = 1, 500 do
    if math.random(50) == 1 then
      requests, window = pick(REQUESTS), pick(WINDOWS)
    end
    now = now + step(requests, window, last)
    -- Some come with a clock that is behind: the newest time that was seen counts.
    local told = math.random(10) == 1 and math.max(0, now - math.random(0, 5000)) or now
    seen = math.max(seen, told)
    local key = math.random(7)
    buckets[key] = buckets[key] or { level = 0, now = seen }
    last = model_take(buckets[key], requests, window, seen)
    rules.requests, rules.window_ms = requests, window
    lib.ratelimit_take(limiter, key, rules, told, result)
    local got = { result.allowed, tonumber(result.remaining), tonumber(result.reset_ms),
      tonumber(result.retry_after_ms) }
    assert.same(last, got, ("%s, take %d: %d in %d ms at %.0f us"):format(name, number, requests, window, told))
  end
end

describe("rate limit", function()
  it("does what a leaky bucket does, at random times, with rules that change", function()
    local seed = os.time()
    math.randomseed(seed)
    for round = 1, 40 do
      play(("seed %d, round %d"):format(seed, round))
    end
  end)
end)
