local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local FAST = "10ms"

--- A backend that answers one status after the other, then the last for ever: "200 503 200".
local function sequence(statuses)
  local list = {}
  for status in statuses:gmatch("%d+") do
    list[#list + 1] = tonumber(status)
  end
  return origin.start(function()
    return { status = #list > 1 and table.remove(list, 1) or list[1] }
  end)
end

--- A proxy with policies of one's own and a route that uses the first of them.
local function start_with(policies, url, name, config)
  local dir = checks.scripts(policies)
  finally(function() os.execute("rm -rf " .. dir) end)
  local p, r = checks.start { scripts = dir, config = config }
  checks.route(r, url, { policy = name or "own", interval = FAST })
  return p, r
end

local function wait_checks(r, count)
  return loop.eventually(function()
    local health = checks.health(r)
    return health.checks >= count and health
  end)
end

describe("the default policy", function()
  it("takes a member down with its third failure in a row and back with its second pass", function()
    local o = sequence("200 503 503 200 503 503 503 200 503 200 200")
    local _, r = checks.start()
    checks.route(r, o.url, { interval = FAST })
    assert.equal("healthy", checks.event(r).state)
    local down = checks.event(r)
    assert.same({ "down", "status_503", false }, { down.state, down.reason, down.healthy })
    assert.is_true(o:count() >= 7)
    assert.equal("healthy", checks.event(r).state)
    assert.is_true(o:count() >= 11)
  end)

  it("lets a member that flaps wait longer", function()
    local flap = "503 503 503 200 200 "
    local o = sequence("200 " .. flap:rep(2) .. "503 503 503 200 200 200 200 200 200")
    local _, r = checks.start()
    checks.route(r, o.url, { interval = FAST })
    local states = {}
    for i = 1, 7 do
      states[i] = checks.event(r).state
    end
    assert.same({ "healthy", "down", "healthy", "down", "healthy", "down", "healthy" }, states)
    assert.is_true(o:count() >= 20)
  end)
end)

describe("the policy ratio", function()
  it("degrades a member to the share of passed checks", function()
    local o = sequence("200 503 200 200")
    local _, r = checks.start()
    checks.route(r, o.url, { interval = FAST, policy = "ratio" })
    assert.equal("healthy", checks.event(r).state)
    local degraded = checks.event(r)
    assert.same({ "degraded", 0.5, true, "1_of_2_passed" },
      { degraded.state, degraded.share, degraded.healthy, degraded.reason })
    assert.same({ "healthy", 1 }, { (function(e) return e.state, e.share end)(checks.event(r)) })
  end)

  it("moves the share with the results, and says so once", function()
    local count = 0
    local o = origin.start(function()
      count = count + 1
      return { status = count % 2 == 1 and 200 or 503 }
    end)
    local _, r = checks.start()
    checks.route(r, o.url, { interval = FAST, policy = "ratio" })
    assert.equal("healthy", checks.event(r).state)
    assert.equal(0.5, checks.event(r).share)
    loop.eventually(function()
      local share = checks.health(r).share_percent
      return share > 51 and share < 60
    end)
    assert.same({}, r.events)
  end)
end)

describe("a policy of one's own", function()
  it("is written as scripts/README.md says", function()
    local example = sys.read_file("scripts/README.md"):match("health/patient%.lua`.-```lua\n(.-)```")
    local dir = checks.scripts {}
    finally(function() os.execute("rm -rf " .. dir) end)
    sys.write_file(dir .. "/health/patient.lua", example)
    local _, r = checks.start { scripts = dir }
    checks.route(r, sequence("200 503 503 503 503 503 503 200").url, { policy = "patient", interval = FAST })
    assert.equal("healthy", checks.event(r).state)
    assert.equal("status_503", checks.event(r).reason)
    assert.is_true(checks.health(r).checks >= 7)
    assert.equal("healthy", checks.event(r).state)
  end)

  it("gets the facts of the check", function()
    local p, r = start_with({ own = [[
      if check.count == 4 then
        print(("facts %d %d %d %s %s %s %s %s %s"):format(check.passed, check.failed, check.changes, check.state,
          tostring(check.status), tostring(check.error), tostring(check.results[1]), tostring(check.results[4]),
          type(check.since_ms) == "number" and type(check.latency_ms) == "number"))
      end
      return check.failed > 0 and "down" or "healthy"]] }, sequence("200 200 503 503").url)
    wait_checks(r, 4)
    p:wait_log("(facts 0 2 1 down 503 status_503 false true true)")
  end)

  it("is not asked for the first result", function()
    local _, r = start_with({ own = 'return check.count == 1 and "degraded" or "healthy", nil, 0.5' },
      origin.refusing_url())
    assert.equal("down", checks.event(r).state)
    assert.equal("healthy", checks.event(r).state)
  end)

  it("can be refused by name", function()
    local _, r = start_with({ own = 'return "healthy"' }, origin.start().url)
    assert.equal("ERROR|unknown health policy: none; there are default, own, ratio",
      r:call("OPTIONS_SET", "r1", "health_policy", "none"))
  end)

  it("that a static route names and nobody has is replaced by default, with a warning", function()
    local o = origin.start()
    local p = checks.start { config = { routes = {
      { domains = "*", backend_url = o.url, options = { health_policy = "none" } },
    } } }
    p:wait_log('(level=warn msg="%[registry%-v2%] Unknown health policy, default is used" route=r1)')
    loop.eventually(function() return o:count() >= 1 end)
  end)
end)

describe("a policy that fails", function()
  local failures = {
    ["raises"] = 'error("no idea")',
    ["answers nonsense"] = 'return "sick"',
    ["answers nothing"] = "",
    ["answers degraded without a share"] = 'return "degraded"',
    ["runs for ever"] = "while true do pcall(function() while true do end end) end",
    ["takes too much memory"] = "local t = {} for i = 1, 1e8 do t[i] = { i } end",
  }
  for what, body in pairs(failures) do
    it("because it " .. what .. " leaves rise and fall, and is logged once", function()
      local p, r = start_with({ own = body }, sequence("200 503 503 503 200 200").url)
      assert.equal("healthy", checks.event(r).state)
      local down = checks.event(r)
      assert.same({ "down", "status_503" }, { down.state, down.reason })
      assert.equal("healthy", checks.event(r).state)
      assert.equal("PONG", r:call("PING"))
      checks.wait_log(p, 'msg="script failed" during=health policy own', 1)
    end)
  end

  it("again after it recovered is logged again", function()
    local o = origin.start(function() return { status = 200 } end)
    local p, r = start_with({ own = [[if check.status == 299 then error("lost") end return "healthy"]] }, o.url, "own",
      { scripts_rollback = { failures = 0 } })
    local function after(status, count)
      o:respond { status = status }
      wait_checks(r, checks.health(r).checks + count)
    end
    local line = 'msg="script failed" during=health policy own'
    after(299, 10)
    checks.wait_log(p, line, 1)
    local since = loop.now()
    after(200, 3)
    loop.eventually(function() return loop.now() - since > 1.2 end) -- at most a line a second
    after(299, 10)
    checks.wait_log(p, line, 2)
  end)

  it("after it had answered leaves its last answer", function()
    local o = sequence("200 200 503")
    local _, r = start_with({ own = [[
      if check.count >= 4 then error("lost") end
      return "degraded", "so_so", 0.25]] }, o.url, "own", { scripts_rollback = { failures = 0 } })
    local health = wait_checks(r, 10)
    assert.same({ "degraded", "so_so", 25 }, { health.state, health.reason, health.share_percent })
  end)

  it("does not keep the registry from answering while it loops", function()
    local _, r = start_with({ own = "while true do end" }, origin.start().url)
    wait_checks(r, 3)
    local before = loop.now()
    for _ = 1, 50 do
      r:ok("PING")
    end
    assert.is_true(loop.now() - before < 2)
  end)
end)

describe("--check", function()
  local function check(policies, also)
    local dir = checks.scripts(policies)
    finally(function() os.execute("rm -rf " .. dir) end)
    os.execute((also or "true"):format(dir))
    local code, _, err = proxy.run { "--check", "--scripts", dir }
    return code, err
  end

  it("names a policy that does not load", function()
    local code, err = check { own = "end" }
    assert.equal(1, code)
    assert.is_truthy(err:find("health/own.lua:", 1, true), err)
  end)

  it("names the policy default when there is none", function()
    local code, err = check({}, "rm %s/health/default.lua")
    assert.equal(1, code)
    assert.is_truthy(err:find("health/default.lua: is missing", 1, true), err)
  end)

  it("names the folder when there is none", function()
    local code, err = check({}, "rm -r %s/health")
    assert.equal(1, code)
    assert.is_truthy(err:find("/health: No such file or directory", 1, true), err)
  end)
end)
