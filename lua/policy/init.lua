--- The request policies of one generation of scripts: what a file of scripts/policies/ has to
-- return.

local selfcheck = require("selfcheck")

local policy = {}

local KEYS = {
  summary = "string", fail = "string", on_request = "function", on_response = "function", check = "function",
  examples = "table",
}

--- Stops with what is wrong in a policy.
local function wrong(path, what, ...)
  error(("%s: %s"):format(path, what:format(...)), 0)
end

local function check_keys(path, value)
  for key, kind in pairs(KEYS) do
    if value[key] ~= nil and type(value[key]) ~= kind then
      wrong(path, "%s must be a %s", key, kind)
    end
  end
  for key in pairs(value) do
    if not KEYS[key] then
      wrong(path, "unknown key %s", tostring(key))
    end
  end
end

--- Checks the policy of one script. Raises with a message for its author when it is not in order.
-- @param name string: what the option policy calls it
-- @param path string: the script's file
-- @param value what it returned
-- @param trial boolean: have it check itself, too, as it is not in service yet
-- @return on_request or nil; on_response or nil; boolean: do requests not pass when it fails?
function policy.define(name, path, value, trial)
  if not name:find("^[%w_-]+$") or #name > 64 then
    wrong(path, "a policy's name is letters, digits, _ and -, at most 64 of them")
  elseif type(value) ~= "table" then
    wrong(path, "must return a table: return { summary = \"...\", on_request = function(req) ... end }")
  end
  check_keys(path, value)
  if not value.summary then
    wrong(path, "summary is missing (a string)")
  elseif not value.on_request and not value.on_response then
    wrong(path, "on_request or on_response is missing (a function)")
  elseif value.fail and value.fail ~= "open" and value.fail ~= "closed" then
    wrong(path, "fail must be \"open\" (requests pass when the policy fails) or \"closed\"")
  end
  if trial then
    selfcheck.run(path, "", value.check)
  end
  return value.on_request, value.on_response, value.fail == "closed"
end

return policy
