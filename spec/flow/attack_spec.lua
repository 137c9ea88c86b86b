-- Many who hold connections and give little for them, beside honest requests. What it costs these is measured by
-- spec/bench/attack.

local cjson = require("cjson")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"
local EACH = 50

local function attack(p, options)
  local args = { TOOLS .. "/attack-client", "--address", p.address }
  for name, value in pairs(options) do
    args[#args + 1] = "--" .. name
    args[#args + 1] = tostring(value)
  end
  local attackers = process.start(args, { name = "attack-client" })
  attackers:wait_line("^started$")
  return attackers
end

local function report(attackers)
  attackers:signal("TERM")
  attackers:wait_exit()
  return cjson.decode(sys.read_file(attackers.stdout):match("({.*})"))
end

describe("two hundred attackers", function()
  it("are ended each for its own reason, again and again, while every honest request is served", function()
    local small, big = origin.process {}, origin.process { size = 4 * 1024 * 1024 }
    local p = proxy.start {
      workers = 2,
      config = {
        timeouts = { head = "1s", rate = "500ms" },
        limits = { body_rate = 1000, send_rate = 1000 },
      },
    }
    local session = p:registry()
    session:register("spec", "one")
    session:ok("ROUTE_ADD", "*", "/", small.url, 0)
    session:ok("ROUTE_ADD", "*", "/big", big.url, 0)
    session:ok("CONFIG_APPLY")

    local attackers = attack(p, { idle = EACH, heads = EACH, bodies = EACH, readers = EACH, path = "/big",
      every = 100 })
    local honest = load.start { url = p.url, connections = 4, rate = 200 }
    local fresh = load.start { url = p.url, connections = 2, rate = 50, close = true }
    loop.eventually(function()
      local status = p:status()
      return (status.refused.head_timeout or 0) >= 2 * EACH and (status.refused.body_slow or 0) >= 2 * EACH
        and (status.closed.client_reads_slowly or 0) >= 2 * EACH and (status.closed.client_idle or 0) >= 2 * EACH
    end, 60)
    for _, l in ipairs { honest, fresh } do
      local r = l:stop()
      assert.equal(0, r.failed)
      assert.is_true(r.requests > 0)
      assert.equal(r.requests, r.statuses["200"])
    end
    local seen = report(attackers)
    for _, kind in ipairs { "idle", "heads", "bodies", "readers" } do
      assert.is_true(seen[kind].ended >= EACH, kind)
    end
    assert.is_true(seen.heads.answers["408"] >= EACH)
    assert.is_true(seen.bodies.answers["408"] >= EACH)
    loop.soon(function() assert.is_true(p:descriptors() < 60) end)
  end)

  it("from one address leave room for others", function()
    local o = origin.process {}
    local config = { limits = { connections_per_address = 20 } }
    local p = proxy.start { workers = 2, route = { to = o.url }, config = config }
    local attackers = attack(p, { idle = 0, heads = 0, bodies = 20, readers = 0 }) -- from 127.0.0.2
    local more = process.start({ TOOLS .. "/attack-client", "--address", p.address, "--heads", "180" },
      { name = "attack-client" })
    local l = load.start { url = p.url, connections = 4, rate = 200, close = true, seconds = 2 }
    local r = l:wait()
    assert.equal(0, r.failed)
    assert.equal(r.requests, r.statuses["200"])
    assert.is_true(p:status().closed.address_full >= 160)
    assert.equal(0, report(attackers).bodies.ended)
    more:signal("TERM")
  end)
end)
