local sys = require("spec.support.sys")
local unit = require("spec.support.unit")
local bit = require("bit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/ratelimit.h")

local NOW = 5000000000 -- microseconds
local ENTRIES = 7      -- of a set

local function new(sets_log2)
  return ffi.gc(lib.ratelimit_new(sets_log2), lib.ratelimit_free)
end

-- Takes one of `requests` in `window_ms`; what remains, or nil when refused.
local function take(limiter, key, requests, window_ms, now)
  local rules = ffi.new("struct ratelimit_rules", requests, window_ms)
  local result = ffi.new("struct ratelimit_result")
  lib.ratelimit_take(limiter, key, rules, now or NOW, result)
  return result.allowed and tonumber(result.remaining) or nil
end

local function key_of(address, group)
  local bytes = ffi.new("uint8_t[16]")
  local len = 0
  for number in address:gmatch("%x+") do
    if address:find(":") then
      number = tonumber(number, 16)
      bytes[len], bytes[len + 1] = math.floor(number / 256), number % 256
      len = len + 2
    else
      bytes[len], len = tonumber(number), len + 1
    end
  end
  return lib.ratelimit_key(group or 1, bytes, len)
end

describe("rate limit key", function()
  it("is the same for the same source and group", function()
    assert.equal(key_of("192.0.2.1"), key_of("192.0.2.1"))
    assert.equal(key_of("2001:db8:0:1:0:0:0:1"), key_of("2001:db8:0:1:0:0:0:1"))
  end)

  it("takes every bit of an IPv4 address", function()
    local bytes, seen = ffi.new("uint8_t[4]", 192, 0, 2, 1), {}
    seen[tostring(lib.ratelimit_key(1, bytes, 4))] = true
    for i = 0, 31 do
      local at = math.floor(i / 8)
      local before = bytes[at]
      bytes[at] = bit.bxor(before, bit.lshift(1, i % 8))
      local key = tostring(lib.ratelimit_key(1, bytes, 4))
      assert.is_nil(seen[key])
      seen[key] = true
      bytes[at] = before
    end
  end)

  it("takes the first half of an IPv6 address", function()
    local first = key_of("2001:db8:0:1:0:0:0:1")
    assert.equal(first, key_of("2001:db8:0:1:ffff:ffff:ffff:ffff"))
    assert.equal(first, key_of("2001:db8:0:1:0:ffff:c000:201"))
    for _, other in ipairs({ "2001:db8:0:2:0:0:0:1", "2001:db8:1:1:0:0:0:1", "a001:db8:0:1:0:0:0:1" }) do
      assert.are_not.equal(first, key_of(other))
    end
  end)

  it("takes an IPv4 address in IPv6 as that address", function()
    assert.equal(key_of("192.0.2.1"), key_of("0:0:0:0:0:ffff:c000:201"))
    assert.are_not.equal(key_of("192.0.2.2"), key_of("0:0:0:0:0:ffff:c000:201"))
    -- Not mapped: a prefix like any other.
    assert.equal(key_of("0:0:0:0:0:0:0:1"), key_of("0:0:0:0:0:fffe:c000:201"))
  end)

  it("differs between groups", function()
    local seen = {}
    for group = 0, 63 do
      for _, id in ipairs({ 2ULL ^ group, 2ULL ^ group + 1000 }) do
        local key = tostring(key_of("192.0.2.1", id))
        assert.is_nil(seen[key])
        seen[key] = true
      end
    end
  end)
end)

