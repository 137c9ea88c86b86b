local unit = require("spec.support.unit")
local stress = require("spec.unit.guard.stress")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/address_count.h")

local function v4(...)
  return ffi.new("uint8_t[4]", ...), 4
end

-- The first bytes of an IPv6 address, the rest of it, from a byte on, all the same.
local function v6(bytes, rest)
  local ip = ffi.new("uint8_t[16]", bytes)
  for i = #bytes, 15 do
    ip[i] = rest or 0
  end
  return ip, 16
end

for _, log2 in ipairs { 0, 3, tonumber(lib.ADDRESS_COUNT_LOG2) } do
  describe(("the count of connections of addresses, in 2^%d buckets,"):format(log2), function()
    local table

    before_each(function()
      table = lib.address_count_new(log2)
    end)

    after_each(function()
      lib.address_count_free(table) -- CHECKs that nothing is left
    end)

    local function take(most, ip, len)
      return lib.address_count_take(table, ip, len, most)
    end

    local function give(count, ip, len)
      for _ = 1, count do
        lib.address_count_give(table, ip, len)
      end
    end

    it("takes as many as may be, and one more for each that was given back", function()
      for _ = 1, 5 do
        assert.is_true(take(5, v4(10, 0, 0, 1)))
      end
      assert.is_false(take(5, v4(10, 0, 0, 1)))
      give(2, v4(10, 0, 0, 1))
      assert.is_true(take(5, v4(10, 0, 0, 1)))
      assert.is_true(take(5, v4(10, 0, 0, 1)))
      assert.is_false(take(5, v4(10, 0, 0, 1)))
      give(5, v4(10, 0, 0, 1))
      assert.equal(0, tonumber(lib.address_count_addresses(table)))
    end)

    it("takes nothing where none may be", function()
      assert.is_false(take(0, v4(10, 0, 0, 1)))
      assert.equal(0, tonumber(lib.address_count_addresses(table)))
    end)

    it("follows a limit that changes: past it nothing is taken, nothing is lost", function()
      for _ = 1, 5 do
        assert.is_true(take(5, v4(10, 0, 0, 1)))
      end
      assert.is_false(take(2, v4(10, 0, 0, 1)))
      give(3, v4(10, 0, 0, 1))
      assert.is_false(take(2, v4(10, 0, 0, 1)))
      give(1, v4(10, 0, 0, 1))
      assert.is_true(take(2, v4(10, 0, 0, 1)))
      assert.is_true(take(9, v4(10, 0, 0, 1)))
      give(3, v4(10, 0, 0, 1))
    end)

    it("keeps thousands of addresses apart, and forgets none", function()
      for round = 1, 3 do
        for i = 0, 2999 do
          assert.is_true(take(round, v4(10, 1, math.floor(i / 256), i % 256)))
        end
        assert.equal(3000, tonumber(lib.address_count_addresses(table)))
      end
      for i = 0, 2999 do
        assert.is_false(take(3, v4(10, 1, math.floor(i / 256), i % 256)))
        give(3, v4(10, 1, math.floor(i / 256), i % 256))
      end
      assert.equal(0, tonumber(lib.address_count_addresses(table)))
    end)

    it("counts IPv6 by the first 64 bits", function()
      local network = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 7 }
      local other = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 8 }
      assert.is_true(take(2, v6(network, 1)))
      assert.is_true(take(2, v6(network, 2)))
      assert.is_false(take(2, v6(network, 3)))
      assert.is_true(take(2, v6(other, 1)))
      assert.equal(2, tonumber(lib.address_count_of(table, v6(network, 200))))
      give(2, v6(network, 9))
      give(1, v6(other, 1))
    end)

    it("does not take an IPv6 network for the IPv4 address with the same bytes", function()
      assert.is_true(take(1, v4(10, 0, 0, 1)))
      assert.is_true(take(1, v6({ 10, 0, 0, 1 })))
      assert.equal(2, tonumber(lib.address_count_addresses(table)))
      give(1, v4(10, 0, 0, 1))
      give(1, v6({ 10, 0, 0, 1 }))
    end)
  end)
end

describe("the count of connections of addresses in four threads", function()
  local result = stress.run("spec/unit/guard/address_count_stress.c src/guard/address_count.c src/guard/quota.c "
    .. "src/base/hash.c src/base/random.c src/base/check.c")

  it("never lets more pass than may be at a time, and loses no place", function()
    assert.equal(0, result.over)
    assert.is_true(result.refused > 0)
    assert.is_true(result.taken > 0)
    assert.equal(0, result.left)
  end)

  it("and a quota likewise", function()
    assert.equal(0, result.quota_over)
    assert.is_true(result.quota_refused > 0)
    assert.equal(0, result.quota_left)
  end)
end)
