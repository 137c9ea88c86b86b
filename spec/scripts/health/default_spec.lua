local checked = require("spec.scripts.health.checked")

--- How many passes in a row bring a member back that is down.
local function passes_needed(member)
  for count = 1, 40 do
    if member:feed("P") == "healthy" then
      return count
    end
  end
end

--- Goes down and comes back some times.
local function flap(member, times)
  for _ = 1, times do
    member:feed("FFF")
    passes_needed(member)
  end
end

describe("the default health policy", function()
  local member

  before_each(function()
    member = checked.new("default")
    member:feed("P")
  end)

  it("takes a member down after three failures in a row, with the last one's error", function()
    assert.equal("healthy", member:feed("FF"))
    assert.equal("down", member:feed("F"))
    assert.equal("status_500", member.reason)
  end)

  it("does not add up failures that are not in a row", function()
    assert.equal("healthy", member:feed("FFPFFPFFPFF"))
  end)

  it("brings a member back after two passes in a row", function()
    member:feed("FFF")
    assert.equal("down", member:feed("PFPFP"))
    assert.equal("healthy", member:feed("P"))
    assert.is_nil(member.reason)
  end)

  it("brings a member back that failed its very first check", function()
    local fresh = checked.new("default")
    assert.equal("down", fresh:feed("F"))
    assert.equal("down", fresh:feed("P"))
    assert.equal("healthy", fresh:feed("P"))
  end)

  it("asks for two more passes with each state change beyond three", function()
    local needed = {}
    for i = 1, 4 do
      member:feed("FFF")
      needed[i] = passes_needed(member)
    end
    assert.same({ 2, 2, 6, 10 }, needed)
  end)

  it("never asks for more than ten passes", function()
    flap(member, 3)
    for _ = 1, 5 do
      member:feed("FFF")
      assert.is_true(passes_needed(member) <= 10)
    end
  end)

  it("does not delay going down, however much it flaps", function()
    flap(member, 3)
    assert.equal("down", member:feed("FFF"))
  end)

  it("forgets flaps that are 32 results old", function()
    flap(member, 3)
    member:feed(("P"):rep(32))
    member:feed("FFF")
    assert.equal(2, passes_needed(member))
  end)

  it("leaves a state that it did not make until it has an own opinion", function()
    member.state, member.reason, member.share = "degraded", "slow", 0.5
    assert.equal("degraded", member:feed("F"))
    assert.same({ "slow", 0.5 }, { member.reason, member.share })
    assert.equal("degraded", member:feed("P"))
    assert.equal("healthy", member:feed("P"))
  end)
end)
