--- Which response headers a service or the configuration may set.

local host = require("host")

local header = {}

--- Fields that say how a message is framed or hold for one connection only: the proxy writes them itself.
local OWN = {
  ["connection"] = true, ["content-length"] = true, ["keep-alive"] = true, ["proxy-connection"] = true,
  ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
}

--- @return string: the name; or nil, reason
function header.name(text)
  if not host.is_token(text) then
    return nil, "invalid header name: " .. text
  elseif OWN[text:lower()] then
    return nil, ("header not allowed: %s belongs to the connection, the proxy sets it"):format(text)
  end
  return text
end

--- @return string: the value without blanks at its ends; or nil, reason
function header.value(text)
  local value = text:match("^%s*(.-)%s*$")
  if not host.is_field_value(value) then
    return nil, "invalid header value: control characters are not allowed"
  end
  return value
end

return header
