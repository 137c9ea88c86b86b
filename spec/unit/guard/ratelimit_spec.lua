local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/ratelimit.h")

local SECOND, HOUR, YEAR = 1000, 3600 * 1000, 31557600 * 1000 -- in milliseconds
local CENTURY = 100 * YEAR

describe("rate limit", function()
  local limiter, now, result

  before_each(function()
    limiter = ffi.gc(lib.ratelimit_new(0), lib.ratelimit_free)
    now = 5000000000 -- microseconds
    result = ffi.new("struct ratelimit_result")
  end)

  local function rules(requests, window_ms)
    return ffi.new("struct ratelimit_rules", requests, window_ms)
  end

  local function take(limit, key)
    lib.ratelimit_take(limiter, key or 1, limit, now, result)
    return result.allowed
  end

  -- Takes count times; how many passed.
  local function take_many(count, limit, key)
    local passed = 0
    for _ = 1, count do
      passed = passed + (take(limit, key) and 1 or 0)
    end
    return passed
  end

  -- Compares the fields that expected names, all numbers.
  local function assert_result(expected)
    local got = {}
    for name in pairs(expected) do
      got[name] = tonumber(result[name])
    end
    assert.same(expected, got)
  end

  -- Requests, window in milliseconds.
  local PAIRS = {
    { 1, 1 }, { 1, SECOND }, { 1, YEAR }, { 1, CENTURY }, { 2, 1 }, { 3, SECOND }, { 7, 10 * SECOND },
    { 60, 60 * SECOND }, { 100, 1 }, { 1000, SECOND }, { 1000, YEAR }, { 1000, CENTURY }, { 10000, HOUR },
    { 999, 12345 },
  }

  -- How many requests to wait for one by one: a kernel's clock ends after 292 years.
  local function rounds(pair)
    return math.min(20, math.floor(1.5 * CENTURY / pair[2] * pair[1]))
  end

  for _, pair in ipairs(PAIRS) do
    local requests, window = pair[1], pair[2]
    local name = ("of %d in %.0f ms"):format(requests, window)

    it(name .. " lets exactly that many pass at once", function()
      assert.equal(requests, take_many(requests, rules(requests, window)))
      assert.equal(0, take_many(3, rules(requests, window)))
    end)

    it(name .. " lets one more pass at each window / requests, and not a microsecond before", function()
      local limit, start = rules(requests, window), now
      take_many(requests, limit)
      for i = 1, rounds(pair) do
        -- In whole nanoseconds, seen by a clock of microseconds.
        local due = math.ceil(i * math.floor(window * 1e6 / requests) / 1000)
        local before = math.ceil((i - 1) * math.floor(window * 1e6 / requests) / 1000)
        if due - 1 > before then
          now = start + due - 1
          assert.is_false(take(limit))
        end
        now = start + due
        assert.is_true(take(limit))
        assert.is_false(take(limit))
      end
    end)

    it(name .. " is whole again after a window", function()
      take_many(requests, rules(requests, window))
      now = now + window * 1000
      assert.equal(requests, take_many(requests + 3, rules(requests, window)))
    end)
  end

  it("of 10^9 in a second counts single requests", function()
    take(rules(1, 999))                        -- owes 999 ms
    take_many(999, rules(1000000, SECOND))     -- a microsecond each: owes 999.999 ms
    assert.equal(1000, take_many(1003, rules(1e9, SECOND)))
    now = now + 1
    assert.equal(1000, take_many(1003, rules(1e9, SECOND)))
  end)

  it("of 10^9 tells what remains exactly", function()
    for _, window in ipairs({ 1, SECOND, YEAR, CENTURY }) do
      take(rules(1e9, window), window)
      assert_result({ remaining = 1e9 - 1, retry_after_ms = 0 })
      take(rules(1e9, window), window)
      assert_result({ remaining = 1e9 - 2 })
    end
  end)

  it("tells what remains, down to none", function()
    local limit = rules(5, SECOND)
    for left = 4, 0, -1 do
      assert.is_true(take(limit))
      assert_result({ remaining = left, retry_after_ms = 0, reset_ms = (5 - left) * 200 })
    end
    assert.is_false(take(limit))
    assert_result({ remaining = 0, retry_after_ms = 200, reset_ms = 1000 })
  end)

  it("rounds the times it tells up", function()
    local limit, start = rules(1, SECOND), now
    take(limit)
    for _, case in ipairs({ { 1, 1000 }, { 999, 1000 }, { 1000, 999 }, { 998999, 2 }, { 999000, 1 }, { 999999, 1 } }) do
      now = start + case[1]
      assert.is_false(take(limit))
      assert_result({ retry_after_ms = case[2], reset_ms = case[2] })
    end
  end)

  it("lets a request pass that comes when it was told to", function()
    for _, pair in ipairs(PAIRS) do
      limiter = ffi.gc(lib.ratelimit_new(0), lib.ratelimit_free)
      local limit = rules(pair[1], pair[2])
      take_many(pair[1] + 1, limit)
      for _ = 1, rounds(pair) do
        now = now + tonumber(result.retry_after_ms) * 1000
        assert.is_true(take(limit))
        take_many(pair[1], limit)
      end
      now = now + tonumber(result.reset_ms) * 1000
      assert.equal(pair[1], take_many(pair[1] + 1, limit))
    end
  end)

  it("takes nothing for a request that it refuses", function()
    local limit, start = rules(10, SECOND), now
    take_many(10, limit)
    for us = 1, 99999, 13 do
      now = start + us
      assert.is_false(take(limit))
    end
    now = start + 100000
    assert.is_true(take(limit))
    assert_result({ reset_ms = 1000 })
  end)

  it("lets no more pass for a clock that is behind another", function()
    local limit, start = rules(10, SECOND), now
    assert.equal(10, take_many(10, limit))
    for behind = 0, 5000000, 50000 do
      now = start - behind
      assert.is_false(take(limit))
      now = start
      assert.is_false(take(limit))
    end
    now = start + 100000
    assert.equal(1, take_many(3, limit))
  end)

  context("whose rules become smaller", function()
    it("refuses at once and tells a wait by the new rules", function()
      take_many(1000, rules(1000, YEAR))
      assert.is_false(take(rules(10, SECOND)))
      assert_result({ retry_after_ms = 100, reset_ms = 1000, remaining = 0 })
      now = now + 100000
      assert.equal(1, take_many(3, rules(10, SECOND)))
    end)

    it("still counts what was taken under the old ones", function()
      take_many(50, rules(100, 100 * SECOND)) -- owes 50 s of 100 s
      assert.equal(5, take_many(10, rules(10, 100 * SECOND)))
    end)
  end)

  it("whose rules become larger lets more pass at once", function()
    assert.equal(10, take_many(12, rules(10, 10 * SECOND)))
    assert.equal(90, take_many(200, rules(100, 100 * SECOND)))
  end)

  it("holds rules to 10^9 requests and 100 years", function()
    take(rules(0xffffffffffffffffULL, SECOND))
    assert_result({ remaining = 1e9 - 1 })
    take(rules(1, 0xffffffffffffffffULL), 2)
    assert.is_false(take(rules(1, 0xffffffffffffffffULL), 2))
    assert_result({ retry_after_ms = CENTURY, reset_ms = CENTURY })
  end)

  it("does not overflow when the clock has run for 292 years", function()
    now = math.floor(2 ^ 63 / 1000)
    for key, requests in ipairs({ 1, 3, 1000 }) do
      assert.equal(requests, take_many(requests + 1, rules(requests, CENTURY), key))
      assert.is_false(take(rules(requests, CENTURY), key))
      assert.is_true(math.abs(tonumber(result.reset_ms) - CENTURY) <= 1)
    end
  end)

  it("works from the first microsecond on", function()
    now = 0
    assert.equal(3, take_many(5, rules(3, SECOND)))
  end)
end)
