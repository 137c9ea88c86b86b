local stress = require("spec.unit.guard.stress")

local SOURCES = "spec/unit/config/drain_stress.c src/config/route_state.c src/config/member_state.c "
  .. "src/config/histogram.c src/guard/circuit.c src/guard/circuit_rules.c src/guard/failure_window.c "
  .. "src/base/random.c src/base/hash.c src/base/check.c src/base/need.c src/base/log.c src/base/log_line.c "
  .. "src/base/ring.c src/base/clock.c src/base/crash.c src/base/file_error.c -lev $(pkg-config --cflags luajit)"
local LENGTH_MS = 60000

describe("drain, seen by four threads whose clocks jump", function()
  local result, seed

  setup(function()
    -- Another one each time; a failure names it, and TIDELOCK_SEED runs it again.
    seed = tonumber(os.getenv("TIDELOCK_SEED")) or os.time()
    result = stress.run(SOURCES, seed)
  end)

  local function with_seed(text)
    return ("%s; TIDELOCK_SEED=%d"):format(text, seed)
  end

  it("turns away what has elapsed of it, within two points, in each of its tenths", function()
    for tenth = 0, 9 do
      local asked = result["asked_" .. tenth]
      assert.is_true(asked > 1000, with_seed("too few requests"))
      local share = result["turned_" .. tenth] / asked
      local elapsed = result["elapsed_" .. tenth] / asked / LENGTH_MS
      assert.is_true(math.abs(share - elapsed) < 0.02,
        with_seed(("tenth %d: %.4f turned, %.4f elapsed"):format(tenth, share, elapsed)))
    end
  end)

  it("turns nobody away before it starts, and everybody once it is over", function()
    assert.equal(0, result.early_turned, with_seed("early"))
    assert.equal(0, result.late_passed, with_seed("late"))
  end)

  it("is not lost when control changes something else about the route", function()
    assert.equal(0, result.missed, with_seed("missed"))
  end)

  it("is never seen with the length of another, and is gone when it was ended", function()
    assert.is_true(result.seen >= 20000)
    assert.equal(0, result.torn, with_seed("torn"))
    assert.equal(0, result.left)
  end)
end)
