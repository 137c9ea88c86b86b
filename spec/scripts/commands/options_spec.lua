local conversation = require("spec.scripts.conversation")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local GOOD = {
  timeout = "10s", connect_timeout = "300ms", health_check_path = "/health", health_check_interval = "30",
  health_check_timeout = "5s", websocket = "true", compression = "false", http2 = "true", http3 = "false",
  max_body_size = "10m", retries = "3", lb_policy = "least_request", preserve_host = "false",
  tls_verify = "true", slow_start = "1m30s", policy = "rewrite",
  policy_args = "strip=/a add='/b c'", health_policy = "ratio",
}

local BAD = {
  timeout = { "", "soon", "-1s" }, connect_timeout = { "x" }, health_check_path = { "health" },
  health_check_interval = { "x" }, health_check_timeout = { "-1" }, websocket = { "yes", "1", "TRUE" },
  compression = { "on" }, http2 = { "x" }, http3 = { "x" }, max_body_size = { "big", "-1", "1x" },
  retries = { "-1", "x", "1.5" }, lb_policy = { "random" }, preserve_host = { "y" },
  tls_verify = { "x" }, slow_start = { "x" }, health_policy = { "" },
  policy = { "", "guess", "../rewrite" }, policy_args = { "", ("x"):rep(1025) },
}

describe("OPTIONS_SET", function()
  it("takes every option key, for a route and for ALL", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1" }
    for key, value in pairs(GOOD) do
      assert.equal("OPTIONS_OK", r:call("OPTIONS_SET", "r1", key, value))
      assert.equal("OPTIONS_OK", r:call("OPTIONS_SET", "ALL", key, value))
    end
    assert.equal("OK", r:call("CONFIG_APPLY"))
    local settings = json(r:call("ROUTE_STATUS", "r1"), "ROUTE_STATUS_OK").settings
    assert.same(GOOD, settings.options)
  end)

  it("refuses a health policy that there is not, naming those there are", function()
    local r = start()
    refused("unknown health policy: guess; there are default, ratio",
      r:call("OPTIONS_SET", "ALL", "health_policy", "guess"))
  end)

  it("refuses a request policy that there is not, naming those there are", function()
    local r = start()
    refused("unknown policy: guess; there are address_filter, basic_auth, block_agents, canary, cors, json_errors, "
      .. "maintenance_window, redirect, request_id, rewrite, security_headers, sticky",
      r:call("OPTIONS_SET", "ALL", "policy", "guess"))
  end)

  for key, values in pairs(BAD) do
    it("refuses what is no value of " .. key .. ", naming it", function()
      local r = start()
      for _, value in ipairs(values) do
        local answer = r:call("OPTIONS_SET", "ALL", key, value)
        local named = answer:find("^ERROR|.*" .. key) or value == "" and answer:find("missing field: value")
        assert.is_truthy(named, value .. " gave " .. answer)
      end
    end)
  end

  it("refuses unknown keys by name", function()
    local r = start()
    refused("unknown option: colour", r:call("OPTIONS_SET", "ALL", "colour", "red"))
    refused("unknown option: Timeout", r:call("OPTIONS_SET", "ALL", "Timeout", "5s"))
  end)

  it("refuses unknown targets, missing fields and ones too many", function()
    local r = start()
    refused("route not found", r:call("OPTIONS_SET", "r1", "timeout", "5s"))
    refused("missing field: target", r:call("OPTIONS_SET"))
    refused("missing field: key", r:call("OPTIONS_SET", "ALL"))
    refused("missing field: value", r:call("OPTIONS_SET", "ALL", "timeout"))
    refused("unexpected field: x", r:call("OPTIONS_SET", "ALL", "timeout", "5s", "x"))
  end)

  it("has effect from the apply on", function()
    local o = origin.start(function() return { delay = 5 } end)
    local r, p = start()
    r:route { to = o.url }
    r:ok("OPTIONS_SET", "r1", "timeout", "100ms")
    r:ok("OPTIONS_SET", "r1", "retries", "0")
    r:ok("CONFIG_APPLY")
    assert.equal(504, p:get("/").status)
  end)
end)

describe("OPTIONS_REMOVE", function()
  it("returns an option to its default", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1", options = { retries = "5" } }
    assert.equal("OPTIONS_OK", r:call("OPTIONS_REMOVE", "r1", "retries"))
    r:ok("CONFIG_APPLY")
    assert.same({}, json(r:call("ROUTE_STATUS", "r1"), "ROUTE_STATUS_OK").settings.options)
  end)

  it("refuses what was never set, and unknown keys", function()
    local r = start()
    refused("options not set: retries", r:call("OPTIONS_REMOVE", "ALL", "retries"))
    refused("unknown option: colour", r:call("OPTIONS_REMOVE", "ALL", "colour"))
  end)

  it("refuses unknown targets, missing fields and ones too many", function()
    local r = start()
    refused("route not found", r:call("OPTIONS_REMOVE", "r1", "timeout"))
    refused("missing field: target", r:call("OPTIONS_REMOVE"))
    refused("missing field: key", r:call("OPTIONS_REMOVE", "ALL"))
    refused("unexpected field: x", r:call("OPTIONS_REMOVE", "ALL", "timeout", "x"))
  end)
end)
