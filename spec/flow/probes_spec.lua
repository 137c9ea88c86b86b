--- Backends and page servers that accept and say nothing: asking them costs descriptors, but never those of others.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local SESSIONS, PLACES = 60, 8 -- of 128 descriptors control keeps 32, half of them for probes, in two lanes

local function silent()
  return origin.raw(function(stream)
    stream:read_all()
  end)
end

local function probes(r)
  return cjson.decode((r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$"))).limits.probes
end

--- Most connections that it has while fn is not true.
local function most_connections(o, fn)
  local most = 0
  loop.soon(function()
    most = math.max(most, o:connections())
    fn()
  end)
  return most
end

describe("probes", function()
  it("of pages that never answer are a few at a time, and clients are served meanwhile", function()
    local page, good = silent(), origin.start()
    local p = proxy.start { workers = 1, descriptors = 128, route = { to = good.url } }
    local r = p:registry()
    for i = 1, SESSIONS do
      r:register("service", "i" .. i)
      assert.equal("ACK", r:call("MAINT_ENTER", "ALL", page.url))
    end
    local most = most_connections(page, function()
      local now = probes(p.session)
      assert.equal(PLACES, now.used)
      assert.equal(2 * PLACES, now.limit)
      assert.is_true(now.refused >= SESSIONS - PLACES)
      assert.equal(PLACES, page:connections())
    end)
    assert.equal(PLACES, most)
    for _ = 1, 20 do
      assert.equal(200, p:get("/").status)
    end
    assert.equal(PLACES, page:connections())
  end)

  it("of health keep no command waiting, and those that find no place have their turn", function()
    local mute, good = silent(), origin.start()
    local p = proxy.start { workers = 1, descriptors = 128, config = { health_checks = true }, route = { to = good.url } }
    local s = p:registry()
    s:register("many", "one")
    for i = 1, SESSIONS do
      local id = s:ok("ROUTE_ADD", ("h%d.example"):format(i), "/", mute.url, 0)
      s:ok("HEALTH_SET", id, "/health/" .. i, "100s", "300ms")
    end
    s:ok("CONFIG_APPLY")
    loop.soon(function()
      assert.equal(PLACES, mute:connections())
    end)
    assert.matches("^BACKEND_OK", p.session:call("BACKEND_TEST", good.url))
    for i = 1, SESSIONS do
      loop.soon(function()
        local status = cjson.decode((s:call("CIRCUIT_BREAKER_STATUS", "r" .. i):match("|(.*)$")))
        assert.is_false(status.healthy)
      end, 30)
    end
    loop.soon(function()
      assert.equal(0, probes(p.session).used)
    end)
  end)
end)
