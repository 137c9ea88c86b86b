--- Circuits: how they stand, and closing one by hand. What opens them is CIRCUIT_BREAKER_SET's.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local function describe(status)
  return json.object(
    "state", status.state,
    "failures", status.failures,
    "successes", status.successes or 0,
    "healthy", status.healthy,
    "opened_at", json.time(status.opened_at_ms),
    "last_failure", json.time(status.last_failure_ms),
    "next_attempt", json.time(status.next_attempt_ms),
    "in_maintenance", status.in_maintenance,
    "maintenance_hits", status.maintenance_hits,
    "draining", status.draining or false,
    "drain_started_at", json.time(status.drain_started_at_ms),
    "drain_remaining_seconds", status.drain_remaining_seconds or json.null,
    "drain_rejected", status.drain_rejected
  )
end

return {
  {
    name = "CIRCUIT_BREAKER_STATUS",
    aliases = { "CIRCUIT_STATUS" },
    summary = "Say how the circuit of a route stands at this moment, over all workers.",
    args = {
      { "route", check.route },
    },
    reply = "CIRCUIT_STATUS_OK|{json}",
    since = "0.1",
    errors = { "route not found" },
    notes = "state is closed, open or half-open. failures and successes are counted in a row: a success sets "
      .. "failures to 0 and the other way round; while open, failures are those that opened it and of probes since; "
      .. "while half-open, successes are the probes that passed. healthy is false while the health check says "
      .. "down, or has yet to pass for the first time. drain_rejected counts requests that went to another "
      .. "member or were refused.",
    example = {
      "CIRCUIT_BREAKER_STATUS|<sid>|r1",
      [[CIRCUIT_STATUS_OK|{"state":"open","failures":5,"successes":0,"healthy":true,]]
        .. [["opened_at":"2026-01-31T10:00:00Z","last_failure":"2026-01-31T10:00:00Z",]]
        .. [["next_attempt":"2026-01-31T10:00:30Z","in_maintenance":false,"maintenance_hits":0,"draining":false,]]
        .. [["drain_started_at":null,"drain_remaining_seconds":null,"drain_rejected":0}]],
    },
    run = function(cmd)
      local status, err = cmd.session:circuit_status(cmd.route)
      if not status then
        return nil, err
      end
      return reply.json("CIRCUIT_STATUS_OK", describe(status))
    end,
  },
  {
    name = "CIRCUIT_BREAKER_RESET",
    aliases = { "CIRCUIT_RESET" },
    summary = "Close the circuit of a route at once and count from zero.",
    args = {
      { "route", check.route },
    },
    reply = "CIRCUIT_OK",
    since = "0.1",
    errors = { "route not found" },
    notes = "Results of requests that are in flight do not count any more. One that the health check holds open "
      .. "stays so.",
    run = function(cmd)
      local ok, err = cmd.session:circuit_reset(cmd.route)
      if not ok then
        return nil, err
      end
      return reply.ok("CIRCUIT_OK")
    end,
  },
}
