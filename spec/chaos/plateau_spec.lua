local plateau = require("spec.chaos.plateau")

--- Samples over the whole time: rss as the function says, the rest as it was.
local function samples(rss, more)
  local one = plateau.new(100)
  for share = 0, 1, 0.02 do
    local sample = { seconds = share * 100, requests = 0, rss_kib = rss(share), descriptors = 100, threads = 4 }
    for name, fn in pairs(more or {}) do
      sample[name] = fn(share)
    end
    one:add(share, sample)
  end
  return one
end

local function flat() return 20000 end

describe("a plateau", function()
  it("is one when memory grows in the warm-up only", function()
    assert.same({}, samples(function(share) return share < 0.15 and 10000 or 20000 end):grown())
  end)

  it("may go up and down", function()
    assert.same({}, samples(function(share) return 20000 + (share * 50 % 2 < 1 and 0 or 3000) end):grown())
  end)

  it("is none when memory grows by more than 2 % from then to the end", function()
    assert.equal(1, #samples(function(share) return 20000 + share * 1000 end):grown())
    assert.same({}, samples(function(share) return 20000 + share * 300 end):grown())
  end)

  it("is none with descriptors or threads that are left over", function()
    assert.equal(1, #samples(flat, { descriptors = function(share) return 100 + share * 20 end }):grown())
    assert.equal(1, #samples(flat, { threads = function(share) return share > 0.5 and 5 or 4 end }):grown())
  end)

  it("is none that nobody looked at", function()
    assert.equal(3, #plateau.new(100):grown())
  end)
end)
