--- Rise and fall, with flaps damped: what holds for routes without the option health_policy.
--
-- Three failures in a row: down. Two passes in a row: healthy again. A member that keeps changing
-- has to pass longer before it comes back: each state change beyond three among the last 32 results
-- asks for two more passes in a row, up to ten. It is back to two once old changes are more than
-- 32 results away. Going down is never delayed.

local RISE, FALL = 2, 3
local FREE_CHANGES, STEP, RISE_MAX = 3, 2, 10

local function needed_passes(changes)
  return math.min(RISE + STEP * math.max(0, changes - FREE_CHANGES), RISE_MAX)
end

return {
  summary = "Down after 3 failures in a row, healthy after 2 passes; more passes for who flaps.",
  judge = function(check)
    if check.failed >= FALL then
      return "down", check.error
    elseif check.state ~= "healthy" and check.passed >= needed_passes(check.changes) then
      return "healthy"
    end
    return check.state, check.reason, check.share
  end,
  examples = {
    { "takes a member down after three failures in a row",
      given = { results = "PPFFF" }, expect = { state = "down", reason = "status_500", share = 0 } },
    { "keeps it after two",
      given = { results = "PPFF" }, expect = { state = "healthy" } },
    { "brings it back after two passes in a row",
      given = { results = "PFFFPP" }, expect = { state = "healthy", reason = false } },
    { "keeps it down after one",
      given = { results = "PFFFP" }, expect = { state = "down" } },
    { "lets one that flaps wait longer: six passes after five changes",
      given = { results = "P FFFPP FFFPP FFF PPPPPP" }, expect = { state = "healthy" } },
    { "and keeps it down after five of them",
      given = { results = "P FFFPP FFFPP FFF PPPPP" }, expect = { state = "down" } },
    { "tells why the newest check failed",
      given = { results = { "P", "F", "F", { error = "connection_refused" } } },
      expect = { state = "down", reason = "connection_refused" } },
  },
}
