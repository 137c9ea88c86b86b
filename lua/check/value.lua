--- Checks of plain values: texts, numbers, durations, words.

local host = require("host")
local list = require("check.list")

local value = {}

--- Text that is not empty.
function value.text(text, name)
  if text == "" then
    return nil, "missing field: " .. name
  end
  return text
end

--- Any text, also an empty one.
function value.any(text)
  return text
end

--- A non-empty text of at most limit bytes.
-- @param limit integer
-- @return function: the check
function value.name(limit)
  return function(text, name)
    if #text > limit then
      return nil, ("%s too long: %d bytes, at most %d"):format(name, #text, limit)
    end
    return value.text(text, name)
  end
end

--- A whole number in a range.
-- @param min integer
-- @param max integer
-- @return function: the check; its value is a number
function value.whole(min, max)
  return function(text, name)
    local number = text:match("^-?%d+$") and #text <= 16 and tonumber(text)
    if text == "" then
      return nil, "missing field: " .. name
    elseif not number then
      return nil, ("invalid number: %s is not a whole number"):format(name)
    elseif number < min or number > max then
      return nil, ("invalid number: %s must be from %d to %d"):format(name, min, max)
    end
    return number
  end
end

--- A duration ("300ms", "1m30s", bare seconds), in ms.
function value.duration(text, name)
  local ms = host.duration(text)
  if not ms then
    return nil, "invalid duration: " .. name
  end
  return ms
end

--- A duration longer than zero, in ms.
function value.period(text, name)
  local ms, err = value.duration(text, name)
  if ms == 0 then
    return nil, ("invalid duration: %s must be longer than 0"):format(name)
  end
  return ms, err
end

--- A TCP port, or nothing: 0.
function value.port(text, name)
  local port = text == "" and 0 or text:match("^%d+$") and #text <= 5 and tonumber(text)
  if not port or port > 65535 then
    return nil, ("invalid port: %s"):format(name)
  end
  return port
end

--- One of some words.
-- @param ... string
-- @return function: the check
function value.one_of(...)
  local words = { ... }
  return function(text, name)
    for _, word in ipairs(words) do
      if word == text then
        return word
      end
    end
    return nil, ("invalid %s: %s; use %s"):format(name, text, table.concat(words, ", "))
  end
end

--- A list of words out of some, comma separated.
-- @param what string: what one of them is called in the refusal
-- @param ... string
-- @return function: the check; its value is a list
function value.some_of(what, ...)
  local known = {}
  for _, word in ipairs({ ... }) do
    known[word] = true
  end
  return function(text, name)
    local words = list.split(text)
    for _, word in ipairs(words) do
      if not known[word] then
        local reason = word == "" and "missing field: " .. name
        return nil, reason or ("unknown %s: %s"):format(what, word)
      end
    end
    return words
  end
end

return value
