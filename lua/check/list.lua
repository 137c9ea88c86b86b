--- Comma separated lists, in time that grows with their length alone.

local list = {}

--- Without white space at both ends.
-- @param text string
function list.trim(text)
  local from = text:find("%S")
  return from and text:match(".*%S", from) or ""
end

--- The parts between commas, trimmed; one part for a text without any.
-- @param text string
-- @return list of strings
function list.split(text)
  local parts, from = {}, 1
  while true do
    local comma = text:find(",", from, true)
    parts[#parts + 1] = list.trim(text:sub(from, (comma or 0) - 1))
    if not comma then
      return parts
    end
    from = comma + 1
  end
end

return list
