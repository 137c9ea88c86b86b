--- What is going on: the state and the statistics of routes.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")
local setting = require("setting")

local STATUS_KEYS = {
  "route_id", "status", "domains", "path", "backend", "priority", "standing", "session",
  "addresses", "resolve_status", "in_flight", "tunnels_open", "requests", "errors", "connects",
  "connect_errors", "retries", "policy_failures", "policy_skipped", "policy_off", "effective", "health", "settings",
  "not_in_effect",
}

local STATS_KEYS = {
  "route_id", "requests", "errors", "avg_latency_ms", "p50_latency_ms", "p95_latency_ms",
  "p99_latency_ms", "bytes_sent", "bytes_received", "status_codes", "rejected",
  "ratelimit_shadowed", "ratelimit_evicted", "panicked", "probes", "policy_failures", "policy_skipped",
  "tunnels", "tunnels_open", "compression",
}

--- Who gets requests, how many, or why not and until when.
local function describe_effective(effective)
  return effective and json.object(
    "use", effective.use,
    "share_percent", effective.share_percent,
    "reason", effective.reason or json.null,
    "until", json.time(effective.until_ms),
    "panic", effective.panic
  )
end

local HEALTH_KEYS = {
  "state", "reason", "kind", "url", "policy", "policy_off", "interval_seconds", "timeout_seconds", "last_check",
  "last_result", "last_latency_ms", "since", "share_percent", "overdue", "checks", "failures",
}

local function describe_health(health)
  if not health then
    return json.null
  end
  health.last_check = json.time(health.last_check_ms)
  health.since = json.time(health.since_ms)
  return json.pick(health, HEALTH_KEYS)
end

local function describe_status(status)
  for _, key in ipairs({ "domains", "addresses", "not_in_effect" }) do
    status[key] = json.array(status[key])
  end
  status.effective = describe_effective(status.effective)
  status.health = describe_health(status.health)
  local settings = status.settings
  for _, scope in ipairs({ "health", "ratelimit", "circuit" }) do
    settings[scope] = setting.describe(scope, settings[scope])
  end
  return json.pick(status, STATUS_KEYS)
end

--- Nobody can be told of more, so nobody's time is spent on counting them.
local ROUTES_MAX, COMPRESSED_ROUTES_MAX = 250, 5000

--- @return list; or nil, reason
local function all_stats(session, form)
  local list, routes = json.array({}), session:active_routes()
  if #routes > (form and COMPRESSED_ROUTES_MAX or ROUTES_MAX) then
    return nil, form and "response too large" or "response too large, use compressed"
  end
  for i, route in ipairs(routes) do
    list[i] = json.pick(session:stats(route), STATS_KEYS)
  end
  return list
end

return {
  {
    name = "ROUTE_STATUS",
    summary = "Say everything known about one route at this moment.",
    args = {
      { "route", check.route },
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "ROUTE_STATUS_OK|{json}",
    since = "0.1",
    errors = { "route not found", "response too large, use compressed" },
    notes = "effective says what the route's state means for requests: use is full, shared (share_percent of "
      .. "them), probe (few, while half-open), last resort (when no other member can), none (reason, and until "
      .. "when if that is known); panic: it is used all the same, as no member "
      .. "of its group can be (option panic). policy_off: the route's request policy failed too often and is not "
      .. "asked before scripts change; health.policy_off is the same for its health policy. not_in_effect lists what "
      .. "is applied for the route but has no effect in this version yet.",
    run = function(cmd)
      local status, err = cmd.session:route_status(cmd.route)
      if not status then
        return nil, err
      end
      return reply.json("ROUTE_STATUS_OK", describe_status(status), cmd.form)
    end,
  },
  {
    name = "STATS_GET",
    summary = "Count what one route, or each active route of the session, has served.",
    args = {
      { "target", check.target, optional = true, default = "ALL" },
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "STATS_OK|{json}; with ALL or no route STATS_OK|[...]",
    since = "0.1",
    errors = { "route not found", "response too large, use compressed", "response too large" },
    notes = "Exact sums over all workers, since the route was first applied. rejected counts the "
      .. "requests that were turned away, by reason; drain counts those that another member took, too. "
      .. "ratelimit_shadowed: what the limit would have turned away (option ratelimit_shadow); ratelimit_evicted: "
      .. "sources that the proxy, for all routes together, forgot before their time, as more came than "
      .. "limits.ratelimit_sources; panicked: "
      .. "requests sent to the member although it was down (option panic); probes: sent while its circuit was "
      .. "half-open; policy_failures: calls of the request policy that failed; policy_skipped: requests that went "
      .. "without it, because it failed too often or had just run out of time; tunnels: WebSockets and other "
      .. "upgrades, which count as requests when they open, while their bytes count as they pass; rejected.tunnels: "
      .. "refused by option websocket_max, rejected.requests: by max_requests; compression: responses that were "
      .. "compressed, their bytes before and after, and those that were skipped, because compression.cpu or "
      .. "compression.streams was reached. ALL is told of 5,000 routes at most.",
    run = function(cmd)
      if cmd.target == "ALL" then
        local list, err = all_stats(cmd.session, cmd.form)
        if not list then
          return nil, err
        end
        return reply.json("STATS_OK", list, cmd.form)
      end
      local stats, err = cmd.session:stats(cmd.target)
      if not stats then
        return nil, err
      end
      return reply.json("STATS_OK", json.pick(stats, STATS_KEYS), cmd.form)
    end,
  },
}
