-- What the content codings cost and give: CPU time per MiB, ratio and memory for each coding and level, on pages and
-- API answers (spec/support/corpus.lua), fed in pieces of 16 KiB as the proxy does.
--
-- usage: luajit spec/bench/compress.lua [SIZE_KIB [MIB]]     (bytes of one answer, bytes encoded for each figure)
package.path = "./?.lua;" .. package.path
local corpus = require("spec.support.corpus")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/clock.h", "encode/encoder.h")

local size = (tonumber(arg[1]) or 256) * 1024
local total = (tonumber(arg[2]) or 16) * 1024 * 1024
local PIECE, ROOM = 16 * 1024, 16 * 1024
local out, written, input = ffi.new("char[?]", ROOM), ffi.new("size_t[1]"), ffi.new("struct slice[1]")

local function run(encoder, order, data, len)
  local produced, result = 0
  input[0].data, input[0].len = data, len
  repeat
    result = lib.encoder_run(encoder, order, input, out, ROOM, written)
    produced = produced + tonumber(written[0])
  until result ~= lib.ENCODE_FULL
  assert(result == lib.ENCODE_DONE)
  return produced
end

local function encode(encoder, text)
  local data, produced = ffi.cast("const char *", text), 0
  assert(lib.encoder_start(encoder, #text))
  for at = 0, #text - 1, PIECE do
    produced = produced + run(encoder, lib.ENCODER_FEED, data + at, math.min(PIECE, #text - at))
  end
  return produced + run(encoder, lib.ENCODER_FINISH, data, 0)
end

local function measure(kind, level, texts)
  local e = lib.encoder_new(kind, level)
  local taken, produced = 0, 0
  encode(e, texts[1])
  local start = os.clock()
  while taken < total do
    for _, text in ipairs(texts) do
      produced = produced + encode(e, text)
      taken = taken + #text
    end
  end
  local spent = os.clock() - start
  local memory = tonumber(lib.encoder_memory(e)) / 1024
  local holder = ffi.new("struct encoder *[1]", e)
  lib.encoder_free(holder)
  return spent / (taken / 1048576) * 1000, taken / produced, memory
end

local texts = { corpus.html(size), corpus.json(size) }
print(("answers of %d KiB, half pages, half JSON"):format(size / 1024))
print(("%-6s %5s %10s %7s %10s"):format("coding", "level", "ms per MiB", "ratio", "memory KiB"))
for kind = 0, lib.ENCODER_KINDS - 1 do
  for level = 1, lib.encoder_available(kind) and lib.encoder_level_max(kind) or 0 do
    local ms, ratio, memory = measure(kind, level, texts)
    print(("%-6s %5d %10.2f %7.2f %10.0f"):format(unit.text(lib.encoder_name(kind)), level, ms, ratio, memory))
  end
end
