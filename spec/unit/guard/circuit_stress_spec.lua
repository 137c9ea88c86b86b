local circuits = require("spec.unit.guard.circuits")
local stress = require("spec.unit.guard.stress")
local ffi = require("ffi")
local lib = circuits.lib

describe("circuit, used by five threads at once", function()
  local result

  setup(function()
    result = stress.run("spec/unit/guard/circuit_stress.c src/guard/circuit.c src/guard/circuit_rules.c "
      .. "src/base/random.c src/base/hash.c src/base/check.c")
  end)

  it("reports every transition to one of them, in an unbroken chain", function()
    assert.equal(0, result.twice)
    assert.equal(0, result.breaks)
    assert.equal(0, result.unexplained)
  end)

  it("makes only the transitions that there are, and all of them", function()
    assert.equal(0, result.illegal)
    assert.is_true(result.quiet_resets > 0)
    for cause = 1, lib.CIRCUIT_CAUSE_COUNT - 1 do
      assert.is_true(result["cause_" .. cause] > 0,
        "never: " .. ffi.string(lib.circuit_cause_text(cause)))
    end
  end)

  it("has all slots for probes taken at times, and never more", function()
    assert.equal(3, result.most_probes)
    assert.equal(0, result.too_many_probes)
  end)

  it("has every slot back when all tickets are settled", function()
    assert.equal(0, result.slots_lost)
    assert.equal(1, result.released)
    assert.equal(0, result.releases_in_flight)
    assert.equal(0, result.releases_too_many)
    assert.equal(2, result.releases_generation)
  end)

  it("counts every failure, and opens once, with the last", function()
    assert.equal(4 * 60000, result.failures)
    assert.equal(1, result.openings)
    assert.equal(1, result.open)
  end)

  it("is not written to by a success when there is no failure to forget", function()
    assert.equal(1, result.without_store)
  end)
end)
