--- What one take from the rate limiter costs, with 1 source and with 100,000, in one thread.
--
-- usage: make build/libtidelock.so && luajit spec/bench/ratelimit.lua
-- 100,000 come round in an order that follows no memory, so most takes miss the processor's nearer caches.

package.path = "./?.lua;" .. package.path

local bit = require("bit")
local ffi = require("ffi")
local sys = require("spec.support.sys")
local unit = require("spec.support.unit")
local lib = unit.load("base/check.h", "guard/ratelimit.h")

local TAKES = 1e7
local ORDER = 2 ^ 17

-- The keys of count sources, over and over.
local function order_of(count)
  local keys, bytes = ffi.new("uint64_t[?]", ORDER), ffi.new("uint8_t[4]", 10)
  for i = 0, ORDER - 1 do
    local source = i % count
    bytes[1], bytes[2], bytes[3] = math.floor(source / 65536), math.floor(source / 256) % 256, source % 256
    keys[i] = lib.ratelimit_key(1, bytes, 4)
  end
  return keys
end

local function take(limiter, keys, rules, result, count)
  for i = 1, count do
    lib.ratelimit_take(limiter, keys[bit.band(i, ORDER - 1)], rules, 1, result)
  end
end

local function measure(count)
  local limiter, keys = lib.ratelimit_new(lib.RATELIMIT_SETS_LOG2), order_of(count)
  local rules = ffi.new("struct ratelimit_rules", 1e9, 3600 * 1000)
  local result = ffi.new("struct ratelimit_result")
  take(limiter, keys, rules, result, ORDER) -- so that no page is new
  local started = sys.now()
  take(limiter, keys, rules, result, TAKES)
  local spent = sys.now() - started
  print(("%6d sources: %4.0f ns a take"):format(count, spent / TAKES * 1e9))
  lib.ratelimit_free(limiter)
end

local function measure_keys()
  local bytes, mixed = ffi.new("uint8_t[4]", 10), 0ULL
  local started = sys.now()
  for i = 1, TAKES do
    bytes[3] = i % 256
    mixed = bit.bxor(mixed, lib.ratelimit_key(1, bytes, 4))
  end
  assert(mixed ~= 1ULL)
  print(("a key: %.0f ns"):format((sys.now() - started) / TAKES * 1e9))
end

measure(1)
measure(100000)
measure_keys()
