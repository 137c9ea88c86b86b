local random = require("spec.chaos.random")
local timeline = require("spec.chaos.timeline")

describe("a timeline", function()
  it("is certain of its first value before any change", function()
    local one = timeline.new(false)
    assert.same({ [false] = true }, one:at(5))
    assert.is_false(one:certain(5))
  end)

  it("takes old and new for possible between a command and its answer, and only then", function()
    local one = timeline.new("none")
    one:set("full", 10, 12)
    assert.equal("none", one:certain(9.9))
    assert.is_nil(one:certain(10))
    assert.same({ none = true, full = true }, one:at(11))
    assert.equal("full", one:certain(12))
  end)

  it("does not take a refused command for possible", function()
    local one = timeline.new("none")
    one:cancel(one:begin("full", 10))
    assert.equal("none", one:certain(20))
  end)

  it("ends all doubt with a later change that is certain", function()
    local one = timeline.new("none")
    one:set("some", 10, 11)
    one:set("full", 15, 16)
    one:set("none", 12, 13)
    assert.equal("none", one:certain(20))
    assert.same({ some = true, none = true }, one:at(12.5))
  end)

  it("knows whether a value was possible, or certain, over a time", function()
    local one = timeline.new(true)
    one:set(false, 10, 11)
    one:set(true, 20, 21)
    assert.is_true(one:throughout(true, 1, 9.9))
    assert.is_false(one:throughout(true, 1, 10))
    assert.is_false(one:throughout(true, 1, 30))
    assert.is_true(one:ever(false, 1, 30))
    assert.is_true(one:ever(false, 20.5, 30))
    assert.is_false(one:ever(false, 21, 30))
    assert.is_false(one:ever(true, 12, 19))
  end)

  it("forgets what is over and keeps what is not", function()
    local one = timeline.new("a")
    one:set("b", 10, 11)
    local open = one:begin("c", 12)
    one:set("d", 14, 15)
    one:set("e", 30, 31)
    one:forget(20)
    assert.equal("d", one:certain(20))
    assert.same({ d = true, e = true }, one:at(30.5))
    assert.is_truthy(open)
  end)
end)

describe("random numbers", function()
  local function draws(seed, name)
    local one, list = random.stream(seed, name), {}
    for i = 1, 50 do
      list[i] = one:int(1, 1000)
    end
    return list
  end

  it("are the same for the same seed and name", function()
    assert.same(draws(7, "a"), draws("7", "a"))
  end)

  it("are others for another seed or name", function()
    assert.not_same(draws(7, "a"), draws(8, "a"))
    assert.not_same(draws(7, "a"), draws(7, "b"))
  end)

  it("stay in their range and reach all of it", function()
    local one, seen = random.stream(1, "x"), {}
    for _ = 1, 2000 do
      seen[one:int(3, 7)] = true
    end
    assert.same({ [3] = true, [4] = true, [5] = true, [6] = true, [7] = true }, seen)
  end)

  it("pick by weight", function()
    local one, count = random.stream(1, "x"), { a = 0, b = 0, never = 0 }
    for _ = 1, 4000 do
      local name = one:weighted { { "a", 3 }, { "never", 0 }, { "b", 1 } }
      count[name] = count[name] + 1
    end
    assert.equal(0, count.never)
    assert.is_true(count.a > 2700 and count.a < 3300)
  end)
end)
