--- The scripts themselves: reading them again, and how the ones in service are.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local function describe_fault(fault)
  return fault and json.object(
    "file", fault.file or json.null,
    "line", fault.line or json.null,
    "reason", fault.reason,
    "at", json.time(fault.at_ms)
  ) or json.null
end

local function describe_rollback(status)
  local fault = status.taken_back
  return fault and json.object(
    "generation", status.taken_back_generation,
    "file", fault.file or json.null,
    "line", fault.line or json.null,
    "reason", fault.reason
  ) or json.null
end

local function describe(status)
  return json.object(
    "generation", status.generation,
    "since", json.time(status.since_ms),
    "last_good", status.last_good or json.null,
    "directory", status.directory,
    "watched", status.watched,
    "files", json.array(status.files),
    "failures", status.failures,
    "last_failure", describe_fault(status.last_failure),
    "last_error", describe_fault(status.refused),
    "rolled_back", describe_rollback(status),
    "policies_off", json.array(status.policies_off),
    "request_policies_off", json.array(status.request_policies_off)
  )
end

return {
  {
    name = "SCRIPTS_RELOAD",
    summary = "Read the scripts' directory again and put what is in it in service, if it is in order.",
    args = {},
    reply = "SCRIPTS_RELOAD_OK|generation|changed, or unchanged",
    since = "0.1",
    errors = { "commands/x.lua:3: ...", "generation 4 failed in service, change its files: ..." },
    notes = "A refusal changes nothing. With OK every worker has the new pages.",
    example = { "SCRIPTS_RELOAD|<sid>", "SCRIPTS_RELOAD_OK|2|changed" },
    run = function(cmd)
      return cmd.conn:scripts_reload()
    end,
    finish = function(result)
      return reply.ok("SCRIPTS_RELOAD_OK", result.generation, result.changed and "changed" or "unchanged")
    end,
  },
  {
    name = "SCRIPTS_STATUS",
    summary = "Say which generation of scripts is in service, since when, and what went wrong.",
    args = {
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "SCRIPTS_STATUS_OK|{json}",
    since = "0.1",
    errors = { "response too large, use compressed" },
    notes = "failures: failed calls of this generation within scripts_rollback.window. last_error: why the files "
      .. "as they are now are not in service. rolled_back: the generation that was given up for this one. "
      .. "policies_off: health policies that failed too often; request_policies_off: request policies that did.",
    run = function(cmd)
      return reply.json("SCRIPTS_STATUS_OK", describe(cmd.conn:scripts_status()), cmd.form)
    end,
  },
}
