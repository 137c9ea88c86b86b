--- Commands as tables: what a table must have, and how a line's fields become its arguments.

local line = require("registry.line")

local command = {}

--- Keys of a command's table: type, and whether it must be there.
local KEYS = {
  name = { "string", true }, summary = { "string", true }, args = { "table", true },
  reply = { "string", true }, since = { "string", true }, run = { "function", true },
  finish = { "function" }, aliases = { "table" }, errors = { "table" }, example = { "table" },
  examples = { "table" }, notes = { "string" }, check = { "function" }, session = { "string" }, too_few = { "string" },
}

local SESSIONS = { required = true, id = true, none = true }
local ARG_KEYS = { [1] = true, [2] = true, optional = true, default = true, rest = true }

--- Stops with what is wrong in a script's table.
local function wrong(path, what, ...)
  error(("%s: %s"):format(path, what:format(...)), 0)
end

local function check_keys(path, spec)
  for key, rule in pairs(KEYS) do
    if spec[key] == nil and rule[2] then
      wrong(path, "command %s: %s is missing (a %s)", tostring(spec.name), key, rule[1])
    elseif spec[key] ~= nil and type(spec[key]) ~= rule[1] then
      wrong(path, "command %s: %s must be a %s", tostring(spec.name), key, rule[1])
    end
  end
  for key in pairs(spec) do
    if not KEYS[key] then
      wrong(path, "command %s: unknown key %s", spec.name, tostring(key))
    end
  end
end

local function check_arg(path, spec, index, arg)
  if type(arg) ~= "table" or type(arg[1]) ~= "string" or type(arg[2]) ~= "function" then
    wrong(path, "command %s: argument %d must be { \"name\", check }", spec.name, index)
  end
  for key in pairs(arg) do
    if not ARG_KEYS[key] then
      wrong(path, "command %s: argument %s: unknown key %s", spec.name, arg[1], tostring(key))
    end
  end
  if arg.rest and index ~= #spec.args then
    wrong(path, "command %s: only the last argument can take the rest of the line", spec.name)
  end
  local before = spec.args[index - 1]
  if before and before.optional and not arg.optional then
    wrong(path, "command %s: argument %s follows an optional one", spec.name, arg[1])
  end
end

--- Refuses a table that is no command, with a message for the script's author.
-- @param path string: the script's file
-- @param spec table
function command.check(path, spec)
  if type(spec) ~= "table" then
    wrong(path, "must return a list of command tables, not a list of %ss", type(spec))
  end
  check_keys(path, spec)
  for _, name in ipairs({ spec.name, unpack(spec.aliases or {}) }) do
    if type(name) ~= "string" or not name:find("^[A-Z][A-Z0-9_]*$") then
      wrong(path, "command %s: names are capital letters, digits and _", tostring(name))
    end
  end
  if spec.session and not SESSIONS[spec.session] then
    wrong(path, "command %s: session must be required, id or none", spec.name)
  end
  for index, arg in ipairs(spec.args) do
    check_arg(path, spec, index, arg)
  end
end

local function takes_rest(spec)
  local last = spec.args[#spec.args]
  return last and last.rest
end

--- Reads the fields of a line into the arguments of a command.
-- @param spec the command
-- @param text string: the line
-- @param from integer: where its arguments start; nil when it has none
-- @param cmd table: gets the arguments under their names
-- @return true; or nil, reason
function command.read(spec, text, from, cmd)
  local count = #spec.args
  local fields = line.split(text, from, takes_rest(spec) and count or math.huge)
  for index, arg in ipairs(spec.args) do
    local name, check = arg[1], arg[2]
    local field = fields[index]
    if arg.optional and (field == nil or field == "") then
      cmd[name] = arg.default
    elseif field == nil then
      return nil, spec.too_few or "missing field: " .. name
    else
      local value, err = check(field, name, cmd)
      if value == nil then
        return nil, err
      end
      cmd[name] = value
    end
  end
  if #fields > count then
    return nil, ("unexpected field: %s"):format(fields[count + 1])
  end
  return true
end

return command
