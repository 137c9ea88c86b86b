local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

local colour = reloads.colour

local FAILS = 'if true then error("out of paint") end'
local HANGS = "while true do end"
local FAILED = "ERROR|internal error in command COLOUR"

--- A proxy whose first generation answers COLOUR|red and whose second, in service, has this body.
local function start_with(body, config)
  local files, r, p = reloads.start { files = { ["commands/colour.lua"] = colour("red") }, config = config }
  files:save("commands/colour.lua", colour("blue", body))
  assert.equal(2, reloads.event(r).scripts_generation)
  return files, r, p
end

local function fail(r, times)
  for _ = 1, times do
    assert.equal(FAILED, r:call("COLOUR"))
  end
end

describe("a generation whose scripts fail in service", function()
  for what, body in pairs({ ["by errors"] = FAILS, ["by taking too long"] = HANGS }) do
    it(what .. " is taken back for the one before, loudly", function()
      local _, r, p = start_with(body)
      fail(r, 5)
      local event = reloads.event(r)
      assert.same({ 1, 2, { "commands/colour.lua" } },
        { event.scripts_generation, event.scripts_rolled_back, event.changed })
      assert.is_truthy(event.reason:find("^COLOUR: commands/colour.lua:5: "), event.reason)
      assert.equal("COLOUR|red", r:call("COLOUR"))
      p:wait_log('(level=error msg="%[scripts%] generation 2 fails in service, back to generation 1" failures=5)')
      local status = reloads.status(r)
      assert.same({ 1, 0, 2, "commands/colour.lua", 5 }, { status.generation, status.failures,
        status.rolled_back.generation, status.rolled_back.file, status.rolled_back.line })
    end)
  end

  it("stays away until its files change, then the new ones serve", function()
    local files, r, p = start_with(FAILS)
    fail(r, 5)
    reloads.event(r)
    local refusal = r:call("SCRIPTS_RELOAD")
    assert.is_truthy(refusal:find("ERROR|generation 2 failed in service, change its files: COLOUR: commands/colour", 1,
      true), refusal)
    p:reload()
    p:wait_log("(configuration reloaded)")
    files:save("commands/colour.lua", files:read("commands/colour.lua"))
    assert.equal("COLOUR|red", r:call("COLOUR"))
    files:save("commands/colour.lua", colour("green"))
    assert.equal(3, reloads.event(r).scripts_generation)
    assert.equal("COLOUR|green", r:call("COLOUR"))
    assert.equal(require("cjson").null, reloads.status(r).rolled_back)
  end)

  it("is left alone below the threshold", function()
    local _, r = start_with(FAILS)
    fail(r, 4)
    local status = reloads.status(r)
    assert.same({ 2, 4, 1 }, { status.generation, status.failures, status.last_good })
    assert.equal("COLOUR: commands/colour.lua:5: out of paint", status.last_failure.reason)
  end)

  it("is left alone when it fails less often than the window says", function()
    local _, r = start_with(FAILS, { scripts_rollback = { failures = 2, window = "1s" } })
    fail(r, 1)
    loop.eventually(function() return reloads.status(r).failures == 0 end)
    fail(r, 1)
    assert.equal(2, reloads.status(r).generation)
    fail(r, 1)
    loop.eventually(function() return reloads.status(r).generation == 1 end)
  end)

  it("is left alone when that is switched off", function()
    local _, r = start_with(FAILS, { scripts_rollback = { failures = 0 } })
    fail(r, 20)
    assert.equal(2, reloads.status(r).generation)
  end)

  it("as the first one has nothing to go back to, which is said once", function()
    local _, r, p = reloads.start { files = { ["commands/colour.lua"] = colour("red", FAILS) } }
    fail(r, 12)
    p:wait_log("(there is no generation to go back to)")
    assert.equal(1, reloads.count_log(p, "no generation to go back to"))
    assert.equal("PONG", r:call("PING"))
    assert.equal(1, reloads.status(r).generation)
  end)

  it("goes past one that failed as well", function()
    local files, r = start_with(FAILS)
    fail(r, 1)
    files:save("commands/colour.lua", colour("green", FAILS))
    assert.equal(3, reloads.event(r).scripts_generation)
    assert.equal(1, reloads.status(r).last_good)
    fail(r, 5)
    assert.equal(1, reloads.event(r).scripts_generation)
    assert.equal("COLOUR|red", r:call("COLOUR"))
  end)

  it("because of what finishes its commands is taken back, too", function()
    local files, r = reloads.start()
    local broken = files:read("commands/config.lua"):gsub("finish = [%w_]+", 'finish = function() error("torn") end')
    files:save("commands/config.lua", broken)
    reloads.event(r)
    for _ = 1, 5 do
      assert.is_truthy(r:call("CONFIG_APPLY"):find("^ERROR|internal error in command CONFIG_APPLY"))
    end
    assert.equal(2, reloads.event(r).scripts_rolled_back)
    assert.equal("OK", r:call("CONFIG_APPLY"))
  end)
end)

describe("a health policy that fails in service", function()
  local function start(body)
    local files, r, p = reloads.start { config = { health_checks = true } }
    files:save("health/own.lua", ('return { summary = "", judge = function(check) %s end }'):format(body))
    assert.equal(2, reloads.event(r).scripts_generation)
    return files, r, p
  end

  it("is switched off by itself, and rise and fall decide", function()
    local files, r, p = start('error("no idea")')
    local o = origin.start(function() return { status = 200 } end)
    checks.route(r, o.url, { policy = "own", interval = "10ms" })
    local event = reloads.event(r)
    assert.same({ 2, "own", "health/own.lua", 1 },
      { event.scripts_generation, event.policy_off, event.file, event.line })
    assert.is_true(checks.health(r).policy_off)
    assert.same({ 2, { "own" }, 1 }, (function(s) return { s.generation, s.policies_off, s.failures } end)(
      reloads.status(r)))
    p:wait_log('(level=error msg="%[scripts%] health policy switched off until scripts change" policy=own)')
    o:respond(function() return { status = 503 } end)
    checks.wait_state(r, "down")
    files:save("health/own.lua", 'return { summary = "", judge = function() return "degraded", "so_so", 0.5 end }')
    checks.wait_state(r, "degraded")
    assert.is_false(checks.health(r).policy_off)
  end)

  it("counts once for its generation", function()
    local files, r = start('error("no idea")')
    for i = 2, 5 do
      files:save(("health/own%d.lua"):format(i), files:read("health/own.lua"))
    end
    reloads.event(r)
    local o = origin.start(function() return { status = 200 } end)
    for i = 1, 5 do
      checks.route(r, o.url, { host = ("h%d.example"):format(i), policy = "own" .. (i > 1 and i or ""),
        interval = "10ms" })
    end
    for _ = 1, 5 do
      assert.is_truthy(reloads.event(r).policy_off)
    end
    assert.equal(3, reloads.event(r).scripts_rolled_back)
  end)
end)
