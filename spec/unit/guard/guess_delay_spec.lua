local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("guard/guess_delay.h")

local NOW = 50000

local function ip(...)
  local bytes = { ... }
  return ffi.new("uint8_t[16]", bytes), #bytes
end

local function new()
  return ffi.gc(lib.guesses_new(), lib.guesses_free)
end

local function add(g, count, now, ...)
  local bytes, size = ip(...)
  for _ = 1, count do
    lib.guesses_add(g, bytes, size, now)
  end
end

local function delay(g, now, ...)
  local bytes, size = ip(...)
  return tonumber(lib.guesses_delay_ms(g, bytes, size, now))
end

describe("the delay of guesses", function()
  it("is none for who has not guessed", function()
    assert.equal(0, delay(new(), NOW, 10, 0, 0, 1))
  end)

  it("doubles with each wrong one, up to five seconds", function()
    local g, delays = new(), {}
    for i = 1, 8 do
      add(g, 1, NOW, 10, 0, 0, 1)
      delays[i] = delay(g, NOW, 10, 0, 0, 1)
    end
    assert.same({ 100, 200, 400, 800, 1600, 3200, 5000, 5000 }, delays)
  end)

  it("stays at five seconds after any number of them", function()
    local g = new()
    add(g, 100000, NOW, 10, 0, 0, 1)
    assert.equal(5000, delay(g, NOW, 10, 0, 0, 1))
  end)

  it("is forgiven by time, one guess each ten seconds", function()
    local g = new()
    add(g, 3, NOW, 10, 0, 0, 1)
    assert.equal(400, delay(g, NOW + 9999, 10, 0, 0, 1))
    assert.equal(200, delay(g, NOW + 10000, 10, 0, 0, 1))
    assert.equal(100, delay(g, NOW + 20000, 10, 0, 0, 1))
    assert.equal(0, delay(g, NOW + 30000, 10, 0, 0, 1))
    add(g, 1, NOW + 20000, 10, 0, 0, 1)
    assert.equal(200, delay(g, NOW + 20000, 10, 0, 0, 1))
  end)

  it("is each address's own", function()
    local g = new()
    add(g, 5, NOW, 10, 0, 0, 1)
    assert.equal(0, delay(g, NOW, 10, 0, 0, 2))
  end)

  it("is one for a network of IPv6", function()
    local g = new()
    add(g, 2, NOW, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)
    assert.equal(200, delay(g, NOW, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 0, 0, 0, 2))
    assert.equal(0, delay(g, NOW, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1))
  end)

  it("remembers who guessed last when there are more than it can hold", function()
    local g = new()
    for i = 0, 20000 do
      add(g, 1, NOW + i, 10, math.floor(i / 65536), math.floor(i / 256) % 256, i % 256)
    end
    assert.equal(100, delay(g, NOW + 20000, 10, 0, math.floor(20000 / 256), 20000 % 256))
    local known = 0
    for i = 0, 20000 do
      if delay(g, NOW + 20000, 10, math.floor(i / 65536), math.floor(i / 256) % 256, i % 256) > 0 then
        known = known + 1
      end
    end
    assert.is_true(known <= lib.GUESS_SETS * lib.GUESS_SET_SIZE and known > 1800)
  end)
end)
