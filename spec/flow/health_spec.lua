local checks = require("spec.flow.checks")
local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

--- Waits for a number of requests at a backend.
local function wait_count(o, count)
  loop.eventually(function() return o:count() >= count end)
end

describe("a route without further command", function()
  it("is checked by a GET of its backend URL", function()
    local o = origin.start()
    local p, r = checks.start()
    checks.route(r, o.url .. "/base")
    wait_count(o, 1)
    local request = o.requests[1]
    assert.same({ "GET", "/base", "close" }, { request.method, request.target, request.headers.Connection })
    p:wait_log('(msg="%[registry%-v2%] Health check registered for r1: ' .. o.url .. '/base")')
  end)

  it("is checked every 30 s with 5 s time by the default policy", function()
    local _, r = checks.start()
    checks.route(r, origin.start().url)
    local health = checks.health(r)
    assert.same({ "default", "default", 30, 5 },
      { health.kind, health.policy, health.interval_seconds, health.timeout_seconds })
  end)

  it("gets traffic before its first check has ended", function()
    local o = origin.start(function() return { delay = 1 } end)
    local _, r = checks.start()
    checks.route(r, o.url)
    local health = checks.health(r)
    assert.same({ "unknown", 100, 0 }, { health.state, health.share_percent, health.checks })
    assert.equal(require("cjson").null, health.last_check)
  end)

  for status, state in pairs { [200] = "healthy", [302] = "healthy", [404] = "healthy", [500] = "down" } do
    it(("is %s when the answer is %d"):format(state, status), function()
      local o = origin.start { status = status }
      local _, r = checks.start()
      checks.route(r, o.url)
      local health = checks.wait_state(r, state)
      assert.equal(status < 500 and "passed" or "status_500", health.last_result)
    end)
  end

  it("keeps this kind of check with times of its own", function()
    local _, r = checks.start()
    checks.route(r, origin.start { status = 404 }.url, { interval = "50ms", timeout = "20ms" })
    local health = checks.wait_state(r, "healthy")
    assert.same({ "default", 0.05, 0.02 }, { health.kind, health.interval_seconds, health.timeout_seconds })
  end)
end)

describe("an explicit check", function()
  it("asks for its path behind the backend URL", function()
    local o = origin.start()
    local p, r = checks.start()
    checks.route(r, o.url .. "/base/", { path = "/health" })
    wait_count(o, 1)
    assert.equal("/base/health", o.requests[1].target)
    p:wait_log('(msg="%[registry%-v2%] Health check registered for r1: ' .. o.url .. '/base/health")')
  end)

  it("comes from HEALTH_SET, which wins over the options", function()
    local o = origin.start()
    local _, r = checks.start()
    r:ok("ROUTE_ADD", "*", "/", o.url, 0)
    r:ok("OPTIONS_SET", "r1", "health_check_path", "/option")
    r:ok("OPTIONS_SET", "r1", "health_check_interval", "7s")
    r:ok("HEALTH_SET", "r1", "/set", "10s", "1500ms")
    r:ok("CONFIG_APPLY")
    wait_count(o, 1)
    assert.equal("/set", o.requests[1].target)
    local health = checks.health(r)
    assert.same({ "explicit", 10, 1.5, o.url .. "/set" },
      { health.kind, health.interval_seconds, health.timeout_seconds, health.url })
  end)

  it("is awaited until it has passed once", function()
    local release = false
    local o = origin.start(function()
      loop.eventually(function() return release end)
      return { status = 204 }
    end)
    local _, r = checks.start()
    checks.route(r, o.url, { path = "/health" })
    local health = checks.health(r)
    assert.same({ "awaited", 0 }, { health.state, health.share_percent })
    release = true
    assert.equal(100, checks.wait_state(r, "healthy").share_percent)
  end)

  for status, state in pairs { [200] = "healthy", [204] = "healthy", [302] = "down", [404] = "down", [503] = "down" } do
    it(("is %s when the answer is %d"):format(state, status), function()
      local _, r = checks.start()
      checks.route(r, origin.start { status = status }.url, { path = "/health" })
      local health = checks.wait_state(r, state)
      if state == "down" then
        assert.equal("status_" .. status, health.reason)
      end
    end)
  end

  it("of a static route starts with the proxy", function()
    local o = origin.start()
    local p = checks.start { config = { routes = {
      { domains = "*", backend_url = o.url, health = { path = "/up", interval = "10s", timeout = "1s" } },
    } } }
    p:wait_log('(Health check registered for r1: ' .. o.url .. '/up")')
    wait_count(o, 1)
    assert.equal("/up", o.requests[1].target)
  end)
end)

