--- Moments in examples.

local time = {}

--- Days from 1970-01-01 to a day of the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leap = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leap + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

--- @param moment "2026-03-01T14:30:00Z" or ms since 1970
-- @return ms since 1970
function time.ms(moment)
  if type(moment) == "number" then
    return moment
  end
  local y, m, d, hour, min, sec = moment:match("^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)Z$")
  if not y then
    error(("not a moment: \"%s\"; write 2026-03-01T14:30:00Z"):format(moment), 0)
  end
  return (((days(y + 0, m + 0, d + 0) * 24 + hour) * 60 + min) * 60 + sec) * 1000
end

return time
