local checks = require("spec.flow.checks")
local group = require("spec.support.group")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local eventually = loop.eventually

local CHECKED = { health_checks = true }

--- A backend whose health is a switch: /health answers 200 or 503, all else 200.
local function backend()
  local self = { well = true }
  self.origin = origin.start(function(request)
    if request.target == "/health" then
      self.checked = (self.checked or 0) + 1
      return { status = self.well and 200 or 503 }
    end
    self.served = (self.served or 0) + 1
    return { body = "ok" }
  end)
  self.url = self.origin.url
  return self
end

local function await_state(g, route, state)
  eventually(function()
    return g:status(route).health.state == state
  end)
end

describe("health", function()
  it("keeps a new member with an explicit check out until it has passed", function()
    local b = backend()
    b.well = false
    local g = group.start({ b.url }, { config = CHECKED, health = { "/health", "30ms", "1s" } })
    local r = g:get("/")
    assert.equal(503, r.status)
    assert.truthy(r.headers["Proxy-Status"]:find("health_", 1, true))
    assert.is_nil(b.served)
    b.well = true
    eventually(function()
      return g:get("/").status == 200
    end)
  end)

  it("lets a new member with the default check have its requests at once", function()
    local o = origin.start()
    local g = group.start({ o.url }, { config = CHECKED })
    assert.equal(200, g:get("/").status)
  end)

  it("takes a member that is down out of rotation and opens its circuit ahead of traffic", function()
    local a, b = backend(), backend()
    local g = group.start({ a.url, b.url }, { config = CHECKED, health = { "/health", "30ms", "1s" }, workers = 2 })
    await_state(g, "r1", "healthy")
    await_state(g, "r2", "healthy")
    a.well = false
    await_state(g, "r1", "down")
    a.served, b.served = 0, 0
    for _ = 1, 12 do
      assert.equal(200, g:get("/").status)
    end
    assert.same({ 0, 12 }, { a.served, b.served })
    local circuit = g:circuit("r1")
    assert.same({ "open", false }, { circuit.state, circuit.healthy })
    assert.equal("health_down", g:status("r1").effective.reason)
  end)

  it("that is back leads to half-open, and only requests close the circuit", function()
    local a = backend()
    local g = group.start({ a.url }, { config = CHECKED, health = { "/health", "30ms", "1s" } })
    await_state(g, "r1", "healthy")
    a.well = false
    await_state(g, "r1", "down")
    local r = g:get("/")
    assert.same({ 503, "open" }, { r.status, r.headers["X-Circuit-State"] })
    assert.truthy(r.headers["Proxy-Status"]:find('details="health_down"', 1, true))
    loop.soon(function() assert.equal(1, g:stats("r1").rejected.health) end)
    a.well = true
    await_state(g, "r1", "healthy")
    assert.equal("half-open", g:circuit("r1").state)
    assert.equal("probe", g:status("r1").effective.use)
    assert.equal(200, g:get("/").status)
    loop.soon(function() assert.equal("closed", g:circuit("r1").state) end)
  end)

  it("stays out of rotation after a reset of its circuit", function()
    local a = backend()
    local g = group.start({ a.url }, { config = CHECKED, health = { "/health", "30ms", "1s" } })
    await_state(g, "r1", "healthy")
    a.well = false
    await_state(g, "r1", "down")
    g.session:ok("CIRCUIT_BREAKER_RESET", "r1")
    assert.equal("open", g:circuit("r1").state)
    assert.equal(503, g:get("/").status)
    a.well = true
    await_state(g, "r1", "healthy")
    assert.equal("half-open", g:circuit("r1").state)
  end)

  it("does not leave the place of a restarted only instance empty until its check has passed", function()
    local b = backend()
    local g = group.start({ b.url }, { config = CHECKED, health = { "/health", "30ms", "1s" } })
    await_state(g, "r1", "healthy")
    local next_session = g.proxy:registry()
    next_session:register("spec", "one")
    next_session:ok("ROUTE_ADD", "*", "/", b.url, 0)
    next_session:ok("HEALTH_SET", "r1", "/health", "1h", "1s")
    local l = load.start { url = g.proxy.url, connections = 4 }
    next_session:ok("CONFIG_APPLY")
    l:run_for(0.05)
    local result = l:stop()
    assert.same({ ["200"] = result.requests }, result.statuses)
  end)

  it("recovers soon from a default check that failed first, when the service listens a moment later", function()
    local o = origin.start { status = 500 }
    local g = group.start({ o.url }, { config = CHECKED, options = { health_check_interval = "1500ms" } })
    await_state(g, "r1", "down")
    o:respond { status = 200 }
    local from = loop.now()
    await_state(g, "r1", "healthy")
    assert.is_true(loop.now() - from < 1.5) -- two passes, an interval divided by six apart
  end)

  it("that is degraded gets a share, and all when it is alone", function()
    local a, b = backend(), backend()
    local scripts = checks.scripts { share = 'return "degraded", "slow", 0.25' }
    local g = group.start({ a.url, b.url }, {
      config = CHECKED, scripts = scripts, health = { "/health", "20ms", "1s" },
      options = { health_policy = "share" }, apart = true,
    })
    g.sessions[2]:ok("OPTIONS_SET", "r1", "health_policy", "default")
    g.sessions[2]:ok("CONFIG_APPLY")
    await_state(g, "r1", "degraded")
    assert.same({ "shared", 25 }, { g:status("r1").effective.use, g:status("r1").effective.share_percent })
    b.served = 0
    for _ = 1, 400 do
      assert.equal(200, g:get("/").status)
    end
    -- Half of the requests come to the first member first, a quarter of them go there.
    assert.is_true(math.abs(400 - b.served - 50) <= 3, tostring(400 - b.served))
    g.sessions[2]:ok("DRAIN_START", "0")
    b.served = 0
    for _ = 1, 20 do
      assert.equal(200, g:get("/").status)
    end
    assert.equal(0, b.served)
  end)

  it("of a killed backend costs no client a request, and it is used again when it is back", function()
    local a, b = origin.process { name = "a" }, origin.process { name = "b" }
    local g = group.start({ a.url, b.url }, {
      config = CHECKED, workers = 2, host = "a.example", health = { "/", "50ms", "200ms" },
    })
    await_state(g, "r1", "healthy")
    await_state(g, "r2", "healthy")
    local l = load.start { url = g.proxy.url, host = "a.example", connections = 16 }
    a:kill()
    await_state(g, "r1", "down")
    a:restart()
    await_state(g, "r1", "healthy")
    eventually(function()
      return g:circuit("r1").state == "closed"
    end)
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.same({ ["200"] = result.requests }, result.statuses)
  end)

  it("with panic=fail_open down members are used when there is no other", function()
    local a = backend()
    local g = group.start({ a.url }, {
      config = CHECKED, health = { "/health", "30ms", "1s" }, options = { panic = "fail_open" },
    })
    await_state(g, "r1", "healthy")
    a.well = false
    await_state(g, "r1", "down")
    assert.equal(200, g:get("/").status)
    assert.is_true(g:status("r1").effective.panic)
    loop.soon(function() assert.equal(1, g:stats("r1").panicked) end)
  end)

  it("of a recovered member starts its share slowly", function()
    local a, b = backend(), backend()
    local g = group.start({ a.url, b.url }, {
      config = CHECKED, health = { "/health", "30ms", "1s" }, options = { slow_start = "1h" }, apart = true,
    })
    await_state(g, "r1", "healthy")
    a.well = false
    await_state(g, "r1", "down")
    a.well = true
    await_state(g, "r1", "healthy")
    eventually(function()
      g:get("/")
      return g:circuit("r1").state == "closed"
    end)
    assert.equal("shared", g:status("r1").effective.use)
    assert.equal(10, math.floor(g:status("r1").effective.share_percent + 0.5))
  end)
end)

describe("a group that nobody can take a request for", function()
  it("tells the foremost reason among its members", function()
    local down, sick = backend(), origin.start(function(request)
      return { status = request.target == "/" and 200 or 500 } -- healthy for its check
    end)
    local g = group.start({ down.url, sick.url }, {
      config = CHECKED, circuit = { 1, "30s", 1 }, options = { health_check_interval = "1h" },
    })
    g.session:ok("HEALTH_SET", "r1", "/health", "30ms", "1s")
    g.session:ok("CONFIG_APPLY")
    await_state(g, "r1", "healthy")
    down.well = false
    await_state(g, "r1", "down")
    eventually(function()
      g:get("/x")
      return g:circuit("r2").state == "open"
    end)
    assert.equal("healthy", g:status("r2").health.state)
    assert.truthy(g:get("/x").headers["Proxy-Status"]:find('details="health_down"', 1, true))
  end)
end)
