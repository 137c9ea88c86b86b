local stress = require("spec.unit.guard.stress")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("guard/failure_window.h")

local WINDOW = 10000

describe("failure window", function()
  local window, now

  before_each(function()
    window = ffi.new("struct failure_window")
    now = 5000000
  end)

  local function add(count, failed, window_ms)
    for _ = 1, count do
      lib.failure_window_add(window, failed, window_ms or WINDOW, now)
    end
  end

  -- Requests and failures of the last window_ms, as numbers.
  local function sum(window_ms)
    local requests, failures = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]")
    lib.failure_window_sum(window, window_ms or WINDOW, now, requests, failures)
    return { tonumber(requests[0]), tonumber(failures[0]) }
  end

  it("counts nothing at first", function()
    assert.same({ 0, 0 }, sum())
  end)

  it("counts requests, and of them those that failed", function()
    add(7, false)
    add(3, true)
    assert.same({ 10, 3 }, sum())
  end)

  it("adds to what it is given, so that several can be summed", function()
    local requests, failures = ffi.new("uint64_t[1]", 100), ffi.new("uint64_t[1]", 10)
    add(2, true)
    lib.failure_window_sum(window, WINDOW, now, requests, failures)
    assert.equal(102, tonumber(requests[0]))
    assert.equal(12, tonumber(failures[0]))
  end)

  it("counts until the window is over and not longer", function()
    add(4, true)
    now = now + WINDOW - 1
    assert.same({ 4, 4 }, sum())
    now = now + 1
    assert.same({ 0, 0 }, sum())
  end)

  it("counts all of the last nine tenths and nothing older than the window", function()
    local first = now
    for step = 0, 2999 do
      now = first + step * 10
      add(1, step % 2 == 0)
      local requests = sum()[1]
      assert.is_true(requests >= math.min(step + 1, 900))
      assert.is_true(requests <= 1000)
    end
    assert.equal(sum()[1], sum()[2] * 2)
  end)

  it("after a long pause counts what is new only", function()
    add(5, true)
    now = now + 86400 * 1000
    assert.same({ 0, 0 }, sum())
    add(1, false)
    assert.same({ 1, 0 }, sum())
  end)

  it("can be summed over less than it is kept for", function()
    add(5, true)
    now = now + 3000
    add(2, false)
    assert.same({ 2, 0 }, sum(3000))
    assert.same({ 7, 5 }, sum(3001))
  end)

  it("may be made shorter and longer while it counts", function()
    add(5, true)
    now = now + 2000
    add(1, false, 1000)
    assert.same({ 1, 0 }, sum(1000))
    assert.same({ 6, 5 }, sum())
    now = now + 50000
    add(1, false, 60000)
    assert.same({ 7, 5 }, sum(60000))
  end)

  it("takes the shortest windows", function()
    for _ = 1, 30 do
      add(2, true, 1)
      assert.same({ 2, 2 }, sum(1))
      now = now + 1
      assert.same({ 0, 0 }, sum(1))
    end
    add(1, true, 0)
    assert.same({ 0, 0 }, sum(0))
  end)

  it("counts what a writer ahead of the reader's time has counted", function()
    add(3, true)
    now = now - 20
    assert.same({ 3, 3 }, sum())
  end)

  it("stops at the most that a slot can count", function()
    add(1, true)
    window.slots[window.newest].counts = 0xffffffffULL
    add(1, true)
    assert.same({ 0xffffffff, 0 }, sum())
  end)
end)

describe("failure window, summed by another thread", function()
  local result

  setup(function()
    result = stress.run("spec/unit/guard/failure_window_stress.c src/guard/failure_window.c src/base/check.c")
  end)

  it("is summed while it is written", function()
    assert.equal(1, result.summed)
  end)

  it("never has more failures than requests", function()
    assert.equal(0, result.impossible)
  end)

  it("shows no failure of a time that is over", function()
    assert.equal(0, result.stale)
  end)
end)
