--- Who may do what: the token, the session a line speaks for, the operator's hook.

local access = {}

--- Has the connection said AUTH, if it must? AUTH itself always may.
-- @return true; or nil, reason
function access.connection(conn, name)
  if name == "AUTH" or conn:authorized() then
    return true
  end
  return nil, "unauthorized"
end

--- The session that a line with this session id acts on.
-- @param conn connection
-- @param id string or nil
-- @return session; or nil, reason
function access.session(conn, id)
  local bound = conn:session()
  if bound then
    if id ~= bound:id() then
      return nil, "invalid session"
    end
    return bound
  elseif not id or id == "" then
    return nil, "no session"
  end
  local session, why = conn:find(id)
  if not session then
    return nil, why or "session not found"
  end
  return session
end

--- Asks the hook whether the command may run.
-- @param hook function(cmd) -> true | nil, why; nil: there is none
-- @return true; or nil, reason
function access.command(hook, cmd)
  if not hook then
    return true
  end
  local ok, why = hook(cmd)
  if ok then
    return true
  end
  return nil, why and "unauthorized: " .. tostring(why) or "unauthorized"
end

return access
