--- The table at the tour's end: what clients saw in each act.

local screen = require("spec.demo.screen")
local traffic = require("spec.demo.traffic")

local summary = {}

local STATUSES = { 200, 429, 500, 503 }

local function other_statuses(tally)
  local count = tally.answers
  for _, status in ipairs(STATUSES) do
    count = count - (tally.statuses[status] or 0)
  end
  return count
end

-- Seven columns; %7s would count the bytes of the dot.
local function cell(count)
  return count == 0 and (" "):rep(6) .. screen.symbol("·", ".") or ("%7d"):format(count)
end

local function line(name, tally, end_of_line)
  local cells = {}
  for i, status in ipairs(STATUSES) do
    cells[i] = cell(tally.statuses[status] or 0)
  end
  cells[#cells + 1] = cell(other_statuses(tally))
  cells[#cells + 1] = cell(tally.failed)
  return ("  %-12s%8d%s   %s"):format(name, tally.answers, table.concat(cells), end_of_line)
end

local function verdict(broken)
  return broken == 0 and screen.paint("green", "kept") or screen.paint("red", ("%d BROKEN"):format(broken))
end

--- Prints it.
-- @param rows list of { name, tally, broken (promises) }
function summary.print(rows)
  local total, broken = traffic.tally(), 0
  screen.say(screen.paint("dim", "  act          answers    200    429    500    503  other failed   promises"))
  for _, row in ipairs(rows) do
    screen.say("%s", line(row.name, row.tally, verdict(row.broken)))
    traffic.merge(total, row.tally)
    broken = broken + row.broken
  end
  screen.say("%s\n", line("all", total, verdict(broken)))
end

return summary
