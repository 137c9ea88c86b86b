local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/retry_budget.h")

local FLOOR = lib.RETRY_BUDGET_FLOOR_PER_S * lib.RETRY_BUDGET_SECONDS

describe("retry budget", function()
  local budget, now

  before_each(function()
    budget = ffi.new("struct retry_budget")
    now = 5000000
    lib.retry_budget_init(budget, now)
  end)

  local function request(count)
    for _ = 1, count do
      lib.retry_budget_request(budget, now)
    end
  end

  -- Takes until refused; how many it got.
  local function take_all()
    local taken = 0
    while lib.retry_budget_take(budget, now) do
      taken = taken + 1
      assert.is_true(taken < 1000000)
    end
    return taken
  end

  it("without traffic gives the floor", function()
    assert.equal(FLOOR, take_all())
  end)

  it("gives a fifth of the requests beside the floor", function()
    request(1000)
    assert.equal(FLOOR + 200, take_all())
  end)

  it("that is used up gives nothing for the rest of the window", function()
    request(1000)
    take_all()
    now = now + 9000
    assert.equal(0, take_all())
  end)

  it("is whole again when ten seconds have passed", function()
    request(1000)
    take_all()
    now = now + 10000
    assert.equal(FLOOR, take_all())
  end)

  it("forgets requests and retries second by second", function()
    for second = 0, 9 do
      now = 5000000 + second * 1000
      request(100)
      assert.is_true(lib.retry_budget_take(budget, now))
    end
    assert.equal(FLOOR + 200 - 10, take_all())
    now = now + 1000 -- the first second's 100 requests and one retry are gone
    assert.equal(0, take_all())
    request(100)
    assert.equal(1, take_all())
  end)

  it("after a long pause starts anew", function()
    request(1000)
    take_all()
    now = now + 3600 * 1000
    assert.equal(FLOOR, take_all())
  end)

  it("keeps retries at a fifth of steady traffic", function()
    local retried = 0
    for step = 0, 599 do
      now = 5000000 + step * 100
      request(100)
      for _ = 1, 100 do
        if lib.retry_budget_take(budget, now) then
          retried = retried + 1
        end
      end
    end
    assert.is_true(retried >= 60000 * 0.2)
    assert.is_true(retried <= 60000 * 0.2 + 6 * FLOOR)
  end)
end)
