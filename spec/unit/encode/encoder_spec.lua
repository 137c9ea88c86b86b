local corpus = require("spec.support.corpus")
local decode = require("spec.support.decode")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "encode/encoder.h")

ffi.cdef("void *malloc(size_t); void free(void *);")

local UNKNOWN = 18446744073709551615ULL

local TEXTS = {
  "", "a", corpus.html(3000), corpus.noise(70000), corpus.json(300000), ("x"):rep(200000),
}

local function open(kind, level)
  local e = lib.encoder_new(kind, level)
  assert.is_true(e ~= nil)
  return ffi.gc(e, function(encoder)
    lib.encoder_free(ffi.new("struct encoder *[1]", encoder))
  end)
end

--- Carries an order out with rooms of a size; returns the output.
local function run(e, order, text, room)
  -- Blocks of exactly their size, so that a sanitizer sees what is read or written past them.
  local block = ffi.gc(ffi.C.malloc(#text), ffi.C.free)
  local out = ffi.gc(ffi.C.malloc(room), ffi.C.free)
  local input, written, pieces = ffi.new("struct slice[1]"), ffi.new("size_t[1]"), {}
  ffi.copy(block, text, #text)
  input[0].data, input[0].len = block, #text
  for _ = 1, 1000000 do
    local result = lib.encoder_run(e, order, input, out, room, written)
    pieces[#pieces + 1] = ffi.string(out, written[0])
    if result == lib.ENCODE_DONE then
      assert(input[0].len == 0)
      return table.concat(pieces)
    end
    assert(result == lib.ENCODE_FULL, "the encoder fails")
  end
  error("the encoder never ends")
end

--- Encodes a text in pieces whose sizes come from next_size, flushing now and then; checks that flushed output can be
-- read to its last byte.
local function encode(e, coding, text, next_size, options)
  options = options or {}
  assert.is_true(lib.encoder_start(e, options.size or UNKNOWN))
  local d, at, read, length, flushed = decode.start(coding), 1, {}, 0, 0
  local function take(bytes)
    read[#read + 1] = d:feed(bytes)
    length = length + #read[#read]
  end
  while at <= #text do
    local piece = text:sub(at, at + next_size() - 1)
    at = at + #piece
    take(run(e, lib.ENCODER_FEED, piece, options.room or 4096))
    if options.flush and options.flush() then
      take(run(e, lib.ENCODER_FLUSH, "", options.room or 4096))
      assert(length == at - 1, "a flush leaves bytes behind")
      flushed = flushed + 1
    end
  end
  take(run(e, lib.ENCODER_FINISH, "", options.room or 4096))
  assert.is_true(d.done)
  return table.concat(read), flushed
end

local function pieces_of(size)
  return function()
    return size
  end
end

for kind = 0, lib.ENCODER_KINDS - 1 do
  local coding = unit.text(lib.encoder_name(kind))
  local levels = lib.encoder_available(kind) and lib.encoder_level_max(kind) or 0

  describe("the coding " .. coding, function()
    for level = 1, levels do
      it("gives back what it was given, at level " .. level, function()
        local e = open(kind, level)
        for _, text in ipairs(TEXTS) do
          assert.is_true(text == encode(e, coding, text, pieces_of(16384)))
          assert.is_true(text == encode(e, coding, text, pieces_of(16384), { size = #text }))
        end
      end)
    end

    if levels > 0 then
      it("takes pieces of any size, gives them in rooms of any size, and flushes at any place", function()
        local seed = 4711
        local function random(n)
          seed = seed * 48271 % 2147483647
          return seed % n
        end
        local e, flushes = open(kind, 3), 0
        for _ = 1, 25 do
          local text = TEXTS[5]:sub(random(150000) + 1, -random(150000) - 1) .. TEXTS[4]:sub(1, random(30000))
          local largest = 2 ^ random(17)
          local got, flushed = encode(e, coding, text, function() return 1 + random(largest) end, {
            room = lib.ENCODER_ROOM_MIN + random(20000),
            flush = function() return random(20) == 0 end,
          })
          assert.is_true(text == got)
          flushes = flushes + flushed
        end
        assert.is_true(flushes > 10)
      end)

      it("says nothing on a flush with nothing new, or no more than a mark", function()
        local e = open(kind, 3)
        assert.is_true(lib.encoder_start(e, UNKNOWN))
        run(e, lib.ENCODER_FEED, "abc", 4096)
        run(e, lib.ENCODER_FLUSH, "", 4096)
        assert.is_true(#run(e, lib.ENCODER_FLUSH, "", 4096) <= 16)
      end)

      it("starts anew after a stream that was left in the middle", function()
        local e, text = open(kind, 3), corpus.html(100000)
        assert.is_true(lib.encoder_start(e, UNKNOWN))
        run(e, lib.ENCODER_FEED, text, 4096)
        assert.is_true(text == encode(e, coding, text, pieces_of(5000)))
      end)

      it("keeps its memory for the next stream, and no more for the hundredth", function()
        local e, text = open(kind, 3), corpus.html(200000)
        encode(e, coding, text, pieces_of(16384))
        encode(e, coding, text, pieces_of(16384))
        local before = tonumber(lib.encoder_memory(e))
        for _ = 1, 20 do
          encode(e, coding, text, pieces_of(16384))
        end
        assert.is_true(tonumber(lib.encoder_memory(e)) <= before * 1.25)
      end)

      it("takes less than 2.5 MiB at any level, however long the stream is", function()
        local text = TEXTS[5]:rep(2)
        for level = 1, levels do
          local e = open(kind, level)
          encode(e, coding, text, pieces_of(16384))
          assert.is_true(tonumber(lib.encoder_memory(e)) < 2.5 * 1024 * 1024, "level " .. level)
        end
      end)
    end
  end)
end

describe("zstd", function()
  it("refuses a stream that is not as long as was said, instead of giving a wrong one", function()
    if not lib.encoder_available(lib.ENCODER_ZSTD) then
      return
    end
    local e = open(lib.ENCODER_ZSTD, 3)
    assert.is_true(lib.encoder_start(e, 1000))
    run(e, lib.ENCODER_FEED, ("x"):rep(10), 4096)
    assert.has_error(function()
      run(e, lib.ENCODER_FINISH, "", 4096)
    end)
  end)
end)

describe("the settings of compression", function()
  it("allow the levels that the encoders have", function()
    local most = {}
    for _, setting in ipairs(dofile("lua/config/schema.lua")) do
      most[setting.path] = setting.max
    end
    for kind = 0, lib.ENCODER_KINDS - 1 do
      local path = "compression." .. unit.text(lib.encoder_name(kind))
      if lib.encoder_available(kind) then
        assert.equal(lib.encoder_level_max(kind), most[path], path)
      end
    end
  end)
end)
