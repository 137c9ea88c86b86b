local group = require("spec.support.group")
local load = require("spec.support.load")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local share = require("spec.support.share")

local eventually = loop.eventually
local LENGTH_MS = 3000
-- As many as the access log takes on a busy machine: what is expected is read from it.
local RATE = 2000

--- A session whose route gets requests: with ip_hash one member has all of this client's.
local function busy_session(g)
  return eventually(function()
    for i, session in ipairs(g.sessions) do
      g.session = session
      if g:stats("r1").requests > 0 then
        return g.sessions[i]
      end
    end
  end)
end

--- Drains one member of a group under load and checks each tenth.
-- @return the load's result
local function drain_under_load(urls, options)
  options.config = { access_log = { format = "text" } }
  options.workers = 2
  options.apart = true
  local g = group.start(urls, options)
  local l = load.start { url = g.proxy.url, host = "a.example", connections = 4, rate = RATE }
  g.session = busy_session(g)
  g.session:ok("DRAIN_START", LENGTH_MS .. "ms")
  local start_ms = log_line.wall_ms(g.proxy:wait_log('time=(%S+) level=info msg="[^"]*[Dd]rain started'))
  local tenths = share.sample(function()
    local stats = g:stats("r1")
    return stats.rejected.drain, stats.status_codes["200"] or 0
  end, start_ms, LENGTH_MS)
  local result = l:stop()
  local times = g.proxy:access_times()
  assert.is_nil(g.proxy:log():find("lines were dropped", 1, true))
  for i, tenth in ipairs(tenths) do
    local expected, count = share.expected(times, tenth, start_ms, LENGTH_MS)
    local all = tenth.turned + tenth.taken
    assert.is_true(count > 100, "too few requests to tell")
    local got = tenth.turned / all
    -- What was under way when a tenth was counted (4 connections) stands in one of two tenths, as does what came
    -- while the counters did.
    assert.is_true(math.abs(got - expected) <= 0.02 + 4 / all + tenth.unsure_ms / LENGTH_MS,
      ("tenth %d of %d requests: %.4f turned away, not %.4f"):format(i, all, got, expected))
  end
  return result
end

describe("a drain under load", function()
  for _, policy in ipairs({ "round_robin", "least_request", "ip_hash" }) do
    it("turns away elapsed / duration in every tenth, with " .. policy, function()
      local a, b = origin.process { name = "a" }, origin.process { name = "b" }
      local result = drain_under_load({ a.url, b.url }, { options = { lb_policy = policy } })
      assert.equal(0, result.failed)
      assert.same({ ["200"] = result.requests }, result.statuses)
    end)
  end

  it("of the only member refuses as much, with 503", function()
    local a = origin.process { name = "a" }
    local result = drain_under_load({ a.url }, {})
    assert.equal(result.requests, result.statuses["200"] + result.statuses["503"])
  end)
end)

