local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/circuit_rules.h")

describe("circuit rules", function()
  it("take at least one probe and at most 65535", function()
    for given, meant in pairs({ [0] = 1, [1] = 1, [2] = 2, [65535] = 65535, [65536] = 65535,
      [0xffffffff] = 65535 }) do
      local rules = ffi.new("struct circuit_rules", { half_open_requests = given })
      assert.equal(meant, lib.circuit_rules_probes(rules))
    end
  end)

  it("spread open times evenly over the tenth that is added", function()
    local rules = ffi.new("struct circuit_rules", { timeout_ms = 5000 })
    for share = 0, 99 do
      local ms = lib.circuit_rules_open_ms(rules, 1, math.ceil(share / 100 * 2 ^ 32))
      assert.equal(10000 + share * 10, tonumber(ms))
    end
  end)

  it("double no further after however many reopenings", function()
    local rules = ffi.new("struct circuit_rules", { timeout_ms = 100 })
    for _, reopenings in ipairs({ 5, 6, 31, 32, 63, 64, 0xffffffff }) do
      assert.equal(3200, tonumber(lib.circuit_rules_open_ms(rules, reopenings, 0)))
    end
  end)
end)

describe("circuit rules' failure rate", function()
  local function exceeded(requests, failures, percent, least)
    local rules = ffi.new("struct circuit_rules", { rate_percent = percent, rate_min_requests = least })
    return lib.circuit_rules_rate_exceeded(rules, requests, failures)
  end

  it("is exceeded when the share of failures is reached", function()
    assert.is_false(exceeded(100, 49, 50, 20))
    assert.is_true(exceeded(100, 50, 50, 20))
    assert.is_false(exceeded(3, 1, 34, 1))
    assert.is_true(exceeded(3, 1, 33, 1))
    assert.is_false(exceeded(20, 19, 100, 20))
    assert.is_true(exceeded(20, 20, 100, 20))
  end)

  it("says nothing of fewer requests than the least", function()
    assert.is_false(exceeded(19, 19, 50, 20))
    assert.is_true(exceeded(20, 20, 50, 20))
    assert.is_false(exceeded(0, 0, 50, 0))
  end)

  it("is never exceeded when it is off", function()
    assert.is_false(exceeded(1000, 1000, 0, 0))
  end)
end)
