local conversation = require("spec.scripts.conversation")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local function status(r, route)
  return json(r:call("ROUTE_STATUS", route or "r1"), "ROUTE_STATUS_OK")
end

local function stats(r, ...)
  return json(r:call("STATS_GET", ...), "STATS_OK")
end

describe("ROUTE_STATUS", function()
  it("tells what a route is and what holds for it", function()
    local o = origin.start(function() return {} end)
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/x", o.url, 7)
    r:ok("HEADERS_SET", "ALL", "X-A", "1")
    r:ok("OPTIONS_SET", "r1", "retries", "2")
    r:ok("CONFIG_APPLY")
    local s = status(r)
    assert.equal("r1", s.route_id)
    assert.equal("active", s.status)
    assert.same({ "a.example" }, s.domains)
    assert.equal("/x", s.path)
    assert.equal(o.url, s.backend)
    assert.equal(7, s.priority)
    assert.equal("full", s.standing)
    assert.equal("connected", s.session)
    assert.same({ o.url:match("http://(.*)") }, s.addresses)
    assert.same({ ["X-A"] = "1" }, s.settings.headers)
    assert.same({ retries = "2" }, s.settings.options)
    assert.same({}, s.not_in_effect)
  end)

  it("lists what is applied but has no effect yet", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1", options = { websocket = "true", timeout = "5s", http3 = "true" },
      circuit = { threshold = 3, cooldown = "1s" } }
    local idle = status(r).not_in_effect
    table.sort(idle)
    assert.same({ "option http3" }, idle)
  end)

  it("counts requests, connections and failures", function()
    local o = origin.start(function() return { body = "hi" } end)
    local r, p = start()
    r:route { to = o.url }
    for _ = 1, 3 do
      p:get("/")
    end
    local s = loop.eventually(function()
      local all = status(r)
      return all.requests == 3 and all.in_flight == 0 and all
    end)
    assert.equal(0, s.errors)
    assert.is_true(s.connects >= 1)
  end)

  it("counts what is in flight", function()
    local release = false
    local o = origin.start(function()
      loop.eventually(function() return release end)
      return {}
    end)
    local r, p = start()
    r:route { to = o.url }
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return status(r).in_flight == 1 end)
    release = true
    assert.equal(200, c:receive().status)
    loop.eventually(function() return status(r).in_flight == 0 end)
  end)

  it("knows staged routes", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", "http://127.0.0.1:1", 0)
    local s = status(r)
    assert.equal("staged", s.status)
    assert.equal(0, s.requests)
  end)

  it("tells when the session is disconnected, to whoever names it", function()
    local r, p = start()
    r:route { to = "http://127.0.0.1:1" }
    r:close()
    local other = p:registry()
    loop.eventually(function()
      local s = json(other:ask("ROUTE_STATUS|" .. r.session .. "|r1"), "ROUTE_STATUS_OK")
      return s.session == "disconnected" and s.standing == "last_resort"
    end)
  end)

  it("comes compressed on demand", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1" }
    assert.same(status(r), conversation.unpack(r:call("ROUTE_STATUS", "r1", "compressed"), "ROUTE_STATUS_OK"))
  end)

  it("refuses unknown routes and missing fields", function()
    local r = start()
    refused("route not found", r:call("ROUTE_STATUS", "r1"))
    refused("route not found", r:call("ROUTE_STATUS", "ALL"))
    refused("missing field: route", r:call("ROUTE_STATUS"))
    refused("invalid form: x; use compressed", r:call("ROUTE_STATUS", "r1", "x"))
  end)
end)

describe("STATS_GET", function()
  it("counts requests, answers by status and bytes exactly, over all workers", function()
    local o = origin.start(function(request)
      return { status = tonumber(request.target:match("%d+")), body = ("x"):rep(100) }
    end)
    local r, p = start { workers = 2 }
    r:route { to = o.url, options = { retries = "0" } }
    for _, code in ipairs({ 200, 200, 200, 404, 500 }) do
      p:request { method = "POST", path = "/" .. code, body = "12345" }
    end
    -- A request is counted when its response is out, so the client may have the last one before.
    local s = loop.eventually(function()
      local all = stats(r, "r1")
      return all.requests == 5 and all
    end)
    assert.equal("r1", s.route_id)
    assert.equal(1, s.errors)
    assert.same({ ["200"] = 3, ["404"] = 1, ["500"] = 1 }, s.status_codes)
    assert.equal(500, s.bytes_sent)
    assert.equal(25, s.bytes_received)
  end)

  it("measures latencies", function()
    local o = origin.start(function() return { delay = 0.1 } end)
    local r, p = start()
    r:route { to = o.url }
    for _ = 1, 3 do
      p:get("/")
    end
    local s = loop.eventually(function()
      local all = stats(r, "r1")
      return all.requests == 3 and all
    end)
    for _, key in ipairs({ "avg_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms" }) do
      assert.is_true(s[key] >= 90 and s[key] < 5000, key .. " is " .. s[key])
    end
    assert.is_true(s.p50_latency_ms <= s.p95_latency_ms and s.p95_latency_ms <= s.p99_latency_ms)
  end)

  it("is zero before the first request, and tells what was turned away", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1" }
    local s = stats(r, "r1")
    assert.equal(0, s.requests)
    assert.equal(0, s.p99_latency_ms)
    assert.same({}, s.status_codes)
    assert.same({ drain = 0, maintenance = 0, circuit = 0, health = 0, ratelimit = 0, tunnels = 0, requests = 0 },
      s.rejected)
  end)

  it("gives a list for ALL and for no route, of active routes alone", function()
    local r = start()
    assert.equal("STATS_OK|[]", r:call("STATS_GET"))
    r:route { to = "http://127.0.0.1:1" }
    r:ok("ROUTE_ADD", "b.example", "/", "http://127.0.0.1:1", 0)
    assert.equal(1, #stats(r))
    assert.equal(1, #stats(r, "ALL"))
    assert.equal(1, #stats(r, ""))
    assert.equal("r1", stats(r)[1].route_id)
  end)

  it("comes compressed on demand, also when it would be too long", function()
    local r = start()
    for i = 1, 350 do
      r:ok("ROUTE_ADD", ("h%d.example"):format(i), "/", "http://127.0.0.1:1", 0)
    end
    r:ok("CONFIG_APPLY")
    refused("response too large, use compressed", r:call("STATS_GET", "ALL"))
    local list = conversation.unpack(r:call("STATS_GET", "ALL", "compressed"), "STATS_OK")
    assert.equal(350, #list)
    assert.equal("r350", list[350].route_id)
  end)

  it("refuses unknown routes and forms", function()
    local r = start()
    refused("route not found", r:call("STATS_GET", "r1"))
    refused("invalid form: zip; use compressed", r:call("STATS_GET", "ALL", "zip"))
    refused("unexpected field: x", r:call("STATS_GET", "ALL", "compressed", "x"))
  end)
end)
