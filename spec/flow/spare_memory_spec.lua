-- timeouts.spare_memory: what a worker keeps for reuse goes back when nobody needed it for so long.

local loop = require("spec.support.loop")
local load = require("spec.support.load")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local KIB, MIB = 1024, 1024 * 1024
local CLIENTS = 400
local HEAD = "GET / HTTP/1.1\r\nX-Long: " .. ("0123456789abcdef"):rep(12 * KIB / 16)

local function start(spare_memory)
  local o = origin.start(function() return {} end)
  return proxy.start { workers = 1, route = { to = o.url, host = "a.test" },
    config = { limits = { buffer_size = "16k" }, timeouts = { spare_memory = spare_memory } } }
end

--- Clients come with heads that fill a block each, and go.
-- @return memory before, and while they are there
local function surge(p)
  p:get("/")
  local before = p:rss()
  local held = {}
  for i = 1, CLIENTS do
    held[i] = p:connect()
    held[i]:send(HEAD)
  end
  loop.eventually(function() return p:status().buffer_bytes >= CLIENTS * 16 * KIB end)
  local peak = p:rss()
  for _, c in ipairs(held) do
    c:close()
  end
  loop.eventually(function() return p:status().buffer_bytes <= 64 * KIB end)
  return before, peak
end

-- A sanitizer keeps what was freed, so there memory says nothing.
local measured = loop.SLOWNESS == 1 and it or function() end

describe("timeouts.spare_memory", function()
  measured("gives the memory of a surge back to the system, again and again", function()
    local p = start("100ms")
    local before, peak = surge(p)
    assert.is_true(peak - before > 4 * MIB, peak - before)
    for _ = 1, 3 do
      loop.eventually(function() return p:rss() - before < 1536 * KIB end)
      surge(p)
    end
    assert.equal(200, p:get("/").status)
  end)

  measured("keeps it until then", function()
    local p = start("1h")
    local before, peak = surge(p)
    assert.is_true(p:rss() - before > (peak - before) / 2)
  end)

  measured("follows the settings", function()
    local p = start("1h")
    local before = surge(p)
    p:write_config { limits = { buffer_size = "16k" }, timeouts = { spare_memory = "100ms" } }
    p:reload()
    loop.eventually(function() return p:rss() - before < 1536 * KIB end)
  end)

  it("takes nothing away from requests that go on meanwhile", function()
    local p = start("20ms")
    local requests = load.start { url = p.url, host = "a.test", connections = 32 }
    for _ = 1, 3 do
      surge(p)
    end
    local result = requests:stop()
    assert.same({ 0, result.requests }, { result.failed, result.statuses["200"] })
  end)
end)
