local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/random.h")

describe("secure random bytes", function()
  it("fill exactly what was asked for, and differ each time", function()
    local seen, out = {}, ffi.new("uint8_t[34]")
    for _ = 1, 1000 do
      out[0], out[33] = 0xaa, 0x55
      lib.random_secure(out + 1, 32)
      assert.equal(0xaa, out[0])
      assert.equal(0x55, out[33])
      local text = ffi.string(out + 1, 32)
      assert.is_nil(seen[text])
      seen[text] = true
    end
  end)

  it("come in any number", function()
    local size = 1024 * 1024
    local out = ffi.new("uint8_t[?]", size)
    lib.random_secure(out, size)
    local sum = 0
    for i = 0, size - 1 do
      sum = sum + out[i]
    end
    assert.is_true(math.abs(sum / size - 127.5) < 1)
  end)
end)

describe("fast random numbers", function()
  local function sequence(seed, count)
    local random, out = ffi.new("struct random"), {}
    lib.random_init(random, seed)
    for i = 1, count do
      out[i] = tostring(lib.random_next(random))
    end
    return out
  end

  it("repeat with the same seed and differ with another", function()
    assert.same(sequence(7, 100), sequence(7, 100))
    assert.are_not.same(sequence(7, 100), sequence(8, 100))
  end)

  it("are xoshiro256**", function()
    local random = ffi.new("struct random", { { 1, 2, 3, 4 } })
    assert.equal(11520ULL, lib.random_next(random))
    assert.equal(0ULL, lib.random_next(random))
    assert.equal(1509978240ULL, lib.random_next(random))
    assert.equal(1215971899390074240ULL, lib.random_next(random))
  end)

  it("are spread evenly, also from seed 0", function()
    local random, counts = ffi.new("struct random"), {}
    lib.random_init(random, 0)
    for _ = 1, 100000 do
      local slot = tonumber(lib.random_next(random) % 10ULL)
      counts[slot] = (counts[slot] or 0) + 1
    end
    for slot = 0, 9 do
      assert.is_true(math.abs(counts[slot] - 10000) < 600, "slot got " .. counts[slot])
    end
  end)
end)
