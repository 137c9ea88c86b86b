--- Showing a page in the place of routes, and going back to traffic.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local REASON_MAX = 1024

local function acknowledge()
  return reply.ok("ACK")
end

local function describe(status)
  return json.object(
    "in_maintenance", json.array(status.in_maintenance),
    "maintenance_backend", status.maintenance_backend or json.null,
    "entered_at", json.time(status.entered_at_ms),
    "reason", status.reason or json.null,
    "expected_end", json.time(status.expected_end_ms),
    "waiting", status.waiting or json.null
  )
end

return {
  {
    name = "MAINT_ENTER",
    summary = "Show a page in the place of some routes: of ALL, or of a comma list of route ids, paths and domains.",
    args = {
      { "target", check.text },
      { "page_url", check.text, optional = true },
      { "reason", check.name(REASON_MAX), optional = true },
      { "duration", check.period, optional = true },
    },
    reply = "ACK, later MAINT_OK|target",
    since = "0.1",
    errors = { "route not found: /x", "invalid target: empty", "page_url: must start with http://, ...",
      "invalid duration: duration" },
    notes = "Without page_url the page is the proxy's own and MAINT_OK follows at once; with it, once the URL "
      .. "answers below 500. reason is for that page, duration how long the maintenance is expected to take; "
      .. "neither ends it.",
    example = { "MAINT_ENTER|<sid>|/shop,r3|http://10.0.0.9:8000|Moving house|30m", "ACK" },
    run = function(cmd)
      return cmd.session:maintenance_enter(cmd.target, cmd.page_url, cmd.reason, cmd.duration, cmd.txn)
    end,
    finish = acknowledge,
  },
  {
    name = "MAINT_EXIT",
    summary = "Send requests to the backends again, once they answer.",
    args = {
      { "target", check.text },
      { "mode", check.one_of("force"), optional = true },
    },
    reply = "ACK, later MAINT_OK|target",
    since = "0.1",
    errors = { "route not found: /x", "invalid target: empty", "invalid mode: x; use force" },
    notes = "The page stays until every backend concerned answers below 500 on its URL. With force nothing is "
      .. "waited for.",
    example = { "MAINT_EXIT|<sid>|ALL", "ACK" },
    run = function(cmd)
      return cmd.session:maintenance_exit(cmd.target, cmd.mode == "force", cmd.txn)
    end,
    finish = acknowledge,
  },
  {
    name = "MAINT_STATUS",
    summary = "Say which routes are in maintenance and what is waited for.",
    args = {
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "MAINT_STATUS_OK|{json}",
    since = "0.1",
    errors = { "response too large, use compressed" },
    notes = "waiting is page while an ENTER waits for its URL, backend while an EXIT waits, else null.",
    run = function(cmd)
      return reply.json("MAINT_STATUS_OK", describe(cmd.session:maintenance_status()), cmd.form)
    end,
  },
}
