local conversation = require("spec.scripts.conversation")

local start, refused, json = conversation.start, conversation.refused, conversation.json

--- A session with one live route, r1.
local function routed()
  local r, p = start()
  r:route { to = "http://127.0.0.1:1" }
  return r, p
end

local function status(r)
  return json(r:call("ROUTE_STATUS", "r1"), "ROUTE_STATUS_OK")
end

local function diff(r)
  return json(r:call("CONFIG_DIFF"), "DIFF_OK")
end

describe("HEALTH_SET", function()
  it("stages, shows in the diff, and applies", function()
    local r = routed()
    assert.equal("HEALTH_OK", r:call("HEALTH_SET", "r1", "/health", "10s", "2s"))
    assert.same({ added = 1, removed = 0, modified = 0 }, diff(r).health)
    r:ok("CONFIG_APPLY")
    local s = status(r)
    assert.same({ path = "/health", interval_ms = 10000, timeout_ms = 2000 }, s.settings.health)
    assert.same({}, s.not_in_effect)
  end)

  it("reads bare numbers as seconds", function()
    local r = routed()
    assert.equal("HEALTH_OK", r:call("HEALTH_SET", "r1", "/", "10", "1.5s"))
    r:ok("CONFIG_APPLY")
    assert.same({ path = "/", interval_ms = 10000, timeout_ms = 1500 }, status(r).settings.health)
  end)

  it("refuses what it cannot read, naming the field", function()
    local r = routed()
    refused("path: has to start with /", r:call("HEALTH_SET", "r1", "health", "10s", "2s"))
    refused("invalid duration: interval", r:call("HEALTH_SET", "r1", "/", "soon", "2s"))
    refused("invalid duration: interval", r:call("HEALTH_SET", "r1", "/", "-1s", "2s"))
    refused("invalid duration: interval", r:call("HEALTH_SET", "r1", "/", "", "2s"))
    refused("invalid duration: timeout", r:call("HEALTH_SET", "r1", "/", "10s", "x"))
    refused("invalid duration: interval must be longer than 0", r:call("HEALTH_SET", "r1", "/", "0", "2s"))
    refused("invalid duration: timeout must be longer than 0", r:call("HEALTH_SET", "r1", "/", "1s", "0s"))
    assert.same({ added = 0, removed = 0, modified = 0 }, diff(r).health)
  end)

  it("takes one route, not ALL", function()
    local r = routed()
    refused("route not found", r:call("HEALTH_SET", "ALL", "/", "10s", "2s"))
    refused("route not found", r:call("HEALTH_SET", "r9", "/", "10s", "2s"))
  end)

  it("names missing fields and ones too many", function()
    local r = routed()
    refused("missing field: route", r:call("HEALTH_SET"))
    refused("missing field: path", r:call("HEALTH_SET", "r1"))
    refused("missing field: interval", r:call("HEALTH_SET", "r1", "/"))
    refused("missing field: timeout", r:call("HEALTH_SET", "r1", "/", "10s"))
    refused("unexpected field: x", r:call("HEALTH_SET", "r1", "/", "10s", "2s", "x"))
  end)
end)

for _, name in ipairs({ "RATELIMIT_SET", "RATE_LIMIT_SET" }) do
  describe(name, function()
    it("stages, shows in the diff, and applies", function()
      local r = routed()
      assert.equal("RATELIMIT_OK", r:call(name, "r1", 100, "1m"))
      assert.same({ added = 1, removed = 0, modified = 0 }, diff(r).ratelimit)
      r:ok("CONFIG_APPLY")
      local s = status(r)
      assert.same({ requests = 100, window_ms = 60000 }, s.settings.ratelimit)
      assert.same({}, s.not_in_effect)
    end)

    it("holds for ALL routes, a route's own wins", function()
      local r = routed()
      r:ok(name, "r1", 5, "1s")
      r:ok(name, "ALL", 9, "1s")
      r:ok("CONFIG_APPLY")
      assert.equal(5, status(r).settings.ratelimit.requests)
    end)

    it("refuses what it cannot read, naming the field", function()
      local r = routed()
      refused("invalid number: requests must be from 1 to 1000000000", r:call(name, "r1", "0", "1s"))
      refused("invalid number: requests is not a whole number", r:call(name, "r1", "many", "1s"))
      refused("invalid duration: window", r:call(name, "r1", "5", "x"))
      refused("invalid duration: window must be longer than 0", r:call(name, "r1", "5", "0"))
      refused("route not found", r:call(name, "r9", "5", "1s"))
      refused("missing field: target", r:call(name))
      refused("missing field: requests", r:call(name, "r1"))
      refused("missing field: window", r:call(name, "r1", "5"))
      refused("unexpected field: x", r:call(name, "r1", "5", "1s", "x"))
    end)
  end)
end

for _, name in ipairs({ "CIRCUIT_BREAKER_SET", "CIRCUIT_SET" }) do
  describe(name, function()
    it("stages, shows in the diff, and applies", function()
      local r = routed()
      assert.equal("CIRCUIT_OK", r:call(name, "r1", 5, "30s", 3))
      assert.same({ added = 1, removed = 0, modified = 0 }, diff(r).circuit)
      r:ok("CONFIG_APPLY")
      local s = status(r)
      assert.same({ threshold = 5, timeout_ms = 30000, half_open_requests = 3 }, s.settings.circuit)
      assert.same({}, s.not_in_effect)
    end)

    it("holds for ALL routes", function()
      local r = routed()
      assert.equal("CIRCUIT_OK", r:call(name, "ALL", 5, "30s", 3))
      r:ok("CONFIG_APPLY")
      assert.equal(5, status(r).settings.circuit.threshold)
    end)

    it("refuses what it cannot read, naming the field", function()
      local r = routed()
      local whole = "invalid number: %s must be from 1 to 1000000000"
      refused(whole:format("threshold"), r:call(name, "r1", "0", "30s", "3"))
      refused(whole:format("half_open_requests"), r:call(name, "r1", "5", "30s", "0"))
      refused("invalid number: threshold is not a whole number", r:call(name, "r1", "x", "30s", "3"))
      refused("invalid duration: timeout", r:call(name, "r1", "5", "x", "3"))
      refused("invalid duration: timeout must be longer than 0", r:call(name, "r1", "5", "0", "3"))
      refused("route not found", r:call(name, "r9", "5", "30s", "3"))
      refused("missing field: target", r:call(name))
      refused("missing field: threshold", r:call(name, "r1"))
      refused("missing field: timeout", r:call(name, "r1", "5"))
      refused("missing field: half_open_requests", r:call(name, "r1", "5", "30s"))
      refused("unexpected field: x", r:call(name, "r1", "5", "30s", "3", "x"))
    end)
  end)
end
