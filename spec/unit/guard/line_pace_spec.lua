local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("guard/line_pace.h")

local START = 7000000

local function rules(rate, burst)
  return ffi.new("struct line_pace_rules", { rate = rate, burst = burst })
end

local function wait(p, r, now)
  return tonumber(lib.line_pace_wait_us(p, r, now))
end

-- Runs lines as soon as they may be; returns when the last one was.
local function run(p, r, count, now, cost)
  for _ = 1, count do
    now = now + wait(p, r, now)
    lib.line_pace_charge(p, r, cost or 1, now)
  end
  return now
end

describe("the pace of lines", function()
  it("lets a burst through at once", function()
    local p, r = ffi.new("struct line_pace"), rules(100, 50)
    assert.equal(START, run(p, r, 50, START))
    assert.equal(10000, wait(p, r, START))
  end)

  it("is the rate behind the burst, for ever", function()
    local p, r = ffi.new("struct line_pace"), rules(100, 50)
    assert.equal(START + 1000 * 10000, run(p, r, 1050, START))
  end)

  it("earns the burst again while nothing comes", function()
    local p, r = ffi.new("struct line_pace"), rules(100, 50)
    run(p, r, 50, START)
    assert.equal(START + 500000, run(p, r, 50, START + 500000))
    assert.equal(10000, wait(p, r, START + 500000))
    assert.equal(START + 1e9, run(p, r, 50, START + 1e9))
    assert.equal(10000, wait(p, r, START + 1e9))
  end)

  it("takes a line for as many as it costs", function()
    local p, r = ffi.new("struct line_pace"), rules(100, 50)
    assert.equal(START, run(p, r, 5, START, 10))
    assert.equal(10000, wait(p, r, START))
    assert.equal(START + 10000, run(p, r, 1, START, 10))
    assert.equal(100000, wait(p, r, START + 10000))
  end)

  it("takes no line for more than a burst", function()
    local p, r = ffi.new("struct line_pace"), rules(100, 50)
    lib.line_pace_charge(p, r, 1e12, START)
    assert.equal(10000, wait(p, r, START))
  end)

  it("is one line after the other with a burst of one", function()
    local p, r = ffi.new("struct line_pace"), rules(1000, 1)
    assert.equal(START + 9000, run(p, r, 10, START))
  end)

  it("forgives what nobody could owe under new rules", function()
    local p = ffi.new("struct line_pace")
    run(p, rules(1, 1000), 1000, START)
    local r = rules(1000, 10)
    lib.line_pace_charge(p, r, 1, START)
    assert.is_true(wait(p, r, START) <= 11000)
  end)
end)
