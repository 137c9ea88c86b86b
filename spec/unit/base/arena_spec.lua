local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/arena.h")

local function address(pointer)
  return tonumber(ffi.cast("uintptr_t", pointer))
end

describe("arena", function()
  local arena

  before_each(function()
    arena = ffi.new("struct arena")
    lib.arena_init(arena)
  end)

  after_each(function()
    lib.arena_fini(arena)
  end)

  it("hands out zeroed pieces that do not overlap, aligned for any type", function()
    local pieces = {}
    for i = 1, 2000 do
      local size = (i * 37) % 300 + 1
      local piece = ffi.cast("uint8_t *", lib.arena_alloc(arena, size))
      assert.equal(0, address(piece) % 16)
      for at = 0, size - 1 do
        assert.equal(0, piece[at])
      end
      ffi.fill(piece, size, i % 251 + 1)
      pieces[i] = { at = piece, size = size, byte = i % 251 + 1 }
    end
    for _, piece in ipairs(pieces) do
      assert.equal(string.char(piece.byte):rep(piece.size), ffi.string(piece.at, piece.size))
    end
  end)

  it("keeps using its newest chunk after a large piece", function()
    local before = lib.arena_alloc(arena, 16)
    local large = lib.arena_alloc(arena, 1000000)
    ffi.fill(large, 1000000, 7)
    local after = lib.arena_alloc(arena, 16)
    assert.equal(16, address(after) - address(before))
  end)

  it("wastes little: thousands of small pieces take few bytes more than their own", function()
    for _ = 1, 10000 do
      lib.arena_alloc(arena, 100)
    end
    local total = tonumber(arena.total)
    assert.is_true(total >= 10000 * 112 and total < 10000 * 112 * 2.2, "total is " .. total)
  end)

  it("copies text with a NUL behind it", function()
    local copy = lib.arena_copy(arena, unit.slice("héllo\0x"))
    assert.equal("héllo\0x", unit.text(copy))
    assert.equal(0, copy.data[copy.len])
  end)

  it("keeps an absent slice absent and an empty one empty", function()
    assert.is_nil(unit.text(lib.arena_copy(arena, unit.slice(nil))))
    assert.equal("", unit.text(lib.arena_copy(arena, unit.slice(""))))
  end)

  it("may be used again after it was emptied", function()
    lib.arena_alloc(arena, 5000)
    lib.arena_fini(arena)
    assert.equal(0, tonumber(arena.total))
    assert.equal("again", unit.text(lib.arena_copy(arena, unit.slice("again"))))
  end)
end)
