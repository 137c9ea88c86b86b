--- Turns requests away at certain hours.
--
--   policy_args   from=02:00 to=04:30 days=sat,sun
--
-- from, to  times of day, UTC; a window may go over midnight and then belongs to the day it begins on
-- days      of mon, tue, wed, thu, fri, sat, sun; every day without it
--
-- Whoever cannot wait uses MAINT_ENTER: there every client sees a page that says until when.

local host = require("host")

local DAY_MS, MINUTE_MS = 24 * 3600 * 1000, 60 * 1000
local NAMES = { [0] = "thu", "fri", "sat", "sun", "mon", "tue", "wed" } -- from 1970-01-01 on

local function minutes(req, key)
  local hours, mins = req:arg(key, ""):match("^(%d%d?):(%d%d)$")
  return hours and hours * 60 + mins or error("policy_args has no " .. key .. "=HH:MM")
end

--- Is a day since 1970 one of the list's?
local function is_listed(days, day)
  return not days or ("," .. days .. ","):find("," .. NAMES[day % 7] .. ",", 1, true) ~= nil
end

--- Minutes until the window ends, or nil outside of it.
local function minutes_left(from, to, days, now_ms)
  local day, now = math.floor(now_ms / DAY_MS), now_ms % DAY_MS / MINUTE_MS
  local length = (to - from) % (24 * 60)
  for ago = 0, 1 do -- the window that began today, and yesterday's
    local passed = now + ago * 24 * 60 - from
    if passed >= 0 and passed < length and is_listed(days, day - ago) then
      return length - passed
    end
  end
end

return {
  summary = "Maintenance window by schedule.",
  on_request = function(req)
    local left = minutes_left(minutes(req, "from"), minutes(req, "to"), req:arg("days"), host.now_ms())
    if left then
      req:answer(503, { ["Retry-After"] = ("%d"):format(math.ceil(left * 60)) },
        "This service is under maintenance at this hour.\n")
    end
  end,
  examples = {
    { "turns requests away within the window, until it ends",
      given = { args = "from=02:00 to=04:30", now = "2026-03-02T04:00:00Z" },
      expect = { answer = { status = 503, headers = { ["Retry-After"] = "1800" } } } },
    { "lets them pass once it is over",
      given = { args = "from=02:00 to=04:30", now = "2026-03-02T04:30:00Z" },
      expect = { answer = false } },
    { "holds on its days only", -- a Monday
      given = { args = "from=02:00 to=04:30 days=sat,sun", now = "2026-03-02T03:00:00Z" },
      expect = { answer = false } },
    { "goes over midnight and belongs to the day it begins on", -- the night from Sunday to Monday
      given = { args = "from=23:00 to=01:00 days=sun", now = "2026-03-02T00:30:00Z" },
      expect = { answer = { headers = { ["Retry-After"] = "1800" } } } },
    { "fails without hours, and requests pass",
      given = { args = "from=2" },
      expect = { failed = { contains = "no from=HH:MM" }, refused = false } },
  },
}
