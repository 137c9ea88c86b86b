local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/clock.h")

local function format(fn, wall_ms)
  local out = ffi.new("char[32]")
  local len = tonumber(lib[fn](out, wall_ms))
  local text = ffi.string(out)
  assert.equal(#text, len)
  return text
end

describe("clock", function()
  it("goes forward in microseconds and milliseconds alike", function()
    local us, ms = lib.clock_us(), lib.clock_ms()
    assert.is_true(lib.clock_us() >= us)
    assert.is_true(math.abs(tonumber(us / 1000ULL) - tonumber(ms)) < 1000)
  end)

  it("knows what time it is", function()
    assert.is_true(math.abs(tonumber(lib.clock_wall_ms()) / 1000 - os.time()) < 2)
  end)

  it("writes times as RFC 3339", function()
    assert.equal("1970-01-01T00:00:00Z", format("clock_format_s", 0))
    assert.equal("2026-01-31T10:00:00Z", format("clock_format_s", 1769853600999ULL))
    assert.equal("2026-01-31T10:00:00.123Z", format("clock_format_ms", 1769853600123ULL))
    assert.equal("9999-12-31T23:59:59.999Z", format("clock_format_ms", 253402300799999ULL))
  end)

  it("agrees with the C library about every day of four centuries", function()
    for day = 0, 146097 do
      local s = day * 86400 + (day * 7919) % 86400
      assert.equal(os.date("!%Y-%m-%dT%H:%M:%SZ", s), format("clock_format_s", s * 1000))
    end
  end)
end)
