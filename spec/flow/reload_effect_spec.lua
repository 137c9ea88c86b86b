local cjson = require("cjson")
local checks = require("spec.flow.checks")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

local STEPS, STEP = 9, 100
local RELOADS = (STEPS + 1) * STEP
local GROWTH_MAX = 64 * 1024 -- for a step: less than a KiB for a reload
local SANITIZED = (os.getenv("TIDELOCK_BUILD") or ""):find("san") ~= nil

--- A script for pages that all say one word.
local function pages(word)
  return ([[
local function text(page) return %q .. page.status .. " " .. (page.service or "") .. "\n" end
local json = require("json")
return {
  summary = "", html = text, text = text,
  json = function() return json.encode(json.object("word", %q)) end,
}
]]):format(word, word)
end

local function policy(state)
  return ('return { summary = "", judge = function() return %q, "own", 0.5 end }'):format(state)
end

describe("a reload", function()
  it("changes the proxy's own pages, at once for all workers", function()
    local files, r, p = reloads.start { workers = 2, config = { scripts_watch = false } }
    for i, word in ipairs({ "red", "blue", "green" }) do
      files:save("maintenance/page.lua", pages(word))
      assert.equal(("SCRIPTS_RELOAD_OK|%d|changed"):format(i + 1), r:call("SCRIPTS_RELOAD"))
      for _ = 1, 8 do
        assert.equal(word .. "404 \n", p:get("/", { headers = { Accept = "text/plain" } }).body)
      end
    end
    files:remove("maintenance/page.lua")
    r:ok("SCRIPTS_RELOAD")
    assert.is_nil(p:get("/", { headers = { Accept = "text/plain" } }).body:find("green"))
  end)

  it("changes the page of what is in maintenance", function()
    local files, r, p = reloads.start()
    r:route { to = "http://127.0.0.1:1" }
    r:ok("MAINT_ENTER", "ALL")
    files:save("maintenance/page.lua", pages("closed"))
    reloads.event(r)
    assert.equal("closed503 shop\n", p:get("/", { headers = { Accept = "text/plain" } }).body)
  end)

  it("changes what a health policy says from the next check on", function()
    local files, r = reloads.start {
      files = { ["health/own.lua"] = policy("healthy") }, config = { health_checks = true },
    }
    local o = origin.start()
    checks.route(r, o.url, { policy = "own", interval = "10ms" })
    checks.wait_state(r, "healthy")
    files:save("health/own.lua", policy("degraded"))
    local health = checks.wait_state(r, "degraded")
    assert.equal(50, health.share_percent)
    local before = health.checks
    files:remove("health/own.lua")
    health = checks.wait_state(r, "healthy")
    assert.equal("default", health.policy)
    assert.is_true(health.checks > before)
  end)

  it("comes with SIGHUP, beside the configuration", function()
    local files, r, p = reloads.start { config = { scripts_watch = false } }
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    p:write_config { scripts_watch = false, unknown_host = 503 }
    p:reload()
    reloads.wait_answer(r, "FRESH_OK", "FRESH")
    loop.eventually(function() return p:get("/").status == 503 end)
    assert.equal(2, reloads.event(r).scripts_generation)
    p:wait_log('(generation 2 in service" why=signal)')
  end)

  it("is told by SCRIPTS_STATUS", function()
    local files, r = reloads.start()
    local before = reloads.status(r)
    assert.same({ 1, files.dir, true, cjson.null, cjson.null, cjson.null, 0, {} },
      { before.generation, before.directory, before.watched, before.last_good, before.last_error, before.rolled_back,
        before.failures, before.policies_off })
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reloads.event(r)
    local after = reloads.status(r)
    assert.same({ 2, 1, #before.files + 1 }, { after.generation, after.last_good, #after.files })
    assert.is_truthy(after.since:find("^%d+%-%d+%-%d+T"))
  end)
end)

describe(("%d reloads under load"):format(RELOADS), function()
  --- What may not change: sessions, a tripped circuit, counters.
  local function facts(r, opened)
    local status = cjson.decode((r:ok("ROUTE_STATUS", opened)))
    assert.equal("circuit_open", status.effective.reason)
    return { cjson.decode((r:ok("STATS_GET", opened))), r:ok("ROUTE_LIST"), status.effective }
  end

  it("lose no request, no session, no circuit, no counter and no memory", function()
    local files, r, p = reloads.start { workers = 2, config = { scripts_watch = false } }
    local o = origin.process { name = "a", body = "fine" }
    r:route { to = o.url, host = "busy.example" }
    local opened = r:route {
      to = origin.refusing_url(), host = "dead.example", circuit = { threshold = 1, cooldown = "1h" },
    }
    p:get("/", { host = "dead.example" })
    loop.eventually(function() -- it is counted after the answer
      return cjson.decode((r:ok("STATS_GET", opened))).requests == 1
    end)
    local before = facts(r, opened)
    local l = load.start { url = p.url, host = "busy.example", expect = "fine", connections = 8, rate = 500 }
    local grown = p:growth(STEPS, function(step)
      for i = step * STEP + 1, (step + 1) * STEP do
        files:save("commands/fresh.lua", reloads.command("FRESH", "-- " .. i))
        assert.equal(("SCRIPTS_RELOAD_OK|%d|changed"):format(i + 1), r:call("SCRIPTS_RELOAD"))
        r.events = {}
      end
    end)
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.equal(result.requests, result.statuses["200"])
    assert.same(before, facts(r, opened))
    loop.eventually(function() return cjson.decode((r:ok("STATS_GET", "r1"))).requests == result.requests end)
    assert.equal("FRESH_OK", r:call("FRESH"))
    -- The sanitizers keep freed memory for a while, and look for leaks themselves.
    assert.is_true(SANITIZED or grown < GROWTH_MAX, ("%d reloads take %d bytes"):format(STEP, grown))
  end)
end)
