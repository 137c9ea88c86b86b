--- The registry's dispatch: from a line to the command that answers it.
--
-- Filled while scripts load (define, hook), then sealed; nothing is kept between lines.

local access = require("registry.access")
local command = require("registry.command")
local line = require("registry.line")
local reply = require("registry.reply")
local txn = require("registry.txn")

local registry = {}

local commands = {} -- name or alias to command
local hooks = {}
local sealed = false

local HOOKS = { authorize = true }

local function add(path, name, spec)
  if commands[name] then
    error(("%s: command %s is defined twice, also in %s"):format(path, name, commands[name].path), 0)
  end
  commands[name] = { spec = spec, path = path }
end

--- Takes the commands of one script. Raises with a message for its author when they are not in order.
-- @param path string: the script's file
-- @param list what it returned
function registry.define(path, list)
  assert(not sealed, "commands are defined while scripts load only")
  if type(list) ~= "table" or #list == 0 then
    error(("%s: must return a list of command tables: return { { name = ... }, ... }"):format(path), 0)
  end
  for _, spec in ipairs(list) do
    command.check(path, spec)
    add(path, spec.name, spec)
    for _, alias in ipairs(spec.aliases or {}) do
      add(path, alias, spec)
    end
  end
end

--- Takes a hook. Raises when there is none of that name.
-- @param name string: "authorize"
-- @param path string: the script's file
-- @param hook function, or a table with a function run
function registry.hook(name, path, hook)
  assert(not sealed, "hooks are set while scripts load only")
  local run = type(hook) == "table" and hook.run or hook
  if not HOOKS[name] then
    error(("%s: there is no hook %s; there is authorize"):format(path, tostring(name)), 0)
  elseif type(run) ~= "function" then
    error(("%s: must return a function, or a table with a function run"):format(path), 0)
  end
  hooks[name] = run
end

--- Ends loading.
function registry.seal()
  sealed = true
end

--- The command behind a name or an alias, or nil.
function registry.find(name)
  local found = commands[name]
  return found and found.spec
end

--- Reads the session id and the transaction id of a line.
-- @return id or nil, txn or nil, where the arguments start or nil
local function read_ids(spec, text, from)
  if spec and spec.session == "none" then
    return nil, nil, from
  end
  local id, next_from = line.take(text, from)
  local field, after = line.take(text, next_from)
  if txn.is(field) then
    return id, field, after
  end
  return id, nil, next_from
end

--- Everything that can refuse a line before its command runs.
-- @return cmd; or nil, reason
local function prepare(conn, text, name, spec, ids)
  local ok, err = access.connection(conn, name)
  if not ok then
    return nil, err
  elseif not spec then
    return nil, "unknown command: " .. name
  end
  local cmd = { name = spec.name, conn = conn, txn = ids.txn, session_id = ids.id }
  if (spec.session or "required") == "required" then
    cmd.session, err = access.session(conn, ids.id)
    if not cmd.session then
      return nil, err
    end
    cmd.session:touch()
  end
  ok, err = command.read(spec, text, ids.from, cmd)
  if ok then
    ok, err = access.command(hooks.authorize, cmd)
  end
  if not ok then
    return nil, err
  end
  return cmd
end

local function finish_line(answer, err, id)
  if type(answer) == "table" then
    local text
    text, err = reply.line(answer, id)
    if text then
      return text
    end
  elseif answer ~= nil then
    error(("the command returned a %s instead of an answer or nil, reason"):format(type(answer)), 0)
  end
  return reply.error(err or "refused", id)
end

--- Runs one line.
-- @param conn the connection it came on
-- @param text string
-- @return string: the answer; nil: none is due; or false, command name, txn: it comes later, through finish
function registry.run(conn, text)
  if text == "" then
    return nil
  elseif not line.is_utf8(text) then
    return reply.error("invalid character")
  end
  local name, from = line.take(text, 1)
  local spec, ids = registry.find(name), {}
  ids.id, ids.txn, ids.from = read_ids(spec, text, from)
  local cmd, err = prepare(conn, text, name, spec, ids)
  if not cmd then
    return reply.error(err, ids.txn)
  end
  local answer
  answer, err = spec.run(cmd)
  if type(answer) == "userdata" then
    return false, spec.name, ids.txn
  end
  return finish_line(answer, err, ids.txn)
end

--- Answers a line whose operation has ended.
-- @param name string: the command
-- @param id string or nil: its transaction id
-- @param result string: the operation's result as JSON, or ""
-- @return string: the answer
function registry.finish(name, id, result)
  local json = require("json")
  local value = result ~= "" and json.decode(result) or nil
  local answer, err = registry.find(name).finish(value)
  return finish_line(answer, err, id)
end

return registry
