local conversation = require("spec.scripts.conversation")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local function status(r)
  return json(r:call("DRAIN_STATUS"), "DRAIN_STATUS_OK")
end

--- A conversation of a session with one route that nobody listens behind.
local function start_with_route(options)
  local r, p = start(options)
  r:route { to = "http://127.0.0.1:1" }
  return r, p
end

--- Seconds since 1970 of a time in an answer.
local function seconds(text)
  local y, mo, d, h, mi, s = text:match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)Z$")
  return os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = s, isdst = false }
end

local function now()
  return seconds(os.date("!%Y-%m-%dT%H:%M:%SZ"))
end

describe("DRAIN_START", function()
  it("answers when it will be over", function()
    local r = start_with_route()
    local before = now()
    local over = seconds(r:ok("DRAIN_START", "2m"))
    assert.is_true(over >= before + 120 and over <= now() + 120)
  end)

  it("takes bare seconds, and a duration of 0 for at once", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "30")
    assert.equal(30, status(r).duration_seconds)
    r:ok("DRAIN_CANCEL")
    r:ok("DRAIN_START", "0")
    local s = status(r)
    assert.equal(0, s.duration_seconds)
    assert.equal(0, s.remaining_seconds)
    assert.equal(0, s.traffic_percent)
  end)

  it("is refused while one is in progress, also one whose time is over", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "0")
    refused("drain already in progress", r:call("DRAIN_START", "1m"))
    loop.eventually(function() return status(r).completed end)
    refused("drain already in progress", r:call("DRAIN_START", "1m"))
    assert.equal(0, status(r).duration_seconds)
  end)

  it("refuses what is no duration", function()
    local r = start_with_route()
    refused("missing field: duration", r:call("DRAIN_START"))
    for _, text in ipairs({ "", "soon", "-1s", "1x" }) do
      refused("invalid duration: duration", r:call("DRAIN_START", text))
    end
    refused("unexpected field: x", r:call("DRAIN_START", "1s", "x"))
    refused("no drain in progress", r:call("DRAIN_STATUS"))
  end)

  it("carries a transaction id", function()
    local r = start_with_route()
    assert.is_truthy(r:call("DRAIN_START", "txn-1", "1m"):find("^DRAIN_OK|txn%-1|%d+%-"))
    assert.equal("ERROR|txn-2|drain already in progress", r:call("DRAIN_START", "txn-2", "1m"))
  end)

  it("takes the longest duration there is", function()
    local r = start_with_route()
    assert.is_true(seconds(r:ok("DRAIN_START", "876000h")) > now() + 99 * 365 * 86400)
    assert.equal(876000 * 3600, status(r).duration_seconds)
    refused("invalid duration: duration", r:call("DRAIN_START", "876001h"))
  end)
end)

describe("DRAIN_STATUS", function()
  it("tells the whole of it", function()
    local r = start_with_route()
    local before = now()
    r:ok("DRAIN_START", "100s")
    local s = status(r)
    assert.equal(true, s.active)
    assert.is_true(seconds(s.started_at) >= before and seconds(s.started_at) <= now())
    assert.equal(100, s.duration_seconds)
    assert.equal(100, s.elapsed_seconds + s.remaining_seconds)
    assert.is_true(s.traffic_percent >= 80 and s.traffic_percent <= 100)
    assert.equal(0, s.in_flight)
    assert.equal(false, s.completed)
  end)

  it("follows the time, and stays at its end", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "400ms")
    loop.eventually(function()
      local percent = status(r).traffic_percent
      return percent > 0 and percent < 70
    end)
    loop.eventually(function() return status(r).traffic_percent == 0 end)
    loop.eventually(function() return status(r).completed end)
    local s = status(r)
    assert.same({ true, 1, 0, 0 },
      { s.active, s.duration_seconds, s.elapsed_seconds, s.remaining_seconds })
  end)

  it("is refused without a drain, and takes no field", function()
    local r = start_with_route()
    refused("no drain in progress", r:call("DRAIN_STATUS"))
    refused("unexpected field: x", r:call("DRAIN_STATUS", "x"))
  end)

  it("is each session's own", function()
    local r, p = start_with_route()
    local other = p:registry()
    other:register("shop", "shop-2")
    r:ok("DRAIN_START", "1m")
    refused("no drain in progress", other:call("DRAIN_STATUS"))
    assert.equal("DRAIN_OK", p:registry():ask("DRAIN_CANCEL|" .. r.session))
    refused("no drain in progress", r:call("DRAIN_STATUS"))
  end)

  it("counts what is in flight, also at a route that was removed meanwhile", function()
    local release = false
    local o = origin.start(function()
      loop.eventually(function() return release end)
      return {}
    end)
    local r, p = start()
    r:route { to = o.url }
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return o:count() == 1 end)
    r:ok("DRAIN_START", "1m")
    assert.equal(1, status(r).in_flight)
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    assert.equal(1, status(r).in_flight)
    release = true
    assert.equal(200, c:receive().status)
    loop.eventually(function() return status(r).in_flight == 0 end)
  end)
