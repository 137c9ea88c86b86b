local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/lane.h")

local READ, WRITE = 1, 2

describe("a lane", function()
  local lane, items

  before_each(function()
    lane, items = ffi.new("struct lane"), {}
    lib.lane_init(lane, 100)
    for i = 1, 8 do
      items[i] = ffi.new("struct lane_item")
    end
  end)

  local function waits(i, events)
    return lib.lane_waits(lane, items[i], events or READ)
  end

  --- Who goes on at a turn's end, as "1 2 3", when each moves so many bytes.
  local function turn(bytes)
    local names = {}
    lane.moved = 0
    while true do
      local item = lib.lane_next(lane)
      if item == nil then
        return table.concat(names, " ")
      end
      for i, one in ipairs(items) do
        if item == one then
          names[#names + 1] = i
        end
      end
      lane.moved = lane.moved + bytes
    end
  end

  it("lets all go on while a turn has not moved as much as it may", function()
    assert.is_false(waits(1))
    lane.moved = 99
    assert.is_false(waits(2))
    assert.equal("", turn(10))
    assert.is_false(waits(1))
  end)

  it("queues what comes then, and serves it in order, so many bytes a turn", function()
    lane.moved = 100
    for i = 1, 5 do
      assert.is_true(waits(i))
    end
    assert.equal("1 2", turn(50))
    assert.equal("3", turn(100))
    assert.equal("4 5", turn(99))
    assert.equal(0, lane.count)
  end)

  it("lets nobody pass those who wait", function()
    lane.moved = 100
    assert.is_true(waits(1))
    assert.is_true(waits(2))
    assert.equal("1", turn(100))
    assert.is_true(waits(3)) -- although nothing has moved in this turn
    assert.is_true(waits(1))
    assert.equal("2 3 1", turn(1))
    assert.is_false(waits(4))
  end)

  it("begins each turn anew", function()
    lane.moved = 100
    assert.is_true(waits(1))
    assert.equal("1", turn(100))
    assert.is_false(waits(1))
  end)

  it("keeps a place, and all that was told meanwhile", function()
    lane.moved = 100
    assert.is_true(waits(1, READ))
    assert.is_true(waits(2, READ))
    assert.is_true(waits(1, WRITE))
    assert.equal(2, lane.count)
    lane.moved = 0
    local item = lib.lane_next(lane)
    assert.equal(items[1], item)
    assert.equal(READ + WRITE, item.events)
    assert.is_true(waits(1, WRITE))
    assert.equal(READ, lib.lane_next(lane).events)
    assert.equal(WRITE, lib.lane_next(lane).events)
  end)

  it("forgets who leaves", function()
    lane.moved = 100
    for i = 1, 3 do
      assert.is_true(waits(i))
    end
    lib.lane_leave(lane, items[2])
    lib.lane_leave(lane, items[2])
    lib.lane_leave(lane, items[7])
    assert.equal(2, lane.count)
    assert.equal("1 3", turn(1))
    lib.lane_leave(lane, items[1])
    assert.equal(0, lane.count)
  end)
end)
