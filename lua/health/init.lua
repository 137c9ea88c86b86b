--- The health policies of one generation of scripts: filled while they load, then sealed; asked
-- after every check.

local selfcheck = require("selfcheck")

local health = {}

local policies = {} -- name to { judge = function, check = function or nil, path = string }
local sealed = false

local KEYS = { summary = "string", judge = "function", check = "function", examples = "table" }
local OPTIONAL = { check = true, examples = true }
local STATES = { healthy = true, degraded = true, down = true }
local REASON_MAX = 63

--- Stops with what is wrong in a policy.
local function wrong(path, what, ...)
  error(("%s: %s"):format(path, what:format(...)), 0)
end

--- Takes the policy of one script. Raises with a message for its author when it is not in order.
-- @param name string: what the option health_policy calls it
-- @param path string: the script's file
-- @param policy what it returned
function health.define(name, path, policy)
  assert(not sealed, "health policies are defined while scripts load only")
  if not name:find("^[%w_-]+$") or #name > 64 then
    wrong(path, "a policy's name is letters, digits, _ and -, at most 64 of them")
  elseif type(policy) ~= "table" then
    wrong(path, "must return a table: return { summary = \"...\", judge = function(check) ... end }")
  end
  for key, kind in pairs(KEYS) do
    if policy[key] == nil and not OPTIONAL[key] then
      wrong(path, "%s is missing (a %s)", key, kind)
    elseif policy[key] ~= nil and type(policy[key]) ~= kind then
      wrong(path, "%s must be a %s", key, kind)
    end
  end
  for key in pairs(policy) do
    if not KEYS[key] then
      wrong(path, "unknown key %s", tostring(key))
    end
  end
  policies[name] = { judge = policy.judge, check = policy.check, path = path }
end

--- Ends loading.
function health.seal()
  sealed = true
end

--- Lets every policy check itself. Raises with a message for the author of one that fails.
function health.check()
  for _, name in ipairs(health.names()) do
    selfcheck.run(policies[name].path, "", policies[name].check)
  end
end

--- Is there a policy of this name?
function health.known(name)
  return policies[name] ~= nil
end

--- The names of all policies, in order.
-- @return list of strings
function health.names()
  local names = {}
  for name in pairs(policies) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Refuses what is no answer.
local function check_answer(path, state, reason, share)
  if not STATES[state] then
    local shown = type(state) == "string" and ("%q"):format(state) or "a " .. type(state)
    wrong(path, "judge answered %s instead of \"healthy\", \"degraded\" or \"down\"", shown)
  elseif reason ~= nil and (type(reason) ~= "string" or #reason > REASON_MAX
      or not reason:find("^[%w_.-]+$")) then
    wrong(path, "judge gave a reason that is not one word of letters, digits, _, - and .")
  elseif state == "degraded" and not (type(share) == "number" and share > 0 and share <= 1) then
    wrong(path, "judge answered degraded without a share above 0 and at most 1")
  end
end

--- Asks a policy.
-- @param name string: a policy that is known
-- @param check table: see scripts/README.md
-- @return state; reason or nil; share when degraded. Raises when it answers nonsense.
function health.judge(name, check)
  local policy = policies[name]
  local state, reason, share = policy.judge(check)
  check_answer(policy.path, state, reason, share)
  return state, reason, state == "degraded" and share or nil
end

return health
