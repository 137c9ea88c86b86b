local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("guard/descriptor_plan.h")

local function plan(limit, open, registry)
  local out = ffi.new("struct descriptor_plan")
  lib.descriptor_plan_make(out, limit, open, registry)
  return {
    reserve = tonumber(out.reserve), probes = tonumber(out.probes), workers = tonumber(out.workers),
    clients = tonumber(out.clients), registry = tonumber(out.registry),
  }
end

describe("the plan of descriptors", function()
  it("keeps back what the registry and probes may have and a little more, and gives clients half of the rest", function()
    assert.same({ reserve = 2112, probes = 1024, workers = 17848, clients = 8924, registry = 3912 }, plan(20000, 40, 1024))
  end)

  it("keeps back a quarter at most", function()
    assert.same({ reserve = 256, probes = 128, workers = 728, clients = 364, registry = 96 }, plan(1024, 40, 1024))
    assert.same({ reserve = 16, probes = 8, workers = 24, clients = 12, registry = 6 }, plan(64, 24, 1024))
  end)

  it("never gives out more than there is, and to everybody something", function()
    for limit = 16, 3000, 7 do
      for _, open in ipairs { 8, 30, 100 } do
        local p = plan(limit, open, 1024)
        assert.is_true(p.workers >= 2 and p.clients >= 1 and p.reserve >= 8)
        assert.is_true(p.probes >= 4 and p.probes <= p.reserve / 2 and p.registry >= 1)
        assert.is_true(p.probes + p.registry < math.max(p.reserve, limit / 4))
        assert.is_true(p.clients * 2 <= p.workers)
        assert.is_true(open + p.reserve + p.workers <= limit or p.workers == 2)
      end
    end
  end)

  it("says what so many clients need", function()
    assert.equal(40 + 1024 + 64 + 2 * 10000, tonumber(lib.descriptor_plan_needs(40, 1024, 10000)))
  end)
end)