describe("rate limit table", function()
  it("counts sources and groups apart", function()
    local limiter = new(lib.RATELIMIT_SETS_LOG2)
    for _, key in ipairs({ key_of("192.0.2.1", 1), key_of("192.0.2.2", 1), key_of("192.0.2.1", 2) }) do
      assert.equal(1, take(limiter, key, 2, 1000))
      assert.equal(0, take(limiter, key, 2, 1000))
      assert.is_nil(take(limiter, key, 2, 1000))
    end
  end)

  context("of one set that is full", function()
    local limiter

    -- Source i is at rest again in i seconds.
    before_each(function()
      limiter = new(0)
      for key = ENTRIES, 1, -1 do
        assert.equal(9, take(limiter, key, 10, key * 10000))
      end
    end)

    it("has forgotten nobody", function()
      for key = 1, ENTRIES do
        assert.equal(8, take(limiter, key, 10, key * 10000))
      end
      assert.equal(0, tonumber(lib.ratelimit_evicted(limiter)))
    end)

    it("forgets the source that would be at rest first, and counts that", function()
      assert.equal(9, take(limiter, 100, 10, 80000))
      assert.equal(1, tonumber(lib.ratelimit_evicted(limiter)))
      for key = 2, ENTRIES do
        assert.equal(8, take(limiter, key, 10, key * 10000))
      end
      assert.equal(9, take(limiter, 1, 10, 10000)) -- in the place of source 2
      assert.equal(2, tonumber(lib.ratelimit_evicted(limiter)))
    end)

    it("forgets sources at rest without counting them", function()
      for key = 101, 103 do
        assert.equal(9, take(limiter, key, 10, 100000, NOW + 3000000))
      end
      assert.equal(0, tonumber(lib.ratelimit_evicted(limiter)))
      for key = 4, ENTRIES do
        assert.is_true(take(limiter, key, 10, key * 10000, NOW + 3000000) < 9)
      end
      assert.equal(9, take(limiter, 104, 10, 100000, NOW + 3000000))
      assert.equal(1, tonumber(lib.ratelimit_evicted(limiter)))
    end)

    it("keeps one who makes many requests when new sources come", function()
      take(limiter, 5, 10, 100000)
      for key = 1000, 2000 do
        assert.equal(9, take(limiter, key, 10, 10000))
      end
      assert.is_true(take(limiter, 5, 10, 100000) < 8)
    end)

    it("counts the sources that are not at rest", function()
      for seconds = 0, ENTRIES do
        assert.equal(ENTRIES - seconds, tonumber(lib.ratelimit_sources(limiter, NOW + seconds * 1000000)))
      end
    end)
  end)

  it("is empty at first", function()
    local limiter = new(lib.RATELIMIT_SETS_LOG2)
    assert.equal(0, tonumber(lib.ratelimit_sources(limiter, 0)))
    assert.equal(0, tonumber(lib.ratelimit_evicted(limiter)))
  end)
end)

-- Calls visit(key) for 100,000 sources of a kind.
local KINDS = {
  ["IPv4 addresses in a row"] = function(visit)
    local bytes = ffi.new("uint8_t[4]", 10)
    for i = 0, 99999 do
      bytes[1], bytes[2], bytes[3] = math.floor(i / 65536), math.floor(i / 256) % 256, i % 256
      visit(lib.ratelimit_key(7, bytes, 4))
    end
  end,
  ["IPv4 networks, one address of each"] = function(visit)
    local bytes = ffi.new("uint8_t[4]", 0, 0, 0, 1)
    for i = 0, 99999 do
      bytes[2], bytes[1], bytes[0] = i % 256, math.floor(i / 256) % 256, math.floor(i / 65536)
      visit(lib.ratelimit_key(7, bytes, 4))
    end
  end,
  ["IPv6 networks in a row"] = function(visit)
    local bytes = ffi.new("uint8_t[16]", 0x20, 0x01, 0x0d, 0xb8)
    for i = 0, 99999 do
      bytes[5], bytes[6], bytes[7] = math.floor(i / 65536), math.floor(i / 256) % 256, i % 256
      visit(lib.ratelimit_key(7, bytes, 16))
    end
  end,
}

describe("rate limit table of the usual size", function()
  for kind, each in pairs(KINDS) do
    it("holds 100,000 sources (" .. kind .. ") and forgets hardly any too early", function()
      local limiter = new(lib.RATELIMIT_SETS_LOG2)
      local rules = ffi.new("struct ratelimit_rules", 10, 1000)
      local result = ffi.new("struct ratelimit_result")
      each(function(key)
        lib.ratelimit_take(limiter, key, rules, NOW, result)
      end)
      local evicted = tonumber(lib.ratelimit_evicted(limiter))
      assert.is_true(evicted < 100, evicted .. " forgotten") -- 15 are to be expected
      assert.equal(100000 - evicted, tonumber(lib.ratelimit_sources(limiter, NOW)))
    end)
  end

  -- Kilobytes of this process in memory.
  local function resident()
    return tonumber(sys.read_file("/proc/self/smaps_rollup"):match("\nRss:%s+(%d+) kB"))
  end

  it("takes no memory before sources come, and 8 MiB at most", function()
    collectgarbage()
    collectgarbage("stop")
    local before = resident()
    local limiter = new(lib.RATELIMIT_SETS_LOG2)
    local empty = resident() - before
    lib.ratelimit_sources(limiter, NOW)
    local walked = resident() - before
    local rules, result = ffi.new("struct ratelimit_rules", 10, 1000), ffi.new("struct ratelimit_result")
    KINDS["IPv4 addresses in a row"](function(key)
      lib.ratelimit_take(limiter, key, rules, NOW, result)
    end)
    local full = resident() - before
    collectgarbage("restart")
    assert.is_true(empty <= 256, empty .. " kB when empty")
    assert.is_true(walked <= 256, walked .. " kB when walked")
    -- The interpreter's boxed keys are in it, 100,000 of 24 bytes.
    assert.is_true(full >= 8000 and full <= 8192 + 4096, full .. " kB with 100,000 sources")
  end)
end)
