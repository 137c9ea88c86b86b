-- The kernel's table of descriptors has its size before there are threads: making it larger later stops all workers.

local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

--- Descriptors that the kernel's table of the process has room for.
local function slots(p)
  return tonumber(sys.read_file(("/proc/%d/status"):format(p.pid)):match("FDSize:%s*(%d+)"))
end

describe("the table of descriptors", function()
  it("has room for as many as the process may have from the start, and is not made larger", function()
    local o = origin.start(function() return {} end)
    local p = proxy.start {
      workers = 1, descriptors = 3000, route = { to = o.url }, config = { defer_accept = false },
    }
    local at_start = slots(p)
    assert.is_true(at_start >= 3000, at_start)
    local held = {}
    for i = 1, 600 do
      held[i] = p:connect()
    end
    assert.equal(200, p:get("/").status)
    assert.is_true(p:descriptors() > #held)
    assert.equal(at_start, slots(p))
  end)

  it("takes no descriptor for it", function()
    local few, many = proxy.start { workers = 1, descriptors = 300 }, proxy.start { workers = 1, descriptors = 3000 }
    assert.equal(few:descriptors(), many:descriptors())
  end)
end)
