--- Texts of others (services, configuration) made fit for a page.

local text = {}

local UNKNOWN = "\239\191\189" -- U+FFFD
local NONCHARACTER = "\239\183\144" -- U+FDD0, which pages use as a mark

--- How a character of more than one byte is written in UTF-8.
local CHARACTERS = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function character_end(bytes, at)
  for _, pattern in ipairs(CHARACTERS) do
    local _, last = bytes:find(pattern, at)
    if last then
      return last
    end
  end
  return nil
end

--- A run of bytes above 127, with what is no character replaced.
local function mend(bytes)
  local parts, at = {}, 1
  while at <= #bytes do
    local last = character_end(bytes, at)
    parts[#parts + 1] = last and bytes:sub(at, last) or UNKNOWN
    at = (last or at) + 1
  end
  return table.concat(parts)
end

--- A text that is valid UTF-8 in one line: control characters become spaces, bytes that are no
-- character U+FFFD.
-- @param from string
-- @return string
function text.clean(from)
  local clean = from:gsub("%c", " "):gsub("[\128-\255]+", mend)
  return (clean:gsub(NONCHARACTER, UNKNOWN))
end

return text
