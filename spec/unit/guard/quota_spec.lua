local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/quota.h")

describe("a quota", function()
  local quota

  before_each(function()
    quota = ffi.new("struct quota")
  end)

  it("is taken as often as may be, and again when something was given back", function()
    for _ = 1, 3 do
      assert.is_true(lib.quota_take(quota, 3))
    end
    assert.is_false(lib.quota_take(quota, 3))
    assert.equal(3, tonumber(lib.quota_used(quota)))
    lib.quota_give(quota)
    assert.is_true(lib.quota_take(quota, 3))
    assert.is_false(lib.quota_take(quota, 3))
  end)

  it("follows a limit that changes", function()
    for _ = 1, 4 do
      assert.is_true(lib.quota_take(quota, 9))
    end
    assert.is_false(lib.quota_take(quota, 2))
    assert.equal(4, tonumber(lib.quota_used(quota)))
    assert.is_true(lib.quota_take(quota, 5))
  end)

  it("gives nothing where none may be", function()
    assert.is_false(lib.quota_take(quota, 0))
  end)
end)
