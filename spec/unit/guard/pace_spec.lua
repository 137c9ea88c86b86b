local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("guard/pace.h")

local WINDOW = 10000
local NAMES = { [0] = "early", "enough", "slow" }

describe("a pace of 100 bytes a second in windows of ten seconds", function()
  local pace, rules, now

  before_each(function()
    pace = ffi.new("struct pace")
    rules = ffi.new("struct pace_rules", 100, WINDOW)
    now = 5000000
  end)

  local function turn(peers)
    lib.pace_turn(pace, peers, now)
  end

  local function look(bytes)
    return NAMES[tonumber(lib.pace_look(pace, bytes, rules, now))]
  end

  local function left()
    return tonumber(lib.pace_left(pace, rules, now))
  end

  it("lets the first window be a grace, then wants a thousand bytes of each", function()
    turn(true)
    now = now + WINDOW
    assert.equal("enough", look(0))
    now = now + WINDOW
    assert.equal("enough", look(1000))
    now = now + WINDOW
    assert.equal("slow", look(1999))
  end)

  it("is early until the window is over, and tells how long that is", function()
    turn(true)
    assert.equal(WINDOW, left())
    now = now + WINDOW - 1
    assert.equal(1, left())
    assert.equal("early", look(0))
    now = now + 1
    assert.equal(0, left())
    assert.equal("enough", look(0))
    assert.equal(WINDOW, left())
  end)

  it("does not count time in which it is not the peer's turn", function()
    turn(true)
    now = now + WINDOW
    look(0)
    for _ = 1, 9 do
      turn(false)
      now = now + 3600 * 1000
      turn(true)
      now = now + 1000
    end
    assert.equal(1000, left())
    assert.equal("early", look(10))
    now = now + 1000
    assert.equal("enough", look(1000))
  end)

  it("wants more of a window that was looked at late", function()
    turn(true)
    now = now + WINDOW
    look(0)
    now = now + 3 * WINDOW
    assert.equal("slow", look(2999))
    now = now + 3 * WINDOW
    assert.equal("enough", look(5999))
  end)

  it("hears the same turn twice and counts it once", function()
    turn(true)
    now = now + 4000
    turn(true)
    now = now + 6000
    assert.equal(0, left())
    turn(false)
    turn(false)
    assert.equal("enough", look(0))
    assert.equal(WINDOW, left())
    now = now + WINDOW
    assert.equal(WINDOW, left())
  end)

  it("takes bytes that became fewer for a new beginning", function()
    turn(true)
    now = now + WINDOW
    look(50000)
    now = now + WINDOW
    assert.equal("enough", look(1000))
    now = now + WINDOW
    assert.equal("slow", look(1500))
    now = now + WINDOW
    assert.equal("slow", look(999))
  end)

  it("begins anew, with a grace, when it is told to", function()
    turn(true)
    now = now + WINDOW
    look(0)
    now = now + WINDOW
    lib.pace_restart(pace, now)
    assert.equal(WINDOW, left())
    now = now + WINDOW
    assert.equal("enough", look(0))
    now = now + WINDOW
    assert.equal("slow", look(0))
  end)

  it("is never slow without a rate", function()
    rules.rate = 0
    turn(true)
    for _ = 1, 5 do
      now = now + WINDOW
      assert.equal("enough", look(0))
    end
  end)
end)
