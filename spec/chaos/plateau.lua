--- Does what a process holds end where it began? Samples from /proc, taken while nothing is under way, and the median
-- of those after the warm-up against that of the last ones.

local loop = require("spec.support.loop")
local sys = require("spec.support.sys")

local plateau = {}
plateau.__index = plateau

local WARM_UP, FIRST, LAST = 0.15, 0.35, 0.8 -- shares of the time: samples between the first two, and after the third
local ALLOWED = 0.02

-- What is measured, and by how much the end may lie above the beginning whatever the share says: a few connections that
-- happen to be kept are no leak.
local MEASURES = {
  { name = "rss_kib", least = 0 },
  { name = "descriptors", least = 4 },
  { name = "threads", least = 0 },
}

--- @param seconds how long it all takes
function plateau.new(seconds)
  return setmetatable({ from = loop.now(), seconds = seconds, list = {} }, plateau)
end

--- Adds a sample: its moment as a share of the time, and the measures by name.
function plateau:add(share, sample)
  sample.share = share
  self.list[#self.list + 1] = sample
end

--- Measures a proxy now.
-- @param count requests so far, for the table
function plateau:take(p, count)
  local status = sys.read_file(("/proc/%d/status"):format(p.pid)) or ""
  self:add((loop.now() - self.from) / self.seconds, {
    seconds = loop.now() - self.from, requests = count,
    rss_kib = tonumber(status:match("VmRSS:%s*(%d+)")), threads = tonumber(status:match("Threads:%s*(%d+)")),
    descriptors = p:descriptors(),
  })
end

local function median(self, name, from, to)
  local values = {}
  for _, sample in ipairs(self.list) do
    if sample.share >= from and sample.share <= to then
      values[#values + 1] = sample[name]
    end
  end
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

--- What has grown by more than it may, as sentences. Too few samples to tell is one, too.
function plateau:grown()
  local problems = {}
  for _, measure in ipairs(MEASURES) do
    local first, last = median(self, measure.name, WARM_UP, FIRST), median(self, measure.name, LAST, math.huge)
    if not first or not last then
      problems[#problems + 1] = measure.name .. ": too few samples to tell"
    elseif last - first > math.max(first * ALLOWED, measure.least) then
      problems[#problems + 1] = ("%s: %d at the beginning, %d at the end"):format(measure.name, first, last)
    end
  end
  return problems
end

--- A table: a row for each twentieth of the time, and the medians that are compared.
function plateau:text()
  local lines = { ("%8s %9s %9s %12s %8s"):format("seconds", "requests", "rss_kib", "descriptors", "threads") }
  local row = 0
  for _, s in ipairs(self.list) do
    if s.share * 20 >= row then
      row = math.floor(s.share * 20) + 1
      lines[#lines + 1] = ("%8d %9d %9d %12d %8d"):format(s.seconds, s.requests, s.rss_kib, s.descriptors, s.threads)
    end
  end
  for _, measure in ipairs(MEASURES) do
    lines[#lines + 1] = ("median of %s: %s after the warm-up, %s at the end"):format(measure.name,
      tostring(median(self, measure.name, WARM_UP, FIRST)), tostring(median(self, measure.name, LAST, math.huge)))
  end
  return table.concat(lines, "\n") .. "\n"
end

return plateau
