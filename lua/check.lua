--- Checks of arguments: from a field's text to a value.
--
-- A check is function(text, name, cmd) -> value | nil, reason. The reason is what the client reads after ERROR|, so
-- it names the field. cmd holds the arguments before this one.

local header = require("header")
local host = require("host")
local strict = require("strict")

local check = {}

--- Text that is not empty.
function check.text(text, name)
  if text == "" then
    return nil, "missing field: " .. name
  end
  return text
end

--- Any text, also an empty one.
function check.any(text)
  return text
end

--- A non-empty text of at most limit bytes.
-- @param limit integer
-- @return function: the check
function check.name(limit)
  return function(text, name)
    if #text > limit then
      return nil, ("%s too long: %d bytes, at most %d"):format(name, #text, limit)
    end
    return check.text(text, name)
  end
end

--- A whole number in a range.
-- @param min integer
-- @param max integer
-- @return function: the check; its value is a number
function check.whole(min, max)
  return function(text, name)
    local value = text:match("^-?%d+$") and #text <= 16 and tonumber(text)
    if text == "" then
      return nil, "missing field: " .. name
    elseif not value then
      return nil, ("invalid number: %s is not a whole number"):format(name)
    elseif value < min or value > max then
      return nil, ("invalid number: %s must be from %d to %d"):format(name, min, max)
    end
    return value
  end
end

--- A duration ("300ms", "1m30s", bare seconds), in ms.
function check.duration(text, name)
  local ms = host.duration(text)
  if not ms then
    return nil, "invalid duration: " .. name
  end
  return ms
end

--- A duration longer than zero, in ms.
function check.period(text, name)
  local ms, err = check.duration(text, name)
  if ms == 0 then
    return nil, ("invalid duration: %s must be longer than 0"):format(name)
  end
  return ms, err
end

--- A TCP port, or nothing: 0.
function check.port(text, name)
  local port = text == "" and 0 or text:match("^%d+$") and #text <= 5 and tonumber(text)
  if not port or port > 65535 then
    return nil, ("invalid port: %s"):format(name)
  end
  return port
end

--- One of some words.
-- @param ... string
-- @return function: the check
function check.one_of(...)
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
function check.some_of(what, ...)
  local known = {}
  for _, word in ipairs({ ... }) do
    known[word] = true
  end
  return function(text, name)
    local list = {}
    for word in (text .. ","):gmatch("%s*(.-)%s*,") do
      if not known[word] then
        return nil, word == "" and "missing field: " .. name or ("unknown %s: %s"):format(what, word)
      end
      list[#list + 1] = word
    end
    return list
  end
end

--- "ALL" or a route id. Whether the session has the route is the session's to say.
check.target = check.text

--- A route id; "ALL" is none.
function check.route(text, name)
  if text == "ALL" then
    return nil, "route not found"
  end
  return check.text(text, name)
end

--- Domains, comma separated, as a list; their form is checked with the route.
function check.domains(text, name)
  local list = {}
  for domain in (text .. ","):gmatch("%s*(.-)%s*,") do
    if domain == "" then
      return nil, text == "" and "missing field: " .. name or "invalid domain: empty"
    end
    list[#list + 1] = domain
  end
  return list
end

--- A path: starts with "/".
function check.path(text, name)
  if text:sub(1, 1) ~= "/" then
    return nil, text == "" and "missing field: " .. name or name .. " must start with /"
  elseif text:find("[%s|?#%c]") then
    return nil, name .. " must not contain blanks, |, ? or #"
  end
  return text
end

--- A header name that a response of the proxy may carry; see lua/header.lua.
function check.header_name(text, name)
  if text == "" then
    return nil, "missing field: " .. name
  end
  return header.name(text)
end

--- A header value, without blanks at its ends.
function check.header_value(text)
  return header.value(text)
end

--- An option's key.
function check.option_key(text)
  if not host.option_find(text) then
    return nil, "unknown option: " .. text
  end
  return text
end

--- The value of the option named by the argument key.
function check.option_value(text, _, cmd)
  local ok, err = host.option_check(cmd.key, text)
  if not ok then
    return nil, err
  end
  return text
end

return strict.seal(check, "check")