describe("a drain", function()
  it("of the only member answers 503 that says so, and gets its requests back when cancelled", function()
    local o = origin.start()
    local g = group.start({ o.url })
    g.session:ok("DRAIN_START", "0")
    local c = g.proxy:connect()
    local r = c:request { path = "/" }

    assert.equal(503, r.status)
    assert.equal("Draining", r.body)
    assert.equal("true", r.headers["X-Drain-Mode"])
    assert.truthy(tonumber(r.headers["Retry-After"]))
    assert.equal("close", r.headers["Connection"])
    assert.truthy(r.headers["Proxy-Status"]:find('details="draining"', 1, true))
    assert.equal(0, o:count())
    assert.equal("Draining", g:get("/", { headers = { Accept = "application/json" } }).body)
    assert.truthy(g:get("/", { headers = { Accept = "text/html" } }).body:find("<html", 1, true))
    loop.soon(function() assert.equal(3, g:circuit("r1").drain_rejected) end)
    assert.is_true(g:circuit("r1").draining)
    local effective = g:status("r1").effective
    assert.same({ "none", "draining", 0 }, { effective.use, effective.reason, effective.share_percent })

    g.session:ok("DRAIN_CANCEL")
    assert.equal(200, g:get("/").status)
    assert.is_false(g:circuit("r1").draining)
  end)

  it("of one of two leaves all to the other", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { apart = true })
    g.session:ok("DRAIN_START", "0")
    for _ = 1, 10 do
      assert.equal(200, g:get("/").status)
    end
    assert.same({ 0, 10 }, { a:count(), b:count() })
  end)

  it("of two sessions at once turns away each one's share, and refuses what both turn away", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { apart = true })
    local length, from = 6, loop.now()
    for _, session in ipairs(g.sessions) do
      session:ok("DRAIN_START", length .. "s")
    end
    eventually(function()
      return loop.now() - from > length / 4
    end)
    local refused, first = 0, loop.now()
    for _ = 1, 400 do
      refused = refused + (g:get("/").status == 503 and 1 or 0)
    end
    local due = ((first + loop.now()) / 2 - from) / length
    for i, session in ipairs(g.sessions) do
      g.session = session
      local stats = g:stats("r1")
      local turned, taken = stats.rejected.drain, stats.status_codes["200"]
      local got = turned / (turned + taken)
      assert.is_true(math.abs(got - due) < 0.05, ("session %d: %.3f, not %.3f"):format(i, got, due))
    end
    assert.is_true(refused / 400 < due * due + 0.06, tostring(refused))
  end)

  it("of every member of a session refuses its share once, not once for each", function()
    local o = origin.start()
    local g = group.start({ o.url, origin.start().url })
    g.session:ok("DRAIN_START", "10h")
    for _ = 1, 50 do
      assert.equal(200, g:get("/").status)
    end
    g.session:ok("DRAIN_CANCEL")
    g.session:ok("DRAIN_START", "0")
    assert.equal(503, g:get("/").status)
  end)

  it("does not cut requests in flight, and has completed when the last of them is done", function()
    local held = true
    local o = origin.start(function()
      eventually(function()
        return not held
      end)
      return { body = "done" }
    end)
    local g = group.start({ o.url })
    g.session:ok("SUBSCRIBE", "drain_completed")
    local c = g.proxy:connect()
    c:send_request { path = "/" }
    eventually(function()
      return g:status("r1").in_flight == 1
    end)
    g.session:ok("DRAIN_START", "0")
    assert.equal(503, g:get("/").status)
    loop.soon(function()
      local status = g:json("DRAIN_STATUS")
      assert.same({ 1, false }, { status.in_flight, status.completed })
    end)
    held = false
    assert.equal("done", c:receive().body)
    g.session:wait_event("^EVENT|drain_completed|")
    assert.is_true(g:json("DRAIN_STATUS").completed)
  end)

  it("tells clients to connect elsewhere when no member of the group stays", function()
    local g = group.start({ origin.start().url, origin.start().url }, { apart = true })
    for _, session in ipairs(g.sessions) do
      session:ok("DRAIN_START", "10h")
    end
    assert.equal("close", g:get("/").headers["Connection"])
    g.sessions[1]:ok("DRAIN_CANCEL")
    local c = g.proxy:connect()
    for _ = 1, 4 do
      assert.is_nil(c:request { path = "/" }.headers["Connection"])
    end
  end)

  it("counts as draining for a route that is applied meanwhile", function()
    local o = origin.start()
    local g = group.start({ o.url })
    g.session:ok("DRAIN_START", "0")
    g.session:ok("ROUTE_ADD", "late.example", "/", o.url, 0)
    g.session:ok("CONFIG_APPLY")
    assert.equal(503, g:get("/", { host = "late.example" }).status)
  end)

  it("lets an un-drained member with slow_start have its share back little by little", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { apart = true })
    g.session:ok("OPTIONS_SET", "r1", "slow_start", "1h")
    g.session:ok("CONFIG_APPLY")
    g.session:ok("DRAIN_START", "0")
    g.session:ok("DRAIN_CANCEL")
    for _ = 1, 100 do
      assert.equal(200, g:get("/").status)
    end
    assert.is_true(a:count() >= 4 and a:count() <= 7, tostring(a:count()))
  end)

  it("replaces both members of a group without one failed request", function()
    local old, new = { origin.process { name = "old" }, origin.process { name = "old" } },
      { origin.process { name = "new" }, origin.process { name = "new" } }
    local g = group.start({ old[1].url, old[2].url }, { apart = true, host = "a.example", workers = 2 })
    local l = load.start { url = g.proxy.url, host = "a.example", connections = 16 }
    for i, session in ipairs(g.sessions) do
      session:ok("SUBSCRIBE", "drain_completed")
      local next_session = g.proxy:registry()
      next_session:register("spec", "new" .. i)
      next_session:route { to = new[i].url, host = "a.example" }
      session:ok("DRAIN_START", "400ms")
      session:wait_event("^EVENT|drain_completed|")
      session:ok("CLIENT_SHUTDOWN")
      old[i]:kill()
    end
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.same({ ["200"] = result.requests }, result.statuses)
    assert.is_true(result.origins.new > 0 and result.origins.old > 0)
  end)
end)
