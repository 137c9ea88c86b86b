local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/head.h", "http/framing.h")

ffi.cdef("void *malloc(size_t); void free(void *);")

local STATES = {
  [lib.BODY_WANT] = "want", [lib.BODY_DATA] = "data", [lib.BODY_TRAILERS] = "trailers",
  [lib.BODY_END] = "end", [lib.BODY_BAD] = "bad",
}

local function new_body(kind, length, limit)
  local body = ffi.new("struct body")
  lib.body_init(body, kind, length or 0, limit or 100)
  return body
end

-- Looks at bytes in a block of exactly their size, so that a sanitizer sees a read past them.
local function peek(body, bytes)
  local block = ffi.gc(ffi.C.malloc(#bytes), ffi.C.free)
  ffi.copy(block, bytes, #bytes)
  local skip, payload = ffi.new("size_t[1]"), ffi.new("size_t[1]")
  local state = lib.body_peek(body, ffi.cast("const char *", block), #bytes, skip, payload)
  skip, payload = tonumber(skip[0]), tonumber(payload[0])
  assert.is_true(skip + payload <= #bytes)
  return STATES[tonumber(state)], skip, payload
end

-- Reads a body that comes in the given pieces, as its users do. take: most payload bytes consumed at
-- once. Returns what came of it: payload, trailer section, final state, bytes left over.
local function read(body, pieces, take)
  local buffered, payload, trailers, next_piece = "", {}, nil, 1
  while true do
    local state, skip, n = peek(body, buffered)
    buffered = buffered:sub(skip + 1)
    if state == "data" then
      n = math.min(n, take or n)
      payload[#payload + 1] = buffered:sub(1, n)
    elseif state == "trailers" then
      trailers = buffered:sub(1, n)
    elseif state == "want" and next_piece <= #pieces then
      assert.equal(0, n)
      buffered = buffered .. pieces[next_piece]
      next_piece = next_piece + 1
    else
      local rest = buffered .. table.concat(pieces, "", next_piece)
      return { state = state, payload = table.concat(payload), trailers = trailers, rest = rest,
        done = lib.body_done(body) }
    end
    lib.body_consume(body, n)
    buffered = buffered:sub(n + 1)
  end
end

local function bytes_of(text)
  local pieces = {}
  for i = 1, #text do
    pieces[i] = text:sub(i, i)
  end
  return pieces
end

-- The same text cut at every place, and byte by byte, must give the same.
local function read_all_ways(kind, length, text, limit)
  local whole = read(new_body(kind, length, limit), { text })
  for cut = 1, #text - 1 do
    local pieces = { text:sub(1, cut), text:sub(cut + 1) }
    assert.same(whole, read(new_body(kind, length, limit), pieces))
  end
  assert.same(whole, read(new_body(kind, length, limit), bytes_of(text)))
  assert.same(whole, read(new_body(kind, length, limit), { text }, 1))
  return whole
end

describe("no body", function()
  it("has ended at once", function()
    local body = new_body(lib.BODY_NONE)
    assert.is_true(lib.body_done(body))
    assert.same({ "end", 0, 0 }, { peek(body, "next message") })
    assert.is_true(lib.body_eof(body))
  end)
end)

describe("a body with length", function()
  it("takes exactly its bytes", function()
    local whole = read_all_ways(lib.BODY_LENGTH, 5, "helloHTTP/1.1")
    assert.same({ state = "end", payload = "hello", rest = "HTTP/1.1", done = true }, whole)
  end)

  it("of length 0 has ended at once", function()
    assert.is_true(lib.body_done(new_body(lib.BODY_LENGTH, 0)))
  end)

  it("is not complete when the connection ends early", function()
    local body = new_body(lib.BODY_LENGTH, 5)
    assert.equal("want", read(body, { "hell" }).state)
    assert.is_false(lib.body_eof(body))
    assert.equal("end", read(body, { "o" }).state)
    assert.is_true(lib.body_eof(body))
  end)

  it("may be longer than 4 GiB", function()
    local body = new_body(lib.BODY_LENGTH, 2 ^ 33 + 1)
    local skip, payload = ffi.new("size_t[1]"), ffi.new("size_t[1]")
    local data = ffi.new("char[1]")
    assert.equal(lib.BODY_DATA, lib.body_peek(body, data, 2 ^ 33, skip, payload))
    lib.body_consume(body, payload[0])
    assert.is_false(lib.body_done(body))
    assert.same({ "data", 0, 1 }, { peek(body, "xy") })
    assert.equal(2 ^ 33, tonumber(body.payload))
  end)
end)

describe("a body until close", function()
  it("takes all bytes and is complete when the connection ends", function()
    local body = new_body(lib.BODY_UNTIL_CLOSE)
    assert.equal("want", peek(body, ""))
    assert.same({ state = "want", payload = "0\r\n\r\n", rest = "", done = false }, read(body, { "0\r\n\r\n" }))
    assert.is_true(lib.body_eof(body))
    assert.is_true(lib.body_done(body))
    assert.equal("end", peek(body, ""))
  end)
end)

describe("a chunked body", function()
  local function chunked(text, limit)
    return read_all_ways(lib.BODY_CHUNKED, 0, text, limit)
  end

  it("is the payload of its chunks", function()
    assert.same({ state = "end", payload = "hello, world", rest = "GET", done = true },
      chunked("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\nGET"))
  end)

  it("may have any size in hexadecimal, with leading zeros", function()
    local text = ("x"):rep(0x1aF)
    assert.equal(text, chunked("1aF\r\n" .. text .. "\r\n000\r\n\r\n").payload)
    assert.equal("x", chunked("0000000000000001\r\nx\r\n0\r\n\r\n").payload)
  end)

  it("may be empty", function()
    assert.same({ state = "end", payload = "", rest = "", done = true }, chunked("0\r\n\r\n"))
  end)

  it("has its extensions dropped", function()
    assert.equal("ab", chunked("1;a=b;c=\"d e\"\r\na\r\n1 ; x\ty\r\nb\r\n0;last\r\n\r\n").payload)
  end)

  it("hands its trailer section out whole", function()
    local result = chunked("1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nnext")
    assert.same({ state = "end", payload = "a", trailers = "A: b\r\nC: d\r\n\r\n", rest = "next", done = true }, result)
  end)

  it("shows a trailer section again until it is consumed", function()
    local body = new_body(lib.BODY_CHUNKED)
    assert.same({ "trailers", 3, 8 }, { peek(body, "0\r\nA: b\r\n\r\n") })
    lib.body_consume(body, 0)
    assert.same({ "trailers", 0, 8 }, { peek(body, "A: b\r\n\r\nnext") })
    assert.is_false(lib.body_done(body))
    lib.body_consume(body, 8)
    assert.is_true(lib.body_done(body))
  end)

  it("skips chunk lines as they come, so that no buffer fills with them", function()
    local body = new_body(lib.BODY_CHUNKED)
    assert.same({ "want", 6, 0 }, { peek(body, "5;exte") })
    assert.same({ "want", 7, 0 }, { peek(body, "nsion\r\n") })
    assert.same({ "data", 0, 2 }, { peek(body, "he") })
  end)

  it("is not complete when the connection ends before its end", function()
    local text = "1\r\na\r\n0\r\nA: b\r\n\r\n"
    for cut = 0, #text - 1 do
      local body = new_body(lib.BODY_CHUNKED)
      assert.equal("want", read(body, { text:sub(1, cut) }).state)
      assert.is_false(lib.body_eof(body))
    end
  end)

  it("counts its payload", function()
    local body = new_body(lib.BODY_CHUNKED)
    read(body, { "5\r\nhello\r\n7\r\n, world\r\n0\r\nA: b\r\n\r\n" })
    assert.equal(12, tonumber(body.payload))
  end)

  for name, text in pairs({
    ["no size"] = "\r\n",
    ["a size that is no number"] = "g\r\n",
    ["a sign before the size"] = "+1\r\na\r\n",
    ["0x before the size"] = "0x1\r\na\r\n",
    ["white space before the size"] = " 1\r\na\r\n",
    ["white space alone behind the size"] = "1 \r\na\r\n",
    ["something behind the size"] = "1 1\r\na\r\n",
    ["a size of 17 digits"] = "00000000000000001\r\na\r\n",
    ["an extension without a size"] = ";a\r\n",
    ["a bare LF behind the size"] = "1\na\r\n",
    ["a bare LF in an extension"] = "1;a\na\r\n",
    ["a bare CR behind the size"] = "1\ra\r\n",
    ["a bare CR in an extension"] = "1;a\rb\r\na\r\n",
    ["a control byte in an extension"] = "1;a\1\r\na\r\n",
    ["a NUL in an extension"] = "1;a\0\r\na\r\n",
    ["a DEL in an extension"] = "1;a\127\r\na\r\n",
    ["a chunk longer than its size"] = "1\r\nab\r\n",
    ["a chunk that ends in a bare LF"] = "1\r\na\n1\r\n",
    ["a chunk that ends in a bare CR"] = "1\r\na\r1\r\n",
    ["a trailer line that ends in a bare LF"] = "0\r\nA: b\n\r\n",
    ["a bare LF instead of the last line"] = "0\r\n\n",
    ["a bare LF that ends the trailer section"] = "0\r\nA: b\r\n\n",
  }) do
    it("is refused with " .. name, function()
      local body = new_body(lib.BODY_CHUNKED)
      assert.equal("bad", read(body, { text }).state)
      assert.equal("bad", (peek(body, "0\r\n\r\n")))
      assert.is_false(lib.body_eof(body))
      assert.equal("bad", read_all_ways(lib.BODY_CHUNKED, 0, text).state)
    end)
  end

  it("has chunk lines of at most the limit, line end included", function()
    local function line(len)
      return "1;" .. ("x"):rep(len - 4) .. "\r\n"
    end
    assert.equal("a", chunked(line(50) .. "a\r\n0\r\n\r\n", 50).payload)
    assert.equal("bad", chunked(line(51) .. "a\r\n0\r\n\r\n", 50).state)
    -- and each line anew
    assert.equal("ab", chunked(line(50) .. "a\r\n" .. line(50) .. "b\r\n0\r\n\r\n", 50).payload)
  end)

  it("is refused as soon as a line is too long, without its end", function()
    assert.equal("bad", read(new_body(lib.BODY_CHUNKED, 0, 50), { "1;" .. ("x"):rep(49) }).state)
  end)

  it("has a trailer section of at most the limit, empty line included", function()
    local function section(len)
      return "A: " .. ("x"):rep(len - 7) .. "\r\n\r\n"
    end
    assert.equal(section(50), chunked("0\r\n" .. section(50), 50).trailers)
    assert.equal("bad", chunked("0\r\n" .. section(51), 50).state)
    assert.equal("bad", read(new_body(lib.BODY_CHUNKED, 0, 50), { "0\r\nA: " .. ("x"):rep(47) }).state)
  end)
end)