end)

describe("DRAIN_CANCEL", function()
  it("ends a drain, so that another can start", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "1m")
    assert.equal("DRAIN_OK", r:call("DRAIN_CANCEL"))
    refused("no drain in progress", r:call("DRAIN_STATUS"))
    refused("no drain in progress", r:call("DRAIN_CANCEL"))
    r:ok("DRAIN_START", "2m")
    assert.equal(120, status(r).duration_seconds)
  end)

  it("ends a completed one", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "0")
    loop.eventually(function() return status(r).completed end)
    assert.equal("DRAIN_OK", r:call("DRAIN_CANCEL"))
    r:ok("DRAIN_START", "1m")
    assert.equal(false, status(r).completed)
  end)

  it("is refused without a drain, and takes no field", function()
    local r = start_with_route()
    refused("no drain in progress", r:call("DRAIN_CANCEL"))
    refused("unexpected field: x", r:call("DRAIN_CANCEL", "x"))
  end)
end)

describe("a drain", function()
  it("stays through a lost connection and RECONNECT", function()
    local r, p = start_with_route()
    r:ok("DRAIN_START", "100s")
    r:close()
    p:wait_log("(Session disconnected)")
    local back = p:registry()
    assert.equal("OK", back:reconnect(r.session))
    assert.equal(100, status(back).duration_seconds)
  end)

  it("stays through an apply", function()
    local r = start_with_route()
    r:ok("DRAIN_START", "100s")
    r:route { to = "http://127.0.0.1:2", path = "/two" }
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    assert.equal(100, status(r).duration_seconds)
  end)

  it("covers routes that are applied while it runs", function()
    local o = origin.start({ delay = 0.5 })
    local r, p = start()
    r:ok("DRAIN_START", "1000h")
    r:route { to = o.url }
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return status(r).in_flight == 1 end)
    assert.equal(200, c:receive().status)
  end)

  it("is not inherited by a session that supersedes this one", function()
    local r, p = start_with_route()
    r:ok("DRAIN_START", "1m")
    local new = p:registry()
    new:register("shop", "shop-1")
    refused("no drain in progress", new:call("DRAIN_STATUS"))
    new:route { to = "http://127.0.0.1:1" }
    new:ok("DRAIN_START", "0")
    loop.eventually(function() return status(new).completed end)
  end)

  it("ends with its session", function()
    local r, p = start_with_route()
    r:ok("DRAIN_START", "50ms")
    assert.equal("SHUTDOWN_OK", r:call("CLIENT_SHUTDOWN"))
    refused("session not found", p:registry():ask("DRAIN_STATUS|" .. r.session))
  end)

  it("is logged from its start to its end", function()
    local r, p = start_with_route()
    r:ok("DRAIN_START", "0")
    p:wait_log('msg="%[registry%-v2%] Drain started" session=%x+ service=shop instance=shop%-1 duration_ms=0 routes=1')
    p:wait_log("Drain completed")
    r:ok("DRAIN_CANCEL")
    p:wait_log("Drain cancelled")
  end)
end)
