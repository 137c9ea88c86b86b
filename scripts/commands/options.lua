--- Options of routes: timeouts, retries, load balancing and the like. Staged until CONFIG_APPLY.

local check = require("check")
local health = require("health")
local host = require("host")
local reply = require("registry.reply")

local function option_key(text, name)
  if text ~= "" and not host.option_find(text) then
    return nil, "unknown option: " .. text
  end
  return check.text(text, name)
end

--- Refuses a name that no script has.
local function script_name(text, what, names)
  for _, name in ipairs(names) do
    if name == text then
      return text
    end
  end
  return nil, ("unknown %s: %s; there are %s"):format(what, text, table.concat(names, ", "))
end

local function option_value(text, name, cmd)
  if text ~= "" and cmd.key == "policy" then
    return script_name(text, "policy", host.policies())
  elseif text ~= "" and cmd.key == "health_policy" then
    return script_name(text, "health policy", health.names())
  end
  return check.text(text, name)
end

return {
  {
    name = "OPTIONS_SET",
    summary = "Stage an option for a route, or for ALL routes of the session.",
    args = {
      { "target", check.target },
      { "key", option_key },
      { "value", option_value },
    },
    reply = "OPTIONS_OK",
    since = "0.1",
    errors = {
      "route not found", "unknown option: colour", "unknown health policy: x; there are default, ratio",
      "unknown policy: x; there are address_filter, basic_auth, ...",
    },
    example = { "OPTIONS_SET|<sid>|r1|timeout|10s", "OPTIONS_OK" },
    run = function(cmd)
      local ok, err = cmd.session:put("options", cmd.target, cmd.key, cmd.value)
      if not ok then
        return nil, err
      end
      return reply.ok("OPTIONS_OK")
    end,
  },
  {
    name = "OPTIONS_REMOVE",
    summary = "Stage the return of an option to its default.",
    args = {
      { "target", check.target },
      { "key", option_key },
    },
    reply = "OPTIONS_OK",
    since = "0.1",
    errors = { "route not found", "unknown option: colour", "options not set: timeout" },
    example = { "OPTIONS_REMOVE|<sid>|r1|timeout", "OPTIONS_OK" },
    run = function(cmd)
      local ok, err = cmd.session:drop("options", cmd.target, cmd.key)
      if not ok then
        return nil, err
      end
      return reply.ok("OPTIONS_OK")
    end,
  },
}
