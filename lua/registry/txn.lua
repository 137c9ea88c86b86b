--- Transaction ids: a field right after the session id that comes back in the answer.

local txn = {}

--- Is the field one?
-- @param field string or nil
function txn.is(field)
  return field ~= nil and field:find("^txn[-_:]") ~= nil
end

return txn
