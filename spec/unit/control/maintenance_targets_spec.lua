local sets = require("spec.unit.control.sets")
local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("control/maintenance_targets.h")

describe("maintenance targets", function()
  local live, all

  before_each(function()
    live = sets.new()
    assert(sets.add(live, "r1", "a.example,b.example", "/", "http://10.0.0.1"))
    assert(sets.add(live, "r2", "b.example", "/x/", "http://10.0.0.1"))
    all = ffi.gc(lib.maintenance_targets_new(), lib.maintenance_targets_free)
  end)

  local function parse(text, known)
    local err = ffi.new("struct error")
    local targets = lib.maintenance_targets_parse(unit.slice(text), live, known, err)
    if targets == nil then
      return nil, ffi.string(err.text)
    end
    return ffi.gc(targets, lib.maintenance_targets_free)
  end

  local function put(text, in_it)
    lib.maintenance_targets_put(all, assert(parse(text, all)), in_it)
  end

  --- "12" when r1 and r2 are in it.
  local function covered()
    local text = ""
    for i = 1, 2 do
      local route = sets.lib.config_set_route(live, unit.slice("r" .. i))
      if route ~= nil and lib.maintenance_targets_cover(all, route) then
        text = text .. i
      end
    end
    return text
  end

  it("are none at first", function()
    assert.is_true(lib.maintenance_targets_none(all))
    assert.equal("", covered())
  end)

  it("name routes by id, path, domain and ALL", function()
    for text, routes in pairs({ r1 = "1", ["/x"] = "2", ["a.example"] = "1", ["B.EXAMPLE"] = "12", ALL = "12" }) do
      put(text, true)
      assert.equal(routes, covered(), text)
      put("ALL", false)
      assert.is_true(lib.maintenance_targets_none(all))
    end
  end)

  it("let the newest decide, whatever its kind", function()
    put("ALL", true)
    put("r1", false)
    assert.equal("2", covered())
    put("b.example", true)
    assert.equal("12", covered())
    put("/", false)
    put("/x", false)
    assert.equal("", covered())
    put("r1", true)
    assert.equal("1", covered())
  end)

  it("are forgotten when the last that is in is taken out", function()
    put("r1,/x", true)
    put("r1", false)
    put("/x", false)
    assert.is_true(lib.maintenance_targets_none(all))
    put("r2", true)
    assert.equal("2", covered())
  end)

  it("are refused when they name nothing live, unless they are known", function()
    assert.same({ nil, "route not found: /y" }, { parse("r1,/y") })
    assert.same({ nil, "route not found: r3" }, { parse("r3") })
    assert.same({ nil, "invalid target: empty" }, { parse("r1,") })
    put("/x", true)
    put("r2", true)
    assert(sets.remove(live, "r2"))
    assert.is_truthy(parse("/x,r2", all))
    assert.same({ nil, "route not found: /x" }, { parse("/x") })
  end)

  it("lose the ids of routes that are gone, and keep their paths", function()
    put("r1,r2,/x", true)
    assert(sets.remove(live, "r1"))
    assert(sets.remove(live, "r2"))
    lib.maintenance_targets_prune(all, live)
    assert.is_nil((parse("r1", all)))
    assert.is_truthy(parse("/x", all))
    put("/x", false)
    assert.is_true(lib.maintenance_targets_none(all))
  end)

  it("end when the only id that is in is gone", function()
    put("r2", true)
    assert(sets.remove(live, "r2"))
    lib.maintenance_targets_prune(all, live)
    assert.is_true(lib.maintenance_targets_none(all))
  end)
end)
