--- JSON for commands: texts from clients, values for answers.

local host = require("host")

local json = { null = host.null, array = host.json_array, object = host.json_object }

--- @param value anything JSON can say
-- @return string; raises when the value is none, which is a mistake of the script
function json.encode(value)
  local text, err = host.json_encode(value)
  if not text then
    error("cannot be written as JSON: " .. tostring(err), 2)
  end
  return text
end

--- @param text string
-- @return value; or nil, reason
function json.decode(text)
  return host.json_decode(text)
end

--- Is a JSON text an object (rather than a list or a bare value)?
function json.is_object(text)
  return text:find("^%s*{") ~= nil and type(host.json_decode(text)) == "table"
end

--- The list that a JSON text holds.
-- @return list; or nil
function json.list(text)
  local value = text:find("^%s*%[") and host.json_decode(text)
  return type(value) == "table" and value or nil
end

--- An object with some fields of a table, in this order; what is missing is null.
-- @param from table
-- @param keys list of strings
function json.pick(from, keys)
  local fields = {}
  for i, key in ipairs(keys) do
    local value = from[key]
    fields[i] = { key, value == nil and host.null or value }
  end
  return host.json_object(fields)
end

--- A wall clock time for an answer; null for one that never was.
-- @param ms integer or nil
function json.time(ms)
  return ms and host.format_time(ms) or host.null
end

return json
