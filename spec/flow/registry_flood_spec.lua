local cjson = require("cjson")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

--- For how long each thing is asked of innocent sessions while the flood goes on, and how often at least.
local SECONDS, ROUNDS = 0.7, 10

local function status(r)
  return cjson.decode((r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$")))
end

--- Bytes answered to a flood, and its connections.
local function seen(flood)
  local bytes, opened = 0, 0
  for a, b in (sys.read_file(flood.stdout) or ""):gmatch("flooding (%d+) (%d+)\n") do
    bytes, opened = tonumber(a), tonumber(b)
  end
  return bytes, opened
end

local function start_flood(p, source, connections, line)
  local flood = process.start({ "/usr/bin/luajit", "spec/support/registry_flood.lua",
    p.registry_address:match(":(%d+)$"), source, tostring(connections), line }, { name = "flood" })
  flood:wait_line("^flooding")
  return flood
end

--- The slowest of some calls of fn, seconds.
local function slowest(fn)
  local worst, begin, i = 0, loop.now(), 0
  while i < ROUNDS or loop.now() - begin < SECONDS do
    local from = loop.now()
    i = i + 1
    fn(i)
    worst = math.max(worst, loop.now() - from)
  end
  return worst
end

local function newcomer(p, i)
  local r = p:registry()
  if p.token then
    r:ok("AUTH", p.token)
  end
  r:register("late", "late-" .. i)
  r:ok("PING")
  r:ok("CLIENT_SHUTDOWN")
  r:close()
end

--- Floods while a session works, others come and clients send requests.
-- @return what PROXY_STATUS says then
local function under_flood(p, o, flood)
  local r = p:registry()
  if p.token then
    r:ok("AUTH", p.token)
  end
  r:register("shop", "one")
  r:route { to = o.url, host = "shop.example" }
  local l = load.start { url = p.url, host = "shop.example", connections = 4, rate = 200, expect = "hello" }
  local floods = {}
  for i = 1, flood.sources or 1 do
    floods[i] = start_flood(p, "127.0.1." .. i, flood.connections, flood.line)
  end
  loop.eventually(function()
    return status(r).registry.accepted >= flood.connections
  end)
  local ping = slowest(function() assert.equal("PONG", r:call("PING")) end)
  local apply = slowest(function(i)
    r:ok("HEADERS_SET", "ALL", "X-Round", i)
    r:ok("CONFIG_APPLY")
    assert.equal(tostring(i), p:get("/", { host = "shop.example" }).headers["x-round"])
  end)
  local new = slowest(function(i) newcomer(p, i) end)
  local s = status(r)
  local bytes, opened = seen(floods[1])
  for _, one in ipairs(floods) do
    one:cleanup()
  end
  local result = l:stop()
  if os.getenv("TIDELOCK_SHOW") then
    print(("%-40s ping %.3f apply %.3f new %.3f s, requests %d p50 %d p99 %d us; flood: %d bytes, %d connections")
      :format(flood.line, ping, apply, new, result.requests, result.p50_us, result.p99_us, bytes, opened))
  end
  assert.equal(0, result.failed)
  assert.equal(result.requests, result.statuses["200"])
  assert.is_true(result.p99_us < 1000000 * loop.SLOWNESS, result.p99_us)
  for what, worst in pairs { ping = ping, apply = apply, new = new } do
    assert.is_true(worst < 5 * loop.SLOWNESS, what .. " took " .. worst)
  end
  assert.is_true(opened >= flood.connections)
  return s
end

describe("a flood on the registry", function()
  local o, p

  local function start(config)
    o = origin.process { body = "hello" }
    p = proxy.start { config = config }
    p.token = config and config.registry_token
  end

  it("of lines holds up neither traffic nor other sessions", function()
    start { limits = { registry_burst = 10, registry_lines = 20 } }
    local s = under_flood(p, o, { connections = 300, line = "PING|nobody" })
    assert.is_true(s.limits.registry_lines.refused > 0)
    assert.is_true(s.registry.lines > 500, s.registry.lines)
  end)

  it("of REGISTERs takes no place from services", function()
    start { limits = { sessions = 100 } }
    local s = under_flood(p, o, { connections = 50, line = "REGISTER|flood|f-%d|0" })
    assert.is_true(s.limits.sessions.used <= 100)
    assert.is_true(s.registry.sessions_dropped > 0)
  end)

  it("of connections that say nothing takes no place from services", function()
    start { limits = { registry_connections = 200, registry_per_address = 150 } }
    local s = under_flood(p, o, { connections = 300, line = "", sources = 2 })
    assert.is_true(s.registry.connections <= 200)
    assert.is_true(s.registry.closed.made_room > 0)
    assert.is_true(p:descriptors() < 400, p:descriptors())
  end)

  it("of guesses makes the guesser wait, and nobody who knows", function()
    start { registry_token = "secret" }
    local s = under_flood(p, o, { connections = 200, line = "AUTH|guess-%d" })
    assert.is_true(s.registry.auth_failures >= 5, s.registry.auth_failures)
    assert.is_true(s.registry.auth_delayed > 0)
    local _, told = p:log():gsub("Wrong token", "")
    assert.is_true(told >= 1 and told <= 60, told)
  end)
end)
