--- JSON for commands: texts from clients, values for answers.

local host = require("host")

local json = { null = host.null, array = host.json_array }

--- An object with its fields in this order.
-- @param ... key, value, key, value, ...
function json.object(...)
  return host.json_object({ ... })
end

--- @param value anything JSON can say
-- @return string; raises when the value is none or longer than 1 MiB, which is a mistake of the script
function json.encode(value)
  local text, err = host.json_encode(value)
  if not text then
    error("cannot be written as JSON: " .. (err or "longer than 1 MiB"), 2)
  end
  return text
end

--- @param text string
-- @return value; or nil, reason
function json.decode(text)
  return host.json_decode(text)
end

--- A JSON text as a part of an answer, as it is: nothing of it is lost on the way through Lua's numbers.
-- @param text string
function json.raw(text)
  return host.json_text({ text })
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
  local fields, last = {}, 0
  for _, key in ipairs(keys) do
    local value = from[key]
    if value == nil then
      value = host.null
    end
    fields[last + 1], fields[last + 2] = key, value
    last = last + 2
  end
  return host.json_object(fields)
end

--- A wall clock time for an answer; null for one that never was.
-- @param ms integer or nil
function json.time(ms)
  return ms and host.format_time(ms) or host.null
end

return json
