--- Proxies side by side on one work: CPU time per request, paired round by round.
--
-- In each round every subject gets the load once, in turn; every other round goes backwards, so that a machine that
-- becomes slower or faster favours nobody. The first subject is ours; ratios are its figure by another's of the same
-- round.

local cpu = require("spec.bench.cpu")
local statistics = require("spec.bench.statistics")
local sys = require("spec.support.sys")

local compare = {}

local TRIES = 3

--- One sample: the load's result, with cpu (us a request) and busy (share of the time in which it ran, or would have
-- if others had not had its core).
local function measure(subject, load)
  local ran, queued = cpu.of(subject.pid)
  local started = sys.now()
  local result = load(subject)
  local took, ran_after, queued_after = sys.now() - started, cpu.of(subject.pid)
  result.cpu = (ran_after - ran) / result.requests * 1e6
  result.busy = (ran_after - ran + queued_after - queued) / took
  return result
end

--- The same until there is one without errors.
local function sample(subject, load)
  local errors
  for _ = 1, TRIES do
    local result = measure(subject, load)
    errors = result.errors or (result.requests == 0 and "no request came through")
    if not errors then
      return result
    end
  end
  error(("%s: %s"):format(subject.name, errors), 0)
end

--- Runs the rounds.
-- @param subjects list, ours first
-- @param load function(subject) -> result of loads.lua
-- @return samples by subject's name, a list each, in the order of rounds
function compare.rounds(subjects, rounds, load)
  local samples = {}
  for _, subject in ipairs(subjects) do
    samples[subject.name] = {}
    load(subject) -- pools and memory fill
  end
  for round = 1, rounds do
    for i = 1, #subjects do
      local subject = subjects[round % 2 == 1 and i or #subjects + 1 - i]
      samples[subject.name][round] = sample(subject, load)
    end
  end
  return samples
end

local function medians(samples, ours, theirs, field)
  return { statistics.median(statistics.column(samples[ours], field)),
    statistics.median(statistics.column(samples[theirs], field)) }
end

--- One row: a field of ours by that of another.
-- @param what of the row: work, against, field ("cpu", "p99"), target
function compare.row(samples, ours, what)
  local field = what.field or "cpu"
  local a, b = statistics.column(samples[ours], field), statistics.column(samples[what.against], field)
  local ratios = statistics.ratios(a, b)
  local low, mid, high = statistics.spread(ratios)
  local row = {
    work = what.work, against = what.against, what = field == "cpu" and "CPU" or field, unit = "us",
    ours = statistics.median(a), theirs = statistics.median(b), low = low, mid = mid, high = high,
    target = what.target, rounds = ratios,
  }
  if field ~= "cpu" then
    return row
  end
  for _, name in ipairs { "rps", "p50", "p99" } do
    row[name] = medians(samples, ours, what.against, name)
  end
  row.busy = statistics.median(statistics.column(samples[ours], "busy"))
  if samples.floor then
    local floor = statistics.column(samples.floor, "cpu")
    row.floor = { statistics.median(statistics.ratios(a, floor)), statistics.median(statistics.ratios(b, floor)) }
  end
  return row
end

--- The rounds and their rows: for each target one of CPU time and, where p99 is told to be compared, one of that.
-- @param work name, subjects (ours first), load, rounds, targets (list of { against, cpu, p99 }; a figure is the most
--   that the median of ratios may be)
function compare.run(work)
  local samples = compare.rounds(work.subjects, work.rounds, work.load)
  local rows, ours = {}, work.subjects[1].name
  for _, t in ipairs(work.targets) do
    for _, field in ipairs { "cpu", "p99" } do
      rows[#rows + 1] = t[field] and compare.row(samples, ours,
        { work = work.name, against = t.against, field = field, target = t[field] })
    end
  end
  return rows
end

return compare
