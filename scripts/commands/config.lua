--- What is staged, as a whole: look at it, apply it, drop it.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local SCOPES = { "routes", "headers", "options", "health", "ratelimit", "circuit" }

local CHANGES = { "added", "removed", "modified" }

local function ok()
  return reply.ok("OK")
end

local function routes_diff(diff)
  for _, key in ipairs(CHANGES) do
    diff[key] = json.array(diff[key])
  end
  return json.pick(diff, CHANGES)
end

local function describe(diff)
  local object = { routes = routes_diff(diff.routes) }
  for i = 2, #SCOPES do
    object[SCOPES[i]] = json.pick(diff[SCOPES[i]], CHANGES)
  end
  return json.pick(object, SCOPES)
end

return {
  {
    name = "CONFIG_VALIDATE",
    summary = "Check what is staged without applying it.",
    args = {},
    reply = "OK",
    since = "0.1",
    errors = { "route r2: ..." },
    run = function(cmd)
      local valid, err = cmd.session:validate()
      if not valid then
        return nil, err
      end
      return ok()
    end,
  },
  {
    name = "CONFIG_APPLY",
    summary = "Make all that is staged live, in one step.",
    args = {},
    reply = "OK",
    since = "0.1",
    errors = { "route r2: ...", "unauthorized: ..." },
    notes = "Answered once every worker serves the new configuration. A refused apply changes "
      .. "nothing; what was "
      .. "staged stays staged.",
    run = function(cmd)
      return cmd.session:apply()
    end,
    finish = ok,
  },
  {
    name = "CONFIG_APPLY_PARTIAL",
    summary = "Make some scopes of what is staged live, in one step; the others stay staged.",
    args = {
      { "scopes", check.some_of("scope", unpack(SCOPES)) },
    },
    reply = "OK",
    since = "0.1",
    errors = {
      "unknown scope: route", "route r2: ...",
      "headers of r3: route r3 is not active, apply routes too", "unauthorized: ...",
    },
    notes = "scopes: comma separated, of " .. table.concat(SCOPES, ", ") .. ".",
    example = { "CONFIG_APPLY_PARTIAL|<sid>|headers,options", "OK" },
    run = function(cmd)
      return cmd.session:apply(cmd.scopes)
    end,
    finish = ok,
  },
  {
    name = "CONFIG_ROLLBACK",
    summary = "Drop all that is staged.",
    args = {},
    reply = "OK",
    since = "0.1",
    run = function(cmd)
      cmd.session:rollback()
      return ok()
    end,
  },
  {
    name = "CONFIG_DIFF",
    summary = "Say how what is staged differs from what is live.",
    args = {
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "DIFF_OK|{json}",
    since = "0.1",
    errors = { "response too large, use compressed" },
    notes = "Routes by their ids, the other scopes as counts.",
    run = function(cmd)
      return reply.json("DIFF_OK", describe(cmd.session:diff()), cmd.form)
    end,
  },
}
