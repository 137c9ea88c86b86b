--- Decoders of content codings, by the libraries' own decoders, piece by piece.
--
--   local d = decode.start("br"); d:feed(bytes) -- what can be read by now
--   d.done -- the stream has ended; bytes behind its end are an error
--   decode.all("gzip", bytes) -- the whole of a stream that has to be complete

local ffi = require("ffi")

local decode = {}
local decoder = {}
decoder.__index = decoder

-- busted drops modules between files; a library must stay as long as anything of it may still be freed.
local libraries = rawget(_G, "tidelock_decode_libraries")
if not libraries then
  libraries = {}
  rawset(_G, "tidelock_decode_libraries", libraries)
  ffi.cdef [[
    typedef struct {
      const char *next_in; unsigned avail_in; unsigned long total_in;
      char *next_out; unsigned avail_out; unsigned long total_out;
      const char *msg; void *state, *zalloc, *zfree, *opaque; int data_type; unsigned long adler, reserved;
    } decode_z_stream;
    int inflateInit2_(decode_z_stream *, int, const char *, int);
    int inflate(decode_z_stream *, int);
    int inflateEnd(decode_z_stream *);
    void *BrotliDecoderCreateInstance(void *, void *, void *);
    void BrotliDecoderDestroyInstance(void *);
    int BrotliDecoderDecompressStream(void *, size_t *, const char **, size_t *, char **, size_t *);
    typedef struct { const char *src; size_t size, pos; } decode_zstd_in;
    typedef struct { char *dst; size_t size, pos; } decode_zstd_out;
    void *ZSTD_createDStream(void);
    size_t ZSTD_freeDStream(void *);
    size_t ZSTD_decompressStream(void *, decode_zstd_out *, decode_zstd_in *);
    unsigned ZSTD_isError(size_t);
  ]]
end

local ROOM = 64 * 1024

local function library(name)
  libraries[name] = libraries[name] or ffi.load(name)
  return libraries[name]
end

-- Each backend is a function that makes a step function: (data, length) -> bytes taken, output, ended?
local backends = {}

function backends.gzip(out)
  local z = library("libz.so.1")
  local stream = ffi.gc(ffi.new("decode_z_stream"), z.inflateEnd)
  assert(z.inflateInit2_(stream, 15 + 16, "1.2.11", ffi.sizeof(stream)) == 0)
  return function(data, len)
    stream.next_in, stream.avail_in, stream.next_out, stream.avail_out = data, len, out, ROOM
    local result = z.inflate(stream, 0)
    assert(result == 0 or result == 1 or result == -5, "not gzip: " .. result)
    return len - stream.avail_in, ROOM - stream.avail_out, result == 1
  end
end

function backends.br(out)
  local brotli = library("libbrotlidec.so.1")
  local state = ffi.gc(brotli.BrotliDecoderCreateInstance(nil, nil, nil), brotli.BrotliDecoderDestroyInstance)
  local avail_in, avail_out = ffi.new("size_t[1]"), ffi.new("size_t[1]")
  local next_in, next_out = ffi.new("const char *[1]"), ffi.new("char *[1]")
  return function(data, len)
    avail_in[0], avail_out[0], next_in[0], next_out[0] = len, ROOM, data, out
    local result = brotli.BrotliDecoderDecompressStream(state, avail_in, next_in, avail_out, next_out, nil)
    assert(result ~= 0, "not brotli")
    return len - tonumber(avail_in[0]), ROOM - tonumber(avail_out[0]), result == 1
  end
end

function backends.zstd(out)
  local zstd = library("libzstd.so.1")
  local stream = ffi.gc(zstd.ZSTD_createDStream(), zstd.ZSTD_freeDStream)
  local from, to = ffi.new("decode_zstd_in"), ffi.new("decode_zstd_out")
  return function(data, len)
    from.src, from.size, from.pos, to.dst, to.size, to.pos = data, len, 0, out, ROOM, 0
    local result = zstd.ZSTD_decompressStream(stream, to, from)
    assert(zstd.ZSTD_isError(result) == 0, "not zstd")
    return tonumber(from.pos), tonumber(to.pos), result == 0
  end
end

--- A decoder for one stream.
-- @param coding "gzip", "br" or "zstd"
function decode.start(coding)
  local out = ffi.new("char[?]", ROOM)
  return setmetatable({ out = out, step = backends[coding](out), done = false }, decoder)
end

--- What can be read of the stream with these bytes, beyond what was given before.
function decoder:feed(bytes)
  if bytes == "" then
    return "" -- zstd takes too many of these for a mistake
  end
  local pieces, at, data = {}, 0, ffi.cast("const char *", bytes)
  while not self.done do
    local taken, produced, ended = self.step(data + at, #bytes - at)
    at = at + taken
    pieces[#pieces + 1] = ffi.string(self.out, produced)
    self.done = ended
    if taken == 0 and produced == 0 then
      break
    end
  end
  assert(at == #bytes, "bytes behind the end of the stream")
  return table.concat(pieces)
end

function decode.all(coding, bytes)
  local d = decode.start(coding)
  local text = d:feed(bytes)
  assert(d.done, "the stream is cut short")
  return text
end

return decode
