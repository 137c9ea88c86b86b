local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/spares.h")

pcall(ffi.cdef, "void *malloc(size_t size); void free(void *p);")

describe("spares", function()
  local spares

  before_each(function()
    spares = ffi.gc(ffi.new("struct spares"), lib.spares_fini)
    lib.spares_init(spares, 10)
  end)

  local function give(n)
    for _ = 1, n do
      lib.spares_give(spares, ffi.C.malloc(64))
    end
  end

  --- Takes as many as that, all at once, and gives them back.
  local function use(n)
    local taken = {}
    for i = 1, n do
      taken[i] = lib.spares_take(spares)
      assert.is_true(taken[i] ~= nil)
    end
    for _, piece in ipairs(taken) do
      lib.spares_give(spares, piece)
    end
  end

  local function trim()
    return tonumber(lib.spares_trim(spares))
  end

  it("has none at first", function()
    assert.is_true(lib.spares_take(spares) == nil)
    assert.equal(0, trim())
  end)

  it("gives out what was given last", function()
    give(1)
    local piece = ffi.C.malloc(64)
    lib.spares_give(spares, piece)
    assert.equal(piece, lib.spares_take(spares))
    lib.spares_give(spares, piece)
  end)

  it("keeps no more than its most", function()
    give(13)
    assert.equal(10, spares.kept)
  end)

  it("keeps what has only come since the look before the last", function()
    give(4)
    assert.equal(0, trim())
    assert.equal(0, trim())
    assert.equal(4, trim())
    assert.equal(0, spares.kept)
  end)

  it("keeps as many as were taken at once in the last two windows", function()
    give(10)
    trim()
    use(7)
    trim()
    assert.equal(3, trim())
    assert.equal(7, spares.kept)
    use(2)
    assert.equal(5, trim())
    assert.equal(2, spares.kept)
  end)

  it("keeps all when they ran out", function()
    give(5)
    for _ = 1, 5 do
      use(5)
      assert.is_true(trim() == 0 and spares.kept == 5)
    end
  end)

  it("gives up nothing twice", function()
    give(10)
    trim()
    use(4)
    trim()
    assert.equal(6, trim())
    assert.equal(4, trim())
    assert.equal(0, trim())
  end)

  it("counts what is out as needed", function()
    give(6)
    local out = { lib.spares_take(spares), lib.spares_take(spares) }
    for _ = 1, 3 do
      trim()
    end
    assert.equal(0, spares.kept)
    for _, piece in ipairs(out) do
      lib.spares_give(spares, piece)
    end
    assert.is_true(trim() == 0 and trim() == 0 and spares.kept == 2)
    trim()
    assert.equal(0, spares.kept)
  end)
end)
