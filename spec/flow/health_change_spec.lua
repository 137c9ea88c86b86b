local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local EXPLICIT = { path = "/health", interval = "20ms", timeout = "1s" }

--- Says how many checks of a route r1 the log has seen come and go.
local function logged(p, registered, removed)
  checks.wait_log(p, 'msg="[registry-v2] Health check registered for r1: ', registered)
  checks.wait_log(p, 'msg="[registry-v2] Health check removed for r1"', removed)
end

--- Waits until a backend has been left alone for some time.
local function wait_quiet(o)
  local count, since = o:count(), loop.now()
  loop.eventually(function()
    if o:count() ~= count then
      count, since = o:count(), loop.now()
    end
    return loop.now() - since > 0.1
  end)
end

describe("a check whose route is applied again", function()
  it("goes on when nothing about it changed", function()
    local o = origin.start()
    local p, r = checks.start()
    checks.route(r, o.url, EXPLICIT)
    checks.wait_state(r, "healthy")
    local before = checks.health(r).checks
    r:ok("ROUTE_UPDATE", "r1", "priority", 5)
    r:ok("OPTIONS_SET", "ALL", "retries", "2")
    r:ok("CONFIG_APPLY")
    local health = checks.health(r)
    assert.equal("healthy", health.state)
    assert.is_true(health.checks >= before)
    logged(p, 1, 0)
  end)

  it("stays down through applies", function()
    local _, r = checks.start()
    checks.route(r, origin.refusing_url(), { path = "/health" })
    checks.wait_state(r, "down")
    r:ok("CONFIG_APPLY")
    assert.equal("down", checks.health(r).state)
  end)

  local kept = {
    ["its interval"] = function(r) r:ok("OPTIONS_SET", "r1", "health_check_interval", "40ms") end,
    ["its timeout"] = function(r) r:ok("OPTIONS_SET", "ALL", "health_check_timeout", "2s")
      r:ok("OPTIONS_REMOVE", "r1", "health_check_timeout") end,
    ["its policy"] = function(r) r:ok("OPTIONS_SET", "r1", "health_policy", "ratio") end,
  }
  for what, change in pairs(kept) do
    it("keeps what it has found when only this changed: " .. what, function()
      local p, r = checks.start()
      checks.route(r, origin.start().url, EXPLICIT)
      local before = checks.wait_state(r, "healthy").checks
      change(r)
      r:ok("CONFIG_APPLY")
      local health = checks.health(r)
      assert.equal("healthy", health.state)
      assert.is_true(health.checks >= before)
      assert.equal(200, p:get("/").status)
      logged(p, 1, 0)
      loop.eventually(function() return checks.health(r).checks > health.checks + 2 end)
    end)
  end

  it("goes at the new pace at once when its interval changed", function()
    local o = origin.start()
    local _, r = checks.start()
    checks.route(r, o.url, { path = "/health", interval = "1h" })
    checks.wait_state(r, "healthy")
    r:ok("OPTIONS_SET", "r1", "health_check_interval", "20ms")
    r:ok("CONFIG_APPLY")
    loop.eventually(function() return o:count() > 3 end)
  end)

  local changes = {
    ["its path"] = function(r) r:ok("OPTIONS_SET", "r1", "health_check_path", "/other") end,
    ["all of it, by HEALTH_SET"] = function(r) r:ok("HEALTH_SET", "r1", "/set", "40ms", "1s") end,
  }
  for what, change in pairs(changes) do
    it("starts over, without a gap for requests, when this changed: " .. what, function()
      local release = true
      local o = origin.start(function()
        loop.eventually(function() return release end)
        return {}
      end)
      local p, r = checks.start()
      checks.route(r, o.url, EXPLICIT)
      checks.wait_state(r, "healthy")
      change(r)
      release = false
      r:ok("CONFIG_APPLY")
      assert.same({ "unknown", 0 }, { checks.health(r).state, checks.health(r).checks })
      logged(p, 2, 1)
      release = true
      checks.wait_state(r, "healthy")
    end)
  end

  it("asks the new backend when that changed", function()
    local old, new = origin.start(), origin.start()
    local _, r = checks.start()
    checks.route(r, old.url, EXPLICIT)
    checks.wait_state(r, "healthy")
    r:ok("ROUTE_UPDATE", "r1", "backend_url", new.url)
    r:ok("CONFIG_APPLY")
    loop.eventually(function() return new:count() > 2 end)
    wait_quiet(old)
    assert.equal(new.url .. "/health", checks.health(r).url)
  end)

  it("is the default one again when its path is taken back", function()
    local o = origin.start { status = 404 }
    local _, r = checks.start()
    checks.route(r, o.url, EXPLICIT)
    checks.wait_state(r, "down")
    r:ok("OPTIONS_REMOVE", "r1", "health_check_path")
    r:ok("CONFIG_APPLY")
    assert.equal("default", checks.wait_state(r, "healthy").kind)
  end)
end)

