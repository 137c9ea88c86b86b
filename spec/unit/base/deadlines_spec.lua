local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/deadlines.h")

local NEVER = 0xffffffffffffffffULL

describe("deadlines", function()
  local heap, all, now, late

  before_each(function()
    heap, all, now = ffi.new("struct deadlines"), {}, 1000
    late = ffi.new("uint64_t[1]")
    lib.deadlines_init(heap)
  end)

  after_each(function()
    for _, d in pairs(all) do
      lib.deadlines_drop(heap, d)
    end
    lib.deadlines_fini(heap)
  end)

  local function set(name, at)
    all[name] = all[name] or ffi.new("struct deadline")
    lib.deadlines_set(heap, all[name], at)
  end

  --- The names of what has passed, in order.
  local function passed()
    local names = {}
    while true do
      local d = lib.deadlines_take(heap, now, late)
      if d == nil then
        return table.concat(names, " ")
      end
      for name, one in pairs(all) do
        if d == ffi.cast("struct deadline *", one) then
          names[#names + 1] = name
        end
      end
    end
  end

  it("pass in their order, at their millisecond, once", function()
    set("c", 1030)
    set("a", 1010)
    set("b", 1020)
    assert.equal(1010, tonumber(heap.next_ms))
    now = 1009
    assert.equal("", passed())
    now = 1010
    assert.equal("a", passed())
    assert.equal("", passed())
    now = 2000
    assert.equal("b c", passed())
    assert.is_true(heap.next_ms == NEVER)
  end)

  it("can be moved nearer and further away, also when the heap was to look before", function()
    set("a", 1010)
    set("b", 1020)
    set("a", 1050)
    set("b", 1015)
    now = 1040
    assert.equal("b", passed())
    now = 1049
    assert.equal("", passed())
    now = 1050
    assert.equal("a", passed())
  end)

  it("can be taken back and set anew, whether they were looked at meanwhile or not", function()
    set("a", 1010)
    set("b", 1010)
    set("a", NEVER)
    set("b", NEVER)
    set("b", 1030)
    now = 1020
    assert.equal("", passed())
    set("a", 1025)
    now = 1030
    assert.equal("a b", passed())
  end)

  it("are nobody's once they are dropped, wherever they are in the heap", function()
    for i = 1, 30 do
      set(("%02d"):format(i), 1000 + i)
    end
    for _, name in ipairs { "01", "15", "30", "02" } do
      lib.deadlines_drop(heap, all[name])
      lib.deadlines_drop(heap, all[name])
    end
    now = 1016
    assert.equal("03 04 05 06 07 08 09 10 11 12 13 14 16", passed())
  end)

  it("say how late they are noticed, since the heap was to look", function()
    set("a", 1010)
    set("a", 1040) -- looked at when 1010 has come
    set("b", 1020)
    now = 1030
    assert.equal("b", passed())
    assert.equal(10, tonumber(late[0]))
    now = 1047
    assert.equal("a", passed())
    assert.equal(7, tonumber(late[0]))
  end)

  it("that were put off pass then, and only then, unless they are set anew", function()
    set("a", 1010)
    set("b", 1010)
    now = 1500
    assert.equal("a b", passed())
    lib.deadlines_put_off(heap, all.a, 1600)
    lib.deadlines_put_off(heap, all.b, 1600)
    set("b", 1550)
    now = 1599
    assert.equal("b", passed())
    now = 1600
    assert.equal("a", passed())
    assert.equal("", passed())
  end)

  it("do what a list that is searched through does, whatever comes", function()
    math.randomseed(7)
    local want = {}
    for _ = 1, 20000 do
      local name, act = math.random(300), math.random(10)
      if act <= 6 then
        want[name] = now + math.random(200)
        set(name, want[name])
      elseif act == 7 then
        want[name] = nil
        set(name, NEVER)
      elseif act == 8 and all[name] then
        want[name] = nil
        lib.deadlines_drop(heap, all[name])
      else
        now = now + math.random(20)
        local got, due = {}, {}
        for one in passed():gmatch("%d+") do
          got[#got + 1] = tonumber(one)
        end
        for one, at in pairs(want) do
          if at <= now then
            due[#due + 1], want[one] = one, nil
          end
        end
        table.sort(got)
        table.sort(due)
        assert.same(due, got)
        local first = heap.next_ms
        for _, at in pairs(want) do
          assert.is_true(first <= at)
        end
      end
    end
  end)
end)
