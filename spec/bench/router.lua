--- What a route look-up costs with few and with many routes: 10 and 10,000 hosts, 10 and 10,000 paths on one host.
--
-- usage: make build/libtidelock.so && luajit spec/bench/router.lua
-- Look-ups go round over at most 10 keys in each case, so that what is compared is the look-up, not the caches that
-- 10,000 different keys would miss; a second column goes over all of them.

package.path = "./?.lua;" .. package.path

local ffi = require("ffi")
local control_thread = require("spec.unit.config.control_thread")
local snapshots = require("spec.unit.config.snapshots")
local sys = require("spec.support.sys")
local lib = snapshots.lib

local LOOKUPS = 3e6

local function route(kind, i)
  if kind == "hosts" then
    return ("h%d.example"):format(i), "/", "/index.html"
  end
  return "one.example", ("/service%d/api"):format(i), ("/service%d/api/items"):format(i)
end

local function slice(text)
  return ffi.new("struct slice", { text, #text })
end

local function nanoseconds(snapshot, keys)
  local router, count = ffi.cast("const struct router *", snapshot.router), #keys
  local started = sys.now()
  local missed = 0
  for i = 0, LOOKUPS - 1 do
    local key = keys[i % count + 1]
    if lib.router_match(router, key[1], key[2], 0) == nil then
      missed = missed + 1
    end
  end
  assert(missed == 0)
  return (sys.now() - started) / LOOKUPS * 1e9
end

local function measure(kind, count)
  local settings = lib.settings_new()
  local draft = snapshots.open(settings)
  local keys, anchors = {}, {}
  for i = 1, count do
    local host, path, asked = route(kind, i)
    draft:put({ domains = { host }, path = path, url = "http://127.0.0.1:1" })
    anchors[#anchors + 1], anchors[#anchors + 2] = host, asked
    keys[i] = { slice(host), slice(asked) }
  end
  local snapshot = draft:commit()
  local few = {}
  for i = 1, 10 do
    few[i] = keys[i * math.floor(count / 10)]
  end
  print(("%-6s %6d routes: %4.0f ns a look-up, %4.0f ns over all of them"):format(kind, count,
    nanoseconds(snapshot, few), nanoseconds(snapshot, keys)))
  draft:close()
  lib.settings_unref(settings)
  return anchors
end

control_thread.enter()
for _, kind in ipairs({ "hosts", "paths" }) do
  for _, count in ipairs({ 10, 10000 }) do
    measure(kind, count)
  end
end
control_thread.leave()
