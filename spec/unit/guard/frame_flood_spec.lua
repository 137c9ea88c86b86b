local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/frame_flood.h")

local function new()
  return ffi.new("struct frame_flood")
end

-- How many of count frames at now_us are too many.
local function add(f, count, limit, now_us)
  local over = 0
  for _ = 1, count do
    over = over + (lib.frame_flood_add(f, limit, now_us) and 1 or 0)
  end
  return over
end

describe("a flood of frames", function()
  it("begins behind the limit", function()
    local f = new()
    assert.equal(0, add(f, 100, 100, 5000000))
    assert.equal(1, add(f, 1, 100, 5000000))
  end)

  it("is none at the rate that is allowed, for ever", function()
    local f, now = new(), 1000000
    for _ = 1, 1000 do
      now = now + 100000 -- 100 in ten seconds
      assert.equal(0, add(f, 1, 100, now))
    end
  end)

  it("is one at twice that rate, in time", function()
    local f, now, over = new(), 1000000, 0
    for i = 1, 300 do
      now = now + 50000
      over = over + add(f, 1, 100, now)
      if i == 190 then
        assert.equal(0, over)
      end
    end
    assert.is_true(over > 0)
  end)

  it("is forgotten after ten seconds", function()
    local f = new()
    add(f, 100, 100, 1000000)
    assert.equal(0, add(f, 100, 100, 11000000))
  end)

  it("is none where frames were earned, but they cannot be saved up", function()
    local f = new()
    for _ = 1, 1000 do
      lib.frame_flood_earn(f, 100, 4)
      assert.equal(0, add(f, 4, 100, 1000000))
    end
    lib.frame_flood_earn(f, 100, 1000000)
    assert.equal(0, add(f, 100, 100, 1000000))
    assert.equal(1, add(f, 1, 100, 1000000))
  end)
end)
