local unit = require("spec.support.unit")

local lib = unit.load("base/slice.h", "base/secret.h")

local function equal(given, secret)
  return lib.secret_equal(unit.slice(given), unit.slice(secret))
end

describe("secret_equal", function()
  it("takes the secret, and nothing else of its length", function()
    local secret = "s3cret-\0-\xff"
    assert.is_true(equal(secret, secret))
    for i = 1, #secret do
      for bit = 0, 7 do
        local byte = require("bit").bxor(secret:byte(i), 2 ^ bit)
        local other = secret:sub(1, i - 1) .. string.char(byte) .. secret:sub(i + 1)
        assert.is_false(equal(other, secret), ("byte %d, bit %d"):format(i, bit))
      end
    end
  end)

  it("refuses the beginning of a secret, and a secret with more behind it", function()
    for len = 0, 5 do
      assert.is_false(equal(("secret"):sub(1, len), "secret"))
    end
    assert.is_false(equal("secrett", "secret"))
    assert.is_false(equal("secretsecret", "secret"))
    assert.is_false(equal("aaa", "a"))
    assert.is_false(equal("secret\0", "secret"))
  end)

  it("takes nothing for nothing only", function()
    assert.is_true(equal("", ""))
    assert.is_true(equal(nil, ""))
    assert.is_true(equal("", nil))
    assert.is_false(equal("a", ""))
    assert.is_false(equal("\0", ""))
    assert.is_false(equal("\0", nil))
    assert.is_false(equal("", "a"))
  end)

  it("takes as long for a text that differs at once as for one that differs at its end", function()
    -- Two megabytes: a comparison that stops at the first difference is a thousand times as fast.
    local secret = ("x"):rep(2 * 1024 * 1024)
    local early, late = "y" .. secret:sub(2), secret:sub(2) .. "y"
    local function fastest(text)
      local given, known, best = unit.slice(text), unit.slice(secret), math.huge
      for _ = 1, 20 do
        local start = os.clock()
        assert.is_false(lib.secret_equal(given, known))
        best = math.min(best, os.clock() - start)
      end
      return best
    end
    local first, last = fastest(early), fastest(late)
    assert.is_true(first > last / 3 and last > first / 3, ("%g s, %g s"):format(first, last))
  end)
end)

describe("secret_free", function()
  it("takes NULL", function()
    lib.secret_free(nil)
  end)
end)
