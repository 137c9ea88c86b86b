--- Turning requests away, little by little, before an instance goes.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

--- Whole seconds, rounded up.
local function seconds(ms)
  return math.ceil(ms / 1000)
end

local function describe(status)
  return json.object(
    "active", true,
    "started_at", json.time(status.started_at_ms),
    "duration_seconds", seconds(status.duration_ms),
    "elapsed_seconds", math.floor(status.elapsed_ms / 1000),
    "remaining_seconds", seconds(status.duration_ms - status.elapsed_ms),
    "traffic_percent", status.traffic_percent,
    "in_flight", status.in_flight,
    "completed", status.completed
  )
end

return {
  {
    name = "DRAIN_START",
    summary = "Turn requests of this session away, from none to all, over a period.",
    args = {
      { "duration", check.duration },
    },
    reply = "DRAIN_OK|completion_time",
    since = "0.1",
    errors = { "drain already in progress", "invalid duration: duration" },
    notes = "Covers every active route, those applied later too, until it is cancelled or the session ends. "
      .. "Duration 0: all at once.",
    example = { "DRAIN_START|<sid>|2m", "DRAIN_OK|2026-01-31T10:02:00Z" },
    run = function(cmd)
      local ends_at, err = cmd.session:drain(cmd.duration)
      if not ends_at then
        return nil, err
      end
      return reply.ok("DRAIN_OK", json.time(ends_at))
    end,
  },
  {
    name = "DRAIN_STATUS",
    summary = "Say how far the drain is.",
    args = {},
    reply = "DRAIN_STATUS_OK|{json}",
    since = "0.1",
    errors = { "no drain in progress" },
    notes = "traffic_percent is what still passes. completed is true once the time is over and the last "
      .. "request in flight is done; active stays true until the drain is cancelled.",
    run = function(cmd)
      local status, err = cmd.session:drain_status()
      if not status then
        return nil, err
      end
      return reply.json("DRAIN_STATUS_OK", describe(status))
    end,
  },
  {
    name = "DRAIN_CANCEL",
    summary = "End the drain: requests come again.",
    args = {},
    reply = "DRAIN_OK",
    since = "0.1",
    errors = { "no drain in progress" },
    notes = "Routes with the option slow_start get their share back little by little.",
    run = function(cmd)
      local ok, err = cmd.session:drain_cancel()
      if not ok then
        return nil, err
      end
      return reply.ok("DRAIN_OK")
    end,
  },
}
