local plateau = require("spec.chaos.plateau")

local RESTS = 7

--- Rests: memory as the function of their number says, the rest as it was.
local function rested(rss, more)
  local one = plateau.new(1000)
  for i = 1, RESTS do
    local sample = { seconds = i, requests = 0, rss_kib = rss(i), descriptors = 100, threads = 4 }
    for name, fn in pairs(more or {}) do
      sample[name] = fn(i)
    end
    one:add_rest(sample)
  end
  return one
end

local function flat() return 20000 end

describe("a plateau", function()
  it("is one when rests are as the first, more or less", function()
    assert.same({}, rested(flat):grown())
    assert.same({}, rested(function(i) return (i == 1 or i == RESTS) and 20000 or 30000 end):grown())
    assert.same({}, rested(function(i) return 20000 - i end):grown())
    assert.same({}, rested(function(i) return 20000 + 400 * (i % 2) end):grown())
  end)

  it("is none when memory at rest has grown by more than 2 %", function()
    assert.same({}, rested(function(i) return 20000 + 400 * (i - 1) / (RESTS - 1) end):grown())
    assert.equal(1, #rested(function(i) return 20000 + 402 * (i - 1) / (RESTS - 1) end):grown())
    assert.equal(1, #rested(function(i) return 20000 + 300 * (i % 2) + 700 * i / RESTS end):grown())
    assert.equal(1, #rested(function(i) return i > 3 and 21000 or 20000 end):grown())
  end)

  it("is none with descriptors or threads that are left over", function()
    assert.same({}, rested(flat, { descriptors = function(i) return i == RESTS and 102 or 100 end }):grown())
    assert.equal(1, #rested(flat, { descriptors = function(i) return 98 + i end }):grown())
    assert.equal(1, #rested(flat, { threads = function(i) return i > 3 and 5 or 4 end }):grown())
  end)

  it("does not look at what it takes to do the work", function()
    local one = rested(flat)
    for i = 1, 20 do
      one:add { share = i / 20, seconds = i, requests = i, rss_kib = 20000 + i * 1000, descriptors = i, threads = 4 }
    end
    assert.same({}, one:grown())
    assert.truthy(one:text():find("rss_kib at work: median 30000, most 40000", 1, true))
  end)

  it("is none that nobody looked at", function()
    assert.equal(1, #plateau.new(1000):grown())
    local one = plateau.new(1000)
    one:add_rest { rss_kib = 1, descriptors = 1, threads = 1 }
    assert.equal(1, #one:grown())
  end)

  it("rests first after the warm-up", function()
    assert.is_false(plateau.new(1000):is_due())
    assert.is_true(plateau.new(0):is_due()) -- a short one, which rests twice
    assert.is_falsy(rested(flat):is_due())
  end)
end)