describe("a check ends", function()
  it("with its route", function()
    local o = origin.start()
    local p, r = checks.start()
    checks.route(r, o.url, EXPLICIT)
    checks.wait_state(r, "healthy")
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    wait_quiet(o)
    logged(p, 1, 1)
  end)

  it("with its session, also while it runs", function()
    local asked, left = 0, false
    local o = origin.raw(function(stream)
      asked = asked + 1
      stream:read_line()
      while stream:read_some() do end
      left = true
    end)
    local p, r = checks.start()
    checks.route(r, o.url, { path = "/health", interval = "20ms", timeout = "1h" })
    loop.eventually(function() return asked == 1 end)
    assert.equal("SHUTDOWN_OK", r:call("CLIENT_SHUTDOWN"))
    logged(p, 1, 1)
    loop.eventually(function() return left end)
    assert.equal(1, asked)
  end)

  it("when the grace period of a lost session is over, not before", function()
    local o = origin.start()
    local p, r = checks.start { config = { timeouts = { grace = "300ms" } } }
    checks.route(r, o.url, EXPLICIT)
    checks.wait_state(r, "healthy")
    r:close()
    local before = o:count()
    loop.eventually(function() return o:count() > before + 2 end)
    logged(p, 1, 1)
    wait_quiet(o)
  end)

  it("when the session that supersedes its own has applied, not before", function()
    local old, new = origin.start(), origin.start()
    local p, r = checks.start()
    checks.route(r, old.url, EXPLICIT)
    checks.wait_state(r, "healthy")
    local again = p:registry()
    again:register("shop", "shop-1")
    local before = old:count()
    loop.eventually(function() return old:count() > before + 2 end)
    checks.route(again, new.url, EXPLICIT)
    wait_quiet(old)
    logged(p, 2, 1)
    assert.equal(new.url .. "/health", checks.health(again).url)
  end)
end)

describe("with health checks switched off", function()
  it("nothing is asked and nobody waits", function()
    local o = origin.start()
    local p, r = checks.start { config = { health_checks = false } }
    checks.route(r, o.url, EXPLICIT)
    local health = checks.health(r)
    assert.same({ "off", "unknown", 100, 0 }, { health.kind, health.state, health.share_percent, health.checks })
    wait_quiet(o)
    assert.equal(0, o:count())
    logged(p, 0, 0)
  end)

  it("checks start with SIGHUP", function()
    local o = origin.start()
    local p, r = checks.start { config = { health_checks = false } }
    checks.route(r, o.url, EXPLICIT)
    p:write_config { health_checks = true }
    p:reload()
    assert.equal("explicit", checks.wait_state(r, "healthy").kind)
    logged(p, 1, 0)
  end)
end)

describe("SIGHUP", function()
  it("ends all checks when it switches them off, and a member that was down is so no more", function()
    local p, r = checks.start()
    checks.route(r, origin.refusing_url(), { path = "/health" })
    checks.wait_state(r, "down")
    p:write_config { health_checks = false }
    p:reload()
    assert.equal("off", checks.wait_state(r, "unknown").kind)
    logged(p, 1, 1)
  end)

  it("leaves checks alone that it does not change, of static routes too", function()
    local o = origin.start()
    local config = { health_checks = true, routes = { { domains = "*", backend_url = o.url } } }
    local p, r = checks.start { config = config }
    checks.route(r, o.url, { host = "a.example" })
    checks.wait_state(r, "healthy")
    p:reload()
    p:wait_log("(configuration reloaded)")
    logged(p, 2, 0)
  end)
end)
