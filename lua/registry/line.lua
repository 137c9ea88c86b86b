--- A registry line: fields between bars.

local line = {}

--- Takes the next field.
-- @param text string
-- @param from integer: where it starts; nil when there is none
-- @return string: the field, or nil; integer: where the next one starts, or nil
function line.take(text, from)
  if not from then
    return nil
  end
  local bar = text:find("|", from, true)
  if not bar then
    return text:sub(from)
  end
  return text:sub(from, bar - 1), bar + 1
end

--- Splits a text into at most limit fields; the last of them takes the rest, bars included.
-- @param text string
-- @param from integer: where to start; nil: no field at all
-- @param limit integer
-- @return list of strings
function line.split(text, from, limit)
  local fields = {}
  while from and #fields + 1 < limit do
    fields[#fields + 1], from = line.take(text, from)
  end
  if from then
    fields[#fields + 1] = text:sub(from)
  end
  return fields
end

return line