describe("a check that fails", function()
  local function reason_of(url, check, config)
    local _, r = checks.start { config = config }
    checks.route(r, url, check)
    return checks.wait_state(r, "down").reason
  end

  it("says connection_refused", function()
    assert.equal("connection_refused", reason_of(origin.refusing_url()))
  end)

  it("says connection_timeout when no answer comes in time", function()
    local silent = origin.raw(function(stream) stream:read_some() loop.delay(5) end)
    assert.equal("connection_timeout", reason_of(silent.url, { timeout = "50ms" }))
  end)

  it("says connection_failed when the connection breaks", function()
    local broken = origin.raw(function(stream) stream:read_line() end)
    assert.equal("connection_failed", reason_of(broken.url))
  end)

  it("says bad_answer when it is no HTTP", function()
    local other = origin.start { raw = "SSH-2.0-x\r\n\r\n", close = true }
    assert.equal("bad_answer", reason_of(other.url))
  end)

  it("says bad_answer when the head of the answer has no end", function()
    local endless = origin.raw(function(stream)
      stream:read_line()
      stream:write("HTTP/1.1 200 OK\r\nX: " .. ("x"):rep(20000))
      stream:read_some()
    end)
    assert.equal("bad_answer", reason_of(endless.url))
  end)

  it("says name_not_resolved", function()
    local d = dns.start {}
    assert.equal("name_not_resolved", reason_of("http://gone.test:1", nil, { resolver = { servers = { d.address } } }))
  end)

  it("passes when the answer comes in pieces, after an interim one", function()
    local slow = origin.raw(function(stream)
      stream:read_line()
      stream:write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 2")
      loop.delay(0.02)
      stream:write("04 No Content\r\n\r\n")
    end)
    local _, r = checks.start()
    checks.route(r, slow.url, { path = "/health" })
    assert.equal("passed", checks.wait_state(r, "healthy").last_result)
  end)
end)

describe("a change of health", function()
  it("is told to the session's subscribers", function()
    local o = origin.start()
    local _, r = checks.start()
    checks.route(r, o.url, { path = "/health", interval = "20ms" })
    local cjson = require("cjson")
    assert.same({
      route_id = "r1", healthy = true, reason = cjson.null, state = "healthy", share = 1,
      service = "shop", instance = "shop-1", url = o.url .. "/health",
    }, checks.event(r))
    o:respond { status = 503 }
    assert.same({
      route_id = "r1", healthy = false, reason = "status_503", state = "down", share = 0,
      service = "shop", instance = "shop-1", url = o.url .. "/health",
    }, checks.event(r))
    o:respond { status = 200 }
    assert.same({ true, "healthy" }, { (function(e) return e.healthy, e.state end)(checks.event(r)) })
  end)

  it("starts with what clients read first", function()
    local _, r = checks.start()
    checks.route(r, origin.refusing_url())
    assert.is_truthy(r:next_event():find(
      '^EVENT|backend_health_changed|{"route_id":"r1","healthy":false,"reason":"connection_refused",'))
  end)

  it("is not told to other sessions", function()
    local p, r = checks.start()
    local other = p:registry()
    other:register("other", "other-1")
    other:ok("SUBSCRIBE", "all")
    checks.route(r, origin.start().url)
    checks.event(r)
    other:ok("PING")
    assert.same({}, other.events)
  end)

  it("is logged, with what it was and is", function()
    local p, r = checks.start()
    checks.route(r, origin.refusing_url(), { path = "/health" })
    p:wait_log('(level=warn msg="%[registry%-v2%] Backend health changed" route=r1 service=shop instance=shop%-1 '
      .. 'url=%S+ from=awaited to=down reason=connection_refused)')
  end)

  it("counts checks and failures, and says when", function()
    local _, r = checks.start()
    checks.route(r, origin.refusing_url(), { interval = "10ms" })
    local health = loop.eventually(function()
      local health = checks.health(r)
      return health.checks >= 3 and health
    end)
    assert.equal(health.checks, health.failures)
    assert.is_truthy(health.last_check:find("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$"))
    assert.is_truthy(health.since:find("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$"))
  end)
end)
