--- The rule of src/http/path.h once more, by string operations alone: what specs compare it with.

local path_model = {}

local UNRESERVED = "^[%w%-%._~]$"

local function is_dots(text)
  return text == "." or text == ".."
end

--- Decodes what may be decoded.
-- @return text; nil when an escape is none, or a control byte
local function decode(path)
  local bad = path:gsub("%%%x%x", ""):find("%", 1, true) ~= nil
  local text = path:gsub("%%(%x%x)", function(digits)
    local byte = tonumber(digits, 16)
    bad = bad or byte < 32 or byte == 127
    local char = string.char(byte)
    return char:find(UNRESERVED) and char or "%" .. digits:upper()
  end)
  return not bad and not path:find("\\", 1, true) and text or nil
end

local function hides_dots(segment)
  local pieces = segment:gsub("%%2F", "/"):gsub("%%5C", "/")
  for piece in (pieces .. "/"):gmatch("([^/]*)/") do
    if is_dots((piece:gsub("%%3B", ";"):match("^[^;]*"))) then
      return true
    end
  end
  return false
end

--- @return the form, whether it holds escaped separators; nil when it is refused
function path_model.normalise(path)
  local text = decode(path)
  if not text then
    return nil
  end
  local segments, ends_open = {}, true
  for segment in text:sub(2):gsub("$", "/"):gmatch("([^/]*)/") do
    ends_open = segment == "" or is_dots(segment)
    if segment == ".." then
      if not table.remove(segments) then
        return nil
      end
    elseif not is_dots(segment) and hides_dots(segment) then
      return nil
    elseif segment ~= "" and segment ~= "." then
      segments[#segments + 1] = segment
    end
  end
  local form = "/" .. table.concat(segments, "/") .. (ends_open and #segments > 0 and "/" or "")
  return form, form:find("%2F", 1, true) ~= nil or form:find("%5C", 1, true) ~= nil
end

return path_model
