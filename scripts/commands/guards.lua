--- Health checks, rate limits and circuit breakers of routes. Staged until CONFIG_APPLY.

local check = require("check")
local reply = require("registry.reply")
local setting = require("setting")

local count = check.whole(1, setting.COUNT_MAX)

return {
  {
    name = "HEALTH_SET",
    summary = "Stage a route's health check: GET of the backend with this path, any 2xx counts.",
    args = {
      { "route", check.route },
      { "path", check.text },
      { "interval", check.period },
      { "timeout", check.period },
    },
    reply = "HEALTH_OK",
    since = "0.1",
    errors = { "route not found", "path: has to start with /", "invalid duration: interval" },
    notes = "A timeout longer than the interval is taken: the next check waits for the one before.",
    example = { "HEALTH_SET|<sid>|r1|/health|10s|2s", "HEALTH_OK" },
    run = function(cmd)
      local value = setting.health(cmd.path, cmd.interval, cmd.timeout)
      local ok, err = cmd.session:put("health", cmd.route, "", value)
      if not ok then
        return nil, err
      end
      return reply.ok("HEALTH_OK")
    end,
  },
  {
    name = "RATELIMIT_SET",
    aliases = { "RATE_LIMIT_SET" },
    summary = "Stage how many requests each source address may send in a period.",
    args = {
      { "target", check.target },
      { "requests", count },
      { "window", check.period },
    },
    reply = "RATELIMIT_OK",
    since = "0.1",
    errors = { "route not found", "invalid number: requests ...", "invalid duration: window" },
    example = { "RATELIMIT_SET|<sid>|ALL|100|1m", "RATELIMIT_OK" },
    run = function(cmd)
      local value = setting.ratelimit(cmd.requests, cmd.window)
      local ok, err = cmd.session:put("ratelimit", cmd.target, "", value)
      if not ok then
        return nil, err
      end
      return reply.ok("RATELIMIT_OK")
    end,
  },
  {
    name = "CIRCUIT_BREAKER_SET",
    aliases = { "CIRCUIT_SET" },
    summary = "Stage a circuit breaker: failures in a row that open it, how long, and how many "
      .. "requests then probe.",
    args = {
      { "target", check.target },
      { "threshold", count },
      { "timeout", check.period },
      { "half_open_requests", count },
    },
    reply = "CIRCUIT_OK",
    since = "0.1",
    errors = { "route not found", "invalid number: threshold ...", "invalid duration: timeout" },
    example = { "CIRCUIT_BREAKER_SET|<sid>|r1|5|30s|3", "CIRCUIT_OK" },
    run = function(cmd)
      local value = setting.circuit(cmd.threshold, cmd.timeout, cmd.half_open_requests)
      local ok, err = cmd.session:put("circuit", cmd.target, "", value)
      if not ok then
        return nil, err
      end
      return reply.ok("CIRCUIT_OK")
    end,
  },
}
