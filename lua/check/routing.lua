--- Checks of what names routes. What a route or a setting may be is checked where it is staged
-- (src/control/config_check.c), for every way in.

local list = require("check.list")
local value = require("check.value")

local routing = {}

--- "ALL" or a route id. Whether the session has the route is the session's to say.
routing.target = value.text

--- A route id; "ALL" is none.
function routing.route(text, name)
  if text == "ALL" then
    return nil, "route not found"
  end
  return value.text(text, name)
end

--- Domains, comma separated, as a list; their form is checked with the route.
function routing.domains(text, name)
  local domains = list.split(text)
  for _, domain in ipairs(domains) do
    if domain == "" then
      return nil, text == "" and "missing field: " .. name or "invalid domain: empty"
    end
  end
  return domains
end

return routing
