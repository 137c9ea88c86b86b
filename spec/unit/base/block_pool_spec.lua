local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/buf.h", "base/spares.h", "base/block_pool.h")

local SMALL, LARGE, WIDE = 1024, 4096, 16384

describe("a pool of blocks", function()
  local pool

  before_each(function()
    pool = ffi.new("struct block_pool")
    lib.block_pool_init(pool, SMALL, LARGE, WIDE, 64 * 1024)
  end)

  after_each(function()
    assert.equal(0, tonumber(pool.taken_bytes))
    assert.equal(0, pool.wide_taken)
    lib.block_pool_fini(pool)
  end)

  local function fill(b, text)
    ffi.copy(b.data + b["end"], text, #text)
    b["end"] = b["end"] + #text
  end

  local function text_of(b)
    return ffi.string(b.data + b.start, b["end"] - b.start)
  end

  local function release(...)
    for _, b in ipairs { ... } do
      lib.block_pool_release(pool, b)
      assert.is_true(b.data == nil)
      assert.equal(0, b.cap)
    end
  end

  it("gives a small block, once", function()
    local b = ffi.new("struct buf")
    assert.is_true(lib.block_pool_take(pool, b))
    local data = b.data
    assert.is_true(lib.block_pool_take(pool, b))
    assert.is_true(data == b.data)
    assert.same({ SMALL, SMALL }, { b.cap, tonumber(pool.taken_bytes) })
    release(b)
    release(b)
  end)

  it("gives the block again that came back last, to whoever wants its size", function()
    local a, b, c = ffi.new("struct buf"), ffi.new("struct buf"), ffi.new("struct buf")
    assert.is_true(lib.block_pool_take(pool, a) and lib.block_pool_take(pool, b))
    local data = b.data
    release(a, b)
    assert.is_true(lib.block_pool_enlarge(pool, c))
    assert.is_true(lib.block_pool_take(pool, a))
    assert.is_true(data == a.data and data ~= c.data)
    release(a, c)
  end)

  it("moves what there is to the front of a large block, and leaves what holds more", function()
    local b = ffi.new("struct buf")
    assert.is_true(lib.block_pool_take(pool, b))
    fill(b, "dropped kept")
    b.start = 8
    assert.is_true(lib.block_pool_enlarge(pool, b))
    assert.same({ "kept", 0, LARGE, LARGE }, { text_of(b), b.start, b.cap, tonumber(pool.taken_bytes) })
    b.start = 2
    assert.is_true(lib.block_pool_enlarge(pool, b))
    assert.same({ "pt", 0, LARGE }, { text_of(b), b.start, b.cap })
    b.start = b["end"]
    lib.block_pool_widen(pool, b)
    fill(b, "wide")
    b.start = 1
    assert.is_true(lib.block_pool_enlarge(pool, b))
    assert.same({ "ide", 0, WIDE }, { text_of(b), b.start, b.cap })
    release(b)
  end)

  it("swaps an empty block for a wide one and back", function()
    local b = ffi.new("struct buf")
    assert.is_true(lib.block_pool_enlarge(pool, b))
    for _ = 1, 3 do
      lib.block_pool_widen(pool, b)
      lib.block_pool_widen(pool, b)
      assert.same({ WIDE, WIDE, 1 }, { b.cap, tonumber(pool.taken_bytes), pool.wide_taken })
      lib.block_pool_narrow(pool, b)
      lib.block_pool_narrow(pool, b)
      assert.same({ LARGE, LARGE, 0 }, { b.cap, tonumber(pool.taken_bytes), pool.wide_taken })
    end
    release(b)
  end)

  it("makes large and wide blocks larger where small ones are as large", function()
    for small, sizes in pairs { [LARGE] = { 2 * LARGE, WIDE }, [WIDE] = { 2 * WIDE, 4 * WIDE } } do
      local other, b = ffi.new("struct block_pool"), ffi.new("struct buf")
      lib.block_pool_init(other, small, LARGE, WIDE, 64 * 1024)
      assert.is_true(lib.block_pool_take(other, b))
      assert.equal(small, b.cap)
      assert.is_true(lib.block_pool_enlarge(other, b))
      assert.equal(sizes[1], b.cap)
      lib.block_pool_widen(other, b)
      assert.equal(sizes[2], b.cap)
      lib.block_pool_release(other, b)
      assert.equal(0, tonumber(other.taken_bytes))
      lib.block_pool_fini(other)
    end
  end)

  it("has no more wide blocks in use at once than it says", function()
    local held, late = {}, ffi.new("struct buf")
    for i = 1, lib.BLOCK_POOL_WIDE_MOST do
      held[i] = ffi.new("struct buf")
      lib.block_pool_widen(pool, held[i])
      assert.equal(WIDE, held[i].cap)
    end
    assert.is_true(lib.block_pool_enlarge(pool, late))
    lib.block_pool_widen(pool, late)
    assert.equal(LARGE, late.cap)
    lib.block_pool_narrow(pool, held[1])
    lib.block_pool_widen(pool, late)
    assert.equal(WIDE, late.cap)
    release(late, unpack(held))
  end)
end)
