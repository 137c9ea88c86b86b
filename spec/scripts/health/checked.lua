--- A member under a health policy of scripts/health/, fed with results, as the proxy would do it.
--
--   local m = checked.new("default"); m:feed("PPFFF"); m.state, m.reason, m.share

local checked = {}
checked.__index = checked

local RESULTS_MAX = 32

--- @param policy string: its name
function checked.new(policy)
  local self = { judge = dofile(("scripts/health/%s.lua"):format(policy)).judge, results = {}, changed = {} }
  return setmetatable(self, checked)
end

local function run_of(results, value)
  local run = 0
  while run < #results and results[run + 1] == value do
    run = run + 1
  end
  return run
end

local function changes_of(changed)
  local count = 0
  for _, is_change in ipairs(changed) do
    count = count + (is_change and 1 or 0)
  end
  return count
end

function checked:facts()
  return {
    results = self.results, count = #self.results, changes = changes_of(self.changed),
    passed = run_of(self.results, true), failed = run_of(self.results, false),
    state = self.state, reason = self.reason, share = self.share,
    error = not self.results[1] and "status_500" or nil,
  }
end

--- One result. The first one decides, without the policy.
function checked:add(passed)
  table.insert(self.results, 1, passed)
  table.insert(self.changed, 1, false)
  self.results[RESULTS_MAX + 1], self.changed[RESULTS_MAX + 1] = nil, nil
  if not self.state then
    self.state = passed and "healthy" or "down"
    return
  end
  local before = self.state
  self.state, self.reason, self.share = self.judge(self:facts())
  self.changed[1] = self.state ~= before
end

--- Results in a row: P passed, F failed.
-- @return state after the last
function checked:feed(results)
  for result in results:gmatch("[PF]") do
    self:add(result == "P")
  end
  return self.state
end

return checked
