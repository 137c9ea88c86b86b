local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

--- A backend that notes when it was asked, and answers as it is told.
local function timed(response)
  local times = {}
  local o = origin.start(function()
    times[#times + 1] = loop.now()
    return response or {}
  end)
  return o, times
end

describe("a health check", function()
  it("is repeated at its interval, give or take a tenth", function()
    local o, times = timed()
    local _, r = checks.start()
    checks.route(r, o.url, { interval = "100ms" })
    loop.eventually(function() return #times >= 11 end)
    assert.is_true(times[11] - times[1] > 10 * 0.09 - 0.02)
    local shortest, longest = math.huge, 0
    for i = 2, 11 do
      shortest = math.min(shortest, times[i] - times[i - 1])
      longest = math.max(longest, times[i] - times[i - 1])
    end
    assert.is_true(longest - shortest > 0.001, "all intervals are the same")
  end)

  it("never runs twice at once, however long it takes", function()
    local running, most = 0, 0
    local o = origin.start(function()
      running = running + 1
      most = math.max(most, running)
      loop.delay(0.05)
      running = running - 1
      return {}
    end)
    local _, r = checks.start()
    checks.route(r, o.url, { interval = "10ms" })
    loop.eventually(function() return o:count() >= 6 end)
    assert.equal(1, most)
  end)

  it("that is stuck ends at its timeout, and the next one comes", function()
    local o = origin.start(function() return { delay = 5 } end)
    local _, r = checks.start()
    checks.route(r, o.url, { interval = "50ms", timeout = "50ms" })
    local health = loop.eventually(function()
      local health = checks.health(r)
      return health.checks >= 3 and health
    end)
    assert.equal(health.checks, health.failures)
    assert.is_true(health.last_latency_ms >= 50 and health.last_latency_ms < 5000)
  end)
end)

describe("first checks", function()
  it("of many routes come a few at a time", function()
    local o, times = timed()
    local _, r = checks.start()
    for i = 1, 200 do
      r:ok("ROUTE_ADD", "*", "/" .. i, o.url, 0)
    end
    r:ok("CONFIG_APPLY")
    loop.eventually(function() return #times == 200 end)
    assert.is_true(times[200] - times[1] > 0.045, "all 200 came at once")
    assert.is_true(times[200] - times[1] < 10)
  end)

  it("of routes that are gone before their turn do not come", function()
    local o = origin.start()
    local p, r = checks.start()
    for i = 1, 200 do
      r:ok("ROUTE_ADD", "*", "/" .. i, o.url, 0)
    end
    r:send(r:format("CONFIG_APPLY") .. "\n" .. r:format("CLIENT_SHUTDOWN") .. "\n")
    assert.same({ "OK", "SHUTDOWN_OK" }, { r:receive(), r:receive() })
    checks.wait_log(p, "Health check removed for r", 200)
    assert.is_true(o:count() < 200)
  end)
end)

local OVERDUE = "[registry-v2] Health check overdue"

describe("a check that has not ended for three intervals", function()
  local stuck, o, p, r

  before_each(function()
    stuck = true
    o = origin.start(function()
      return { delay = stuck and 60 or 0 }
    end)
    p, r = checks.start()
    checks.route(r, o.url, { interval = "20ms", timeout = "150ms" })
  end)

  it("is reported while it runs", function()
    loop.eventually(function() return checks.health(r).overdue end)
    p:wait_log('(level=warn msg="%[registry%-v2%] Health check overdue" route=r1 service=shop)')
  end)

  it("is logged once, until checks end in time again", function()
    loop.eventually(function() return checks.health(r).checks >= 3 end)
    checks.wait_log(p, OVERDUE, 1)
    stuck = false
    loop.eventually(function()
      local health = checks.health(r)
      return health.last_result == "passed" and not health.overdue
    end)
    local passed = checks.health(r).checks
    loop.eventually(function() return checks.health(r).checks > passed + 2 end)
    stuck = true
    checks.wait_log(p, OVERDUE, 2)
  end)
end)
