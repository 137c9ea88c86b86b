--- Options of routes: timeouts, retries, load balancing and the like. Staged until CONFIG_APPLY.

local check = require("check")
local host = require("host")
local reply = require("registry.reply")

local function option_key(text, name)
  if text ~= "" and not host.option_find(text) then
    return nil, "unknown option: " .. text
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
      { "value", check.text },
    },
    reply = "OPTIONS_OK",
    since = "0.1",
    errors = { "route not found", "unknown option: colour" },
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
