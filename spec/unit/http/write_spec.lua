local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/buf.h", "http/head.h", "http/field_list.h", "http/write.h")

-- A writer on a block of size bytes; what it wrote is read with text().
local function writer(size)
  local block = ffi.new("char[?]", size + 1)
  block[size] = 42 -- one past the block
  local buf = ffi.new("struct buf", { block, 0, 0, size })
  local w = { c = ffi.new("struct writer", { buf, false }) }
  function w.text()
    assert.equal(42, block[size])
    assert.is_not_nil(buf)
    return ffi.string(block, buf["end"])
  end
  return w
end

describe("writing", function()
  it("puts numbers in decimal", function()
    for text, n in pairs({
      ["0"] = 0ULL, ["9"] = 9ULL, ["10"] = 10ULL, ["65536"] = 65536ULL,
      ["18446744073709551615"] = 18446744073709551615ULL,
    }) do
      local w = writer(20)
      lib.write_uint(w.c, n)
      assert.equal(text, w.text())
      assert.is_false(w.c.overflow)
    end
  end)

  it("puts a status line, with the standard reason when none is given", function()
    local w = writer(100)
    lib.write_status_line(w.c, 404, unit.slice(nil))
    lib.write_status_line(w.c, 200, unit.slice("Fine"))
    lib.write_status_line(w.c, 200, unit.slice(""))
    assert.equal("HTTP/1.1 404 Not Found\r\nHTTP/1.1 200 Fine\r\nHTTP/1.1 200 \r\n", w.text())
    assert.is_false(w.c.overflow)
  end)

  it("puts a status line whole or not at all", function()
    local line = "HTTP/1.1 200 OK\r\n"
    local w = writer(#line)
    lib.write_status_line(w.c, 200, unit.slice(nil))
    assert.equal(line, w.text())
    assert.is_false(w.c.overflow)
    w = writer(#line - 1)
    lib.write_status_line(w.c, 200, unit.slice(nil))
    assert.equal("", w.text())
    assert.is_true(w.c.overflow)
  end)

  it("remembers that a number did not fit, and leaves what did", function()
    local w = writer(3)
    lib.write_uint(w.c, 12)
    lib.write_uint(w.c, 34)
    assert.equal("12", w.text())
    assert.is_true(w.c.overflow)
  end)

  it("puts fields one behind the other, and none behind one that does not fit", function()
    local fields = ffi.new("struct field_list")
    for i, field in ipairs { { "A", "b" }, { "Empty", "" }, { "X", "yz" } } do
      fields.field[i - 1].name, fields.field[i - 1].value = unit.slice(field[1]), unit.slice(field[2])
    end
    fields.count = 3
    local text = "A: b\r\nEmpty: \r\nX: yz\r\n"
    for size = 0, #text do
      local w = writer(size)
      lib.write_fields(w.c, fields)
      local fits = size >= #text and #text or size >= 15 and 15 or size >= 6 and 6 or 0
      assert.equal(text:sub(1, fits), w.text())
      assert.equal(size < #text, w.c.overflow)
    end
  end)

  it("puts chunk lines in hexadecimal", function()
    local out = ffi.new("char[20]")
    for text, n in pairs({
      ["0\r\n"] = 0ULL, ["f\r\n"] = 15ULL, ["10\r\n"] = 16ULL, ["1a2b\r\n"] = 0x1a2bULL,
      ["ffffffffffffffff\r\n"] = 0xffffffffffffffffULL,
    }) do
      assert.equal(text, ffi.string(out, lib.write_chunk_line(out, n)))
    end
  end)
end)
