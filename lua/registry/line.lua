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

local SEQUENCES = {
  "[\194-\223][\128-\191]",
  "\224[\160-\191][\128-\191]",
  "[\225-\236\238\239][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]",
  "\240[\144-\191][\128-\191][\128-\191]",
  "[\241-\243][\128-\191][\128-\191][\128-\191]",
  "\244[\128-\143][\128-\191][\128-\191]",
}

--- Is the text UTF-8? (Control bytes were refused before it came here.)
function line.is_utf8(text)
  if not text:find("[\128-\255]") then
    return true
  end
  for _, sequence in ipairs(SEQUENCES) do
    text = text:gsub(sequence, " ")
  end
  return not text:find("[\128-\255]")
end

return line
