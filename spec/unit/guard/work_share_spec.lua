local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("guard/work_share.h")

describe("the share of a second that went into work", function()
  local share
  before_each(function()
    share = ffi.new("struct work_share")
  end)

  it("is none at first", function()
    assert.equal(0, lib.work_share_percent(share, 0))
    assert.equal(0, lib.work_share_percent(share, 123456789))
  end)

  it("adds up, in percent", function()
    for i = 0, 9 do
      lib.work_share_add(share, 25000, 5000 + i * 100)
    end
    assert.equal(25, lib.work_share_percent(share, 5999))
  end)

  it("is full when all of the time was work", function()
    for now = 70000, 70999 do
      lib.work_share_add(share, 1000, now)
    end
    assert.equal(100, lib.work_share_percent(share, 70999))
  end)

  it("forgets what is a second old, and nothing younger than 900 ms", function()
    for offset = 0, 99, 33 do
      share = ffi.new("struct work_share")
      local at = 42000 + offset
      lib.work_share_add(share, 500000, at)
      assert.equal(50, lib.work_share_percent(share, at + 900))
      assert.equal(0, lib.work_share_percent(share, at + 1000))
    end
  end)

  it("takes a slot anew when its turn comes again", function()
    lib.work_share_add(share, 900000, 1000)
    lib.work_share_add(share, 100000, 2000)
    assert.equal(10, lib.work_share_percent(share, 2000))
    lib.work_share_add(share, 100000, 900000)
    assert.equal(10, lib.work_share_percent(share, 900000))
  end)
end)
