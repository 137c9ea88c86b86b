--- The commands and hooks of one generation of scripts: filled while they load, then sealed.

local command = require("registry.command")
local selfcheck = require("selfcheck")

local catalog = {}

local commands = {} -- name or alias to command
local hooks = {}
local checks = {} -- list of { path =, what =, check = }
local sealed = false

local HOOKS = { authorize = true }

local function add(path, name, spec)
  if commands[name] then
    local other = commands[name].path
    error(("%s: command %s is defined twice, also in %s"):format(path, name, other), 0)
  end
  commands[name] = { spec = spec, path = path }
end

--- Takes the commands of one script. Raises with a message for its author when they are not in
-- order.
-- @param path string: the script's file
-- @param list what it returned
function catalog.define(path, list)
  assert(not sealed, "commands are defined while scripts load only")
  if type(list) ~= "table" or #list == 0 then
    error(path .. ": must return a list of command tables: return { { name = ... }, ... }", 0)
  end
  for _, spec in ipairs(list) do
    command.check(path, spec)
    add(path, spec.name, spec)
    checks[#checks + 1] = { path = path, what = ("command %s: "):format(spec.name), check = spec.check }
    for _, alias in ipairs(spec.aliases or {}) do
      add(path, alias, spec)
    end
  end
end

--- Takes a hook. Raises when there is none of that name.
-- @param name string: "authorize"
-- @param path string: the script's file
-- @param hook function, or a table with a function run and perhaps a function check
function catalog.hook(name, path, hook)
  assert(not sealed, "hooks are set while scripts load only")
  local run = hook
  if type(hook) == "table" then
    run = hook.run
  end
  if not HOOKS[name] then
    error(("%s: there is no hook %s; there is authorize"):format(path, tostring(name)), 0)
  elseif type(run) ~= "function" then
    error(("%s: must return a function, or a table with a function run"):format(path), 0)
  end
  hooks[name] = run
  checks[#checks + 1] = { path = path, what = "", check = type(hook) == "table" and hook.check or nil }
end

--- Ends loading.
function catalog.seal()
  sealed = true
end

--- Lets every command and hook check itself. Raises with a message for the author of one that fails.
function catalog.check()
  for _, own in ipairs(checks) do
    selfcheck.run(own.path, own.what, own.check)
  end
end

--- The command behind a name or an alias, or nil.
function catalog.find(name)
  local found = commands[name]
  return found and found.spec
end

--- The hook of a name, or nil.
function catalog.find_hook(name)
  return hooks[name]
end

return catalog
