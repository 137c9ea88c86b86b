local checked = require("spec.scripts.health.checked")

local function after(results)
  local member = checked.new("ratio")
  member:feed(results)
  return member
end

describe("the health policy ratio", function()
  it("calls a member healthy from 90 % passed checks on", function()
    assert.equal("healthy", after("PPPPPPPPPF").state)
    assert.equal("degraded", after("PPPPPPPPF").state)
  end)

  it("calls a member degraded from 50 % on, with the passed share and the numbers as reason", function()
    local member = after("PPPPFFFF")
    assert.same({ "degraded", "4_of_8_passed", 0.5 }, { member.state, member.reason, member.share })
  end)

  it("calls a member down below 50 %", function()
    local member = after("PPPFFFF")
    assert.same({ "down", "3_of_7_passed" }, { member.state, member.reason })
    assert.is_nil(member.share)
  end)

  it("sees no more than the last 32 results", function()
    assert.equal("healthy", after(("F"):rep(40) .. ("P"):rep(32)).state)
    assert.equal("28_of_32_passed", after(("F"):rep(40) .. ("P"):rep(28)).reason)
  end)
end)
