--- Tables that refuse names nobody defined: a typing error is an error at once, not a nil later.

local strict = {}

--- Makes reading an undefined name of a table an error, and optionally writing to it too.
-- @param values table
-- @param what string: what the table is, for the message ("global", "field of check")
-- @param sealed boolean: refuse new names as well
-- @return table: values
function strict.seal(values, what, sealed)
  local meta = {
    __metatable = "strict",
    __index = function(_, name)
      error(("undefined %s: %s"):format(what, tostring(name)), 2)
    end,
  }
  if sealed then
    meta.__newindex = function(_, name)
      error(("%s may not be set: %s; use local"):format(what, tostring(name)), 2)
    end
  end
  return setmetatable(values, meta)
end

return strict
