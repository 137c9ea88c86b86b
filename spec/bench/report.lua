--- What a benchmark says in the end: rows of figures as one table of text, and as JSON.
--
-- A row: work, against (a peer, or nil for a bare value), what ("CPU", "p99", ...), unit, ours, theirs (medians),
-- low, mid, high (ratios round by round; of a bare value the values themselves), target (mid is to be at most that;
-- nil: none), floor (CPU in units of the floor), rps, p50, p99 (pairs { ours, theirs }), busy (share of its core that
-- our proxy was busy), rounds (the values of which low, mid and high are; for the JSON), note. Or: work, failed (why).

local cjson = require("cjson").new()

cjson.encode_invalid_numbers("null")

local report = {}

-- Below this share the proxy waited for its load, and requests a second say nothing about it.
local BUSY = .9

--- Does a row fall short of its target?
function report.short(row)
  return row.failed ~= nil or (row.target ~= nil and row.mid > row.target)
end

--- A number with three digits that mean something.
function report.number(value)
  if value == nil then
    return ""
  elseif math.abs(value) >= 100 then
    return ("%.0f"):format(value)
  elseif math.abs(value) >= 10 then
    return ("%.1f"):format(value)
  end
  return ("%.2f"):format(value)
end

local number = report.number

local function pair(values)
  if not values or not values[1] then
    return ""
  end
  return values[2] and number(values[1]) .. " / " .. number(values[2]) or number(values[1])
end

local function mark(row)
  if not row.target then
    return ""
  end
  return report.short(row) and "SHORT" or "ok"
end

local HEAD = { "work", "against", "what", "ours", "theirs", "min", "median", "max", "target", "", "floors",
  "requests/s", "p50 us", "p99 us", "busy" }

local function cells(row)
  return {
    row.work, row.against or "", row.what .. (row.unit and " " .. row.unit or ""), number(row.ours), number(row.theirs),
    number(row.low), number(row.mid), number(row.high), row.target and number(row.target) or "", mark(row),
    pair(row.floor), pair(row.rps), pair(row.p50), pair(row.p99),
    row.busy and ("%.0f %%%s"):format(row.busy * 100, row.busy < BUSY and "*" or "") or "",
  }
end

local LEFT = { true, true, true, [10] = true }

local function line(values, widths)
  local out = {}
  for i, value in ipairs(values) do
    out[i] = ("%" .. (LEFT[i] and "-" or "") .. widths[i] .. "s"):format(value)
  end
  return (table.concat(out, "  "):gsub("%s+$", ""))
end

--- The rows as lines of text, a table first, then failures and notes.
-- @return list of lines
function report.lines(rows)
  local grid, widths, after, waited = { HEAD }, {}, {}, false
  for _, row in ipairs(rows) do
    if row.failed then
      after[#after + 1] = ("%s: FAILED: %s"):format(row.work, row.failed)
    else
      grid[#grid + 1] = cells(row)
      waited = waited or (row.busy ~= nil and row.busy < BUSY)
    end
    if row.note then
      after[#after + 1] = ("%s: %s"):format(row.work, row.note)
    end
  end
  for _, values in ipairs(grid) do
    for i, value in ipairs(values) do
      widths[i] = math.max(widths[i] or 1, #value)
    end
  end
  local lines = {}
  for i, values in ipairs(grid) do
    lines[i] = line(values, widths)
  end
  if waited then
    table.insert(after, 1, "* the load was the bottleneck: CPU is right, requests a second and times are the load's")
  end
  for _, text in ipairs(after) do
    lines[#lines + 1] = text
  end
  return lines
end

--- How many targets are met, how many not, how many works could not be measured.
function report.count(rows)
  local met, short, failed = 0, 0, 0
  for _, row in ipairs(rows) do
    if row.failed then
      failed = failed + 1
    elseif report.short(row) then
      short = short + 1
    elseif row.target then
      met = met + 1
    end
  end
  return met, short, failed
end

--- Facts and rows as JSON; each row says besides whether it is short.
function report.json(facts, rows)
  for _, row in ipairs(rows) do
    row.short = report.short(row)
  end
  return cjson.encode({ facts = facts, rows = rows })
end

return report
