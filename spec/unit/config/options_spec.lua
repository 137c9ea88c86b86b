local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "config/options.h")

local function find(key)
  local row = lib.option_find(unit.slice(key))
  return row ~= nil and row or nil
end

local function parse(key, value)
  local out = ffi.new("union option_value")
  local err = ffi.new("struct error")
  if lib.option_parse(find(key), unit.slice(value), out, err) then
    return tonumber(out.number)
  end
  return nil, ffi.string(err.text)
end

local KEYS = {
  "timeout", "connect_timeout", "health_check_path", "health_check_interval", "health_check_timeout",
  "websocket", "compression", "http2", "http3", "encoded_separators", "max_body_size", "retries", "lb_policy",
  "preserve_host", "tls_verify", "slow_start", "policy",
  -- the proxy's own
  "policy_args",
  "health_policy", "panic", "circuit_failure_rate", "circuit_window", "circuit_min_requests",
  "ratelimit_shadow", "tls_ca", "tls_cert", "tls_server_name",
  "websocket_idle", "websocket_max_age", "websocket_max", "max_requests",
}

-- key, value, number
local TAKEN = {
  { "tls_server_name", "a.b-c.example", 0 },
  { "tls_server_name", "10.0.0.1", 0 },
  { "tls_ca", "internal", 0 },
  { "timeout", "5s", 5000 },
  { "timeout", "30", 30000 },
  { "max_body_size", "0", 0 },
  { "max_body_size", "1048576", 1048576 },
  { "max_body_size", "512k", 512 * 1024 },
  { "max_body_size", "10M", 10 * 1024 * 1024 },
  { "max_body_size", "1g", 1024 * 1024 * 1024 },
  { "retries", "0", 0 },
  { "retries", "1000000", 1000000 },
  { "websocket", "true", 1 },
  { "websocket", "false", 0 },
  { "lb_policy", "round_robin", 0 },
  { "lb_policy", "least_request", 1 },
  { "lb_policy", "ip_hash", 2 },
  { "panic", "none", 0 },
  { "panic", "fail_open", 1 },
  { "circuit_failure_rate", "0", 0 },
  { "circuit_failure_rate", "100", 100 },
  { "health_check_path", "/health", 0 },
  { "policy", "my-policy_2", 0 },
  { "policy_args", "to=v2 note='a b'", 0 },
}

-- key, value, reason
local REFUSED = {
  { "timeout", "soon", "invalid duration: timeout" },
  { "slow_start", "-1s", "invalid duration: slow_start" },
  { "health_check_interval", "", "invalid duration: health_check_interval" },
  { "max_body_size", "10x", 'invalid option max_body_size: takes a size in bytes like 1048576, 512k, '
    .. '10m or 1g, not "10x"' },
  { "max_body_size", "k", "takes a size" },
  { "max_body_size", "-1", "takes a size" },
  { "max_body_size", "1125899906842625", "takes a size" },
  { "max_body_size", "1048577g", "takes a size" },
  { "retries", "1.5", 'invalid option retries: takes a whole number from 0 to 1000000, not "1.5"' },
  { "retries", "1000001", "takes a whole number" },
  { "retries", "", "takes a whole number" },
  { "compression", "yes", 'invalid option compression: takes true or false, not "yes"' },
  { "compression", "True", "takes true or false" },
  { "lb_policy", "random", "takes round_robin, least_request or ip_hash" },
  { "health_check_path", "health", "takes a path" },
  { "health_check_path", "/a b", "takes a path" },
  { "health_check_path", "", "takes a path" },
  { "health_check_path", "/health?full=1", "takes a path" },
  { "health_check_path", "/health#top", "takes a path" },
  { "health_check_path", "/" .. ("x"):rep(1024), "takes a path" },
  { "policy", "../etc/passwd", "takes a name" },
  { "policy", "", "takes a name" },
  { "panic", "true", "takes none or fail_open" },
  { "circuit_failure_rate", "101", "takes a whole number from 0 to 100" },
  { "policy", ("x"):rep(65), "takes a name" },
  { "policy_args", "", "takes 1 to 1024 bytes of text" },
  { "policy_args", ("x"):rep(1025), "takes 1 to 1024 bytes of text" },
  { "policy_args", "a\1b", "takes 1 to 1024 bytes of text" },
  { "tls_ca", "/etc/ssl/ca.pem", "takes a name" },
  { "tls_cert", "a.pem", "takes a name" },
  { "tls_server_name", "", "takes a host name" },
  { "tls_server_name", "a b", "takes a host name" },
  { "tls_server_name", "a..b", "takes a host name" },
  { "tls_server_name", "::1", "takes a host name" },
}

describe("option", function()
  it("keys are those of the protocol", function()
    assert.equal(#KEYS, tonumber(lib.OPTION_IDS))
    for _, key in ipairs(KEYS) do
      assert.is_truthy(find(key), key)
    end
  end)

  it("rows stand where their id says", function()
    assert.equal(find("lb_policy"), lib.option_table + lib.OPTION_LB_POLICY)
    assert.equal(find("policy"), lib.option_table + lib.OPTION_POLICY)
  end)

  it("keys are told apart exactly", function()
    for _, key in ipairs({ "Timeout", "timeou", "timeouts", "", "speed" }) do
      assert.is_nil(find(key), key)
    end
  end)

  for _, case in ipairs(TAKEN) do
    it(("%s takes %q"):format(case[1], case[2]), function()
      assert.equal(case[3], (parse(case[1], case[2])))
    end)
  end

  for _, case in ipairs(REFUSED) do
    it(("%s refuses %q"):format(case[1], case[2]), function()
      local value, reason = parse(case[1], case[2])
      assert.is_nil(value)
      assert.is_truthy(reason:find(case[3], 1, true), reason)
    end)
  end
end)
