--- The registry's dispatch: from a line to the command that answers it.
--
-- Scripts fill it while they load (define, hook, seal); nothing is kept between lines.

local access = require("registry.access")
local catalog = require("registry.catalog")
local command = require("registry.command")
local json = require("json")
local line = require("registry.line")
local reply = require("registry.reply")
local txn = require("registry.txn")

local registry = {}

registry.define = catalog.define
registry.hook = catalog.hook
registry.seal = catalog.seal
registry.check = catalog.check

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

--- Puts the session a line acts on into cmd, for a command that needs one.
-- @return true; or nil, reason
local function find_session(conn, spec, cmd)
  if spec.session == "none" then
    return true
  elseif spec.session == "id" then
    local given = cmd.session_id and cmd.session_id ~= ""
    return given or nil, "no session"
  end
  local err
  cmd.session, err = access.session(conn, cmd.session_id)
  if not cmd.session then
    return nil, err
  end
  cmd.session:touch()
  return true
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
  ok, err = find_session(conn, spec, cmd)
  if ok then
    ok, err = command.read(spec, text, ids.from, cmd)
  end
  if ok then
    ok, err = access.command(catalog.find_hook("authorize"), cmd)
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
-- @return string: the answer; nil: none is due; or false, command name, txn: it comes later,
-- through finish
function registry.run(conn, text)
  if text == "" then
    return nil
  end
  local name, from = line.take(text, 1)
  local spec, ids = catalog.find(name), {}
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

--- Answers a line whose operation has ended. The scripts may have been changed meanwhile: it is finished as the
-- command of its name says now.
-- @param name string: the command
-- @param id string or nil: its transaction id
-- @param result string: the operation's result as JSON, or ""
-- @return string: the answer
function registry.finish(name, id, result)
  local spec = catalog.find(name)
  if not spec then
    return reply.error("internal error in command " .. name, id)
  end
  local finish = spec.finish
  if not finish then
    error(("command %s waits for a result, so it needs a function finish"):format(name), 0)
  end
  local answer, err = finish(result ~= "" and json.decode(result) or nil)
  return finish_line(answer, err, id)
end

return registry
