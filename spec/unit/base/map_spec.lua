local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/map.h")

local function pointer(number)
  return ffi.cast("void *", number)
end

local function number(value)
  return value ~= nil and tonumber(ffi.cast("uintptr_t", value)) or nil
end

describe("map", function()
  local map

  before_each(function()
    map = ffi.gc(lib.map_new(), lib.map_free)
  end)

  local function get(key)
    return number(lib.map_get(map, unit.slice(key)))
  end

  local function set(key, value)
    return number(lib.map_set(map, unit.slice(key), pointer(value)))
  end

  local function remove(key)
    return number(lib.map_remove(map, unit.slice(key)))
  end

  local function walk(each)
    local cursor, key, value = ffi.new("size_t[1]"), ffi.new("struct slice"), ffi.new("void *[1]")
    while lib.map_next(map, cursor, key, value) do
      each(unit.text(key), number(value[0]))
    end
  end

  it("finds nothing while it is empty", function()
    assert.is_nil(get("a"))
    assert.is_nil(remove("a"))
    assert.equal(0, tonumber(lib.map_count(map)))
    walk(function()
      error("an empty map has no entries")
    end)
  end)

  it("gives back what was set, and what was there before", function()
    assert.is_nil(set("a", 1))
    assert.equal(1, set("a", 2))
    assert.equal(2, get("a"))
    assert.equal(2, remove("a"))
    assert.is_nil(get("a"))
    assert.equal(0, tonumber(lib.map_count(map)))
  end)

  it("takes keys of any bytes, the empty one included, and copies them", function()
    local bytes = ffi.new("char[4]", "key")
    local slice = ffi.new("struct slice", { bytes, 3 })
    lib.map_set(map, slice, pointer(1))
    ffi.copy(bytes, "xxx")
    assert.equal(1, get("key"))
    set("", 2)
    set("a\0b", 3)
    set("a\0c", 4)
    assert.equal(2, get(""))
    assert.equal(2, get(nil))
    assert.equal(3, get("a\0b"))
    assert.equal(4, get("a\0c"))
  end)

  it("does what a plain table does, over 200,000 random operations", function()
    local model, count = {}, 0
    math.randomseed(42)
    for step = 1, 200000 do
      -- The range of keys breathes, so the map grows and empties.
      local key = "k" .. math.random(1, step % 40000 < 20000 and 3000 or 50)
      local what = math.random(10)
      if what <= 4 then
        assert.equal(model[key], set(key, step))
        count = count + (model[key] and 0 or 1)
        model[key] = step
      elseif what <= 8 then
        assert.equal(model[key], remove(key))
        count = count - (model[key] and 1 or 0)
        model[key] = nil
      else
        assert.equal(model[key], get(key))
      end
      if step % 1000 == 0 then
        assert.equal(count, tonumber(lib.map_count(map)))
      end
    end
    walk(function(key, value)
      assert.equal(model[key], value)
      model[key] = nil
    end)
    assert.is_nil(next(model))
  end)

  it("lets a walk remove the entry just returned, and misses none", function()
    for i = 1, 1000 do
      set("k" .. i, i)
    end
    local seen = {}
    walk(function(key, value)
      assert.is_nil(seen[key])
      seen[key] = true
      if value % 3 ~= 0 then
        assert.equal(value, remove(key))
      end
    end)
    for i = 1, 1000 do
      assert.is_true(seen["k" .. i])
      assert.equal(i % 3 == 0 and i or nil, get("k" .. i))
    end
    assert.equal(333, tonumber(lib.map_count(map)))
  end)

  it("stays quick when entries come and go for ever", function()
    for i = 1, 300000 do
      set("k" .. i, i)
      assert.equal(i, remove("k" .. i))
    end
    assert.equal(0, tonumber(lib.map_count(map)))
    -- All places looked at in a walk: dead ones are cleared away, so they never pile up.
    local cursor = ffi.new("size_t[1]")
    assert.is_false(lib.map_next(map, cursor, nil, nil))
    assert.is_true(tonumber(cursor[0]) <= 16, "the map has " .. tonumber(cursor[0]) .. " slots")
  end)

  it("may be freed when there is none", function()
    assert.has_no.errors(function()
      lib.map_free(nil)
    end)
  end)
end)
