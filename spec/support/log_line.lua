--- Reads the proxy's log lines: key=value pairs, or JSON.

local cjson = require("cjson")

local log_line = {}

--- Wall clock, ms, of a log time ("2026-01-31T10:00:00.000Z").
function log_line.wall_ms(text)
  local year, month, day, hour, minute, second = text:match("^(%d+)%-(%d+)%-(%d+)T(%d+):(%d+):([%d.]+)Z$")
  local whole = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = 0, isdst = false }
  local utc = os.time(os.date("!*t", whole))
  return (whole + (whole - utc) + tonumber(second)) * 1000
end

local function unquote(text)
  return (text:gsub("\\(.)", "%1"))
end

--- The pairs of a key=value line; values in double quotes may hold blanks and \-escapes.
function log_line.parse(line)
  local pairs_found, at = {}, 1
  while true do
    local _, stop, key = line:find("([%w_.%-]+)=", at)
    if not stop then
      return pairs_found
    end
    if line:sub(stop + 1, stop + 1) == '"' then
      local last = stop + 2
      while last <= #line and line:sub(last, last) ~= '"' do
        last = last + (line:sub(last, last) == "\\" and 2 or 1)
      end
      pairs_found[key] = unquote(line:sub(stop + 2, last - 1))
      at = last + 1
    else
      local value = line:match("^%S*", stop + 1)
      pairs_found[key] = value
      at = stop + 1 + #value
    end
  end
end

--- The access log in a text that may also hold start-up lines.
-- @return list of tables
function log_line.access(text)
  local entries = {}
  for line in text:gmatch("([^\n]*)\n") do
    if line:find("^{") then
      entries[#entries + 1] = cjson.decode(line)
    elseif not line:find("^listening ") and not line:find("^ready ") and line:find("=") then
      entries[#entries + 1] = log_line.parse(line)
    end
  end
  return entries
end

return log_line
