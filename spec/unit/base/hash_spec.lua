local unit = require("spec.support.unit")
local bit = require("bit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/hash.h")

local function hash(text, seed)
  return lib.hash_bytes(text, #text, seed or 1)
end

local function bits_set(x)
  local n = 0
  while x ~= 0 do
    x = bit.band(x, x - 1)
    n = n + 1
  end
  return n
end

describe("hash", function()
  it("gives the same value for the same bytes and seed, wherever they stand", function()
    local memory = ffi.new("char[100]")
    for len = 0, 70 do
      local text = ("abcdefghij"):rep(7):sub(1, len)
      for shift = 0, 9 do
        ffi.copy(memory + shift, text, len)
        assert.equal(hash(text), lib.hash_bytes(memory + shift, len, 1))
      end
    end
  end)

  it("depends on the seed", function()
    assert.are_not.equal(hash("key", 1), hash("key", 2))
    assert.are_not.equal(hash("", 1), hash("", 2))
  end)

  it("tells texts of different lengths apart, zero bytes included", function()
    local seen = {}
    for len = 0, 200 do
      local key = tostring(hash(("\0"):rep(len)))
      assert.is_nil(seen[key])
      seen[key] = true
    end
  end)

  it("has no collision among 100,000 short keys", function()
    local seen = {}
    for i = 1, 100000 do
      local key = tostring(hash("host-" .. i .. ".example.com"))
      assert.is_nil(seen[key])
      seen[key] = true
    end
  end)

  it("changes about half of its bits when one bit of the input changes", function()
    for _, len in ipairs({ 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64 }) do
      local bytes = ffi.new("uint8_t[?]", len)
      local changed, tries = 0, 0
      for round = 1, 8 do
        for at = 0, len - 1 do
          bytes[at] = (at * 31 + round * 17) % 256
        end
        local before = lib.hash_bytes(bytes, len, round)
        for at = 0, len * 8 - 1 do
          local byte, mask = math.floor(at / 8), bit.lshift(1, at % 8)
          bytes[byte] = bit.bxor(bytes[byte], mask)
          changed = changed + bits_set(bit.bxor(before, lib.hash_bytes(bytes, len, round)))
          bytes[byte] = bit.bxor(bytes[byte], mask)
          tries = tries + 1
        end
      end
      local mean = changed / tries
      assert.is_true(mean > 30 and mean < 34, ("%d bytes: %g bits of 64 change"):format(len, mean))
    end
  end)

  it("spreads keys evenly over a small table", function()
    local counts, slots, keys = {}, 64, 64000
    for i = 1, keys do
      local slot = tonumber(bit.band(hash("10.0." .. i), slots - 1))
      counts[slot] = (counts[slot] or 0) + 1
    end
    for slot = 0, slots - 1 do
      assert.is_true(counts[slot] > 800 and counts[slot] < 1200, "slot got " .. counts[slot])
    end
  end)
end)

describe("hash without case", function()
  it("takes ASCII letters as lower case, at every length and place", function()
    for len = 0, 80 do
      local text = ("Content-TYPE: ABCxyz@[`{"):rep(4):sub(1, len)
      assert.equal(hash(text:lower()), lib.hash_bytes_nocase(text, len, 1))
    end
  end)

  it("leaves every other byte as it is", function()
    for byte = 0, 255 do
      local text = string.char(byte):rep(9)
      local lower = byte >= 65 and byte <= 90 and string.char(byte + 32):rep(9) or text
      assert.equal(hash(lower), lib.hash_bytes_nocase(text, 9, 1))
    end
  end)
end)

describe("hash of a number", function()
  it("is a known bijection", function()
    assert.equal(0, tonumber(lib.hash_u64(0)))
    -- The first output of splitmix64 with seed 0 is the finaliser of its increment.
    assert.equal(0xe220a8397b1dcdafULL, lib.hash_u64(0x9e3779b97f4a7c15ULL))
  end)
end)

describe("hash seed", function()
  it("is drawn once for the process", function()
    local seed = lib.hash_seed()
    assert.equal(seed, lib.hash_seed())
    assert.are_not.equal(0ULL, seed)
  end)
end)
