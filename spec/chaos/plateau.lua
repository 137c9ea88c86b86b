--- Does what a process holds end where it began? Samples from /proc: busy ones, which say how much it takes to do the
-- work, and ones at rest, when load, clients and idle connections are gone and what is kept for reuse was given back.
-- The last rest is compared with the first, after the warm-up; of memory, which is never twice the same at rest, the
-- line through all rests counts (Theil and Sen: the median of the slopes between any two).

local loop = require("spec.support.loop")
local sys = require("spec.support.sys")

local plateau = {}
plateau.__index = plateau

local RESTS = { 0.15, 0.29, 0.43, 0.57, 0.71, 0.85, 1 } -- shares of the time at which it rests
local FEW, SHORT = { 0.15, 1 }, 600 -- in a run of fewer seconds, as a rest takes its time
local ALLOWED = 0.02
local READINGS, BETWEEN = 21, 0.25 -- of a rest, and seconds between them: probes and their connections come and go

local MEASURES = { "rss_kib", "descriptors", "threads" }
local MAY_GROW = { rss_kib = ALLOWED, descriptors = ALLOWED, threads = 0 }

--- @param seconds how long it all takes
function plateau.new(seconds)
  return setmetatable({ from = loop.now(), seconds = seconds, busy = {}, rests = {},
    due = seconds < SHORT and FEW or RESTS }, plateau)
end

local function read(p)
  local status = sys.read_file(("/proc/%d/status"):format(p.pid)) or ""
  return { rss_kib = tonumber(status:match("VmRSS:%s*(%d+)")), threads = tonumber(status:match("Threads:%s*(%d+)")),
    descriptors = p:descriptors() }
end

local function median(list, name)
  local values = {}
  for i, sample in ipairs(list) do
    values[i] = sample[name]
  end
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

--- Each measure's median of some samples.
local function medians(list)
  local one = {}
  for _, name in ipairs(MEASURES) do
    one[name] = median(list, name)
  end
  return one
end

local function placed(self, sample, requests)
  sample.seconds, sample.requests = loop.now() - self.from, requests
  sample.share = sample.seconds / self.seconds
  return sample
end

--- Measures a proxy that works.
-- @param requests how many so far, for the table
function plateau:take(p, requests)
  self:add(placed(self, read(p), requests))
end

function plateau:add(sample)
  self.busy[#self.busy + 1] = sample
end

--- Is a rest due?
function plateau:is_due()
  local share = self.due[#self.rests + 1]
  return share and loop.now() - self.from >= share * self.seconds
end

--- Measures a proxy that rests: the median of some seconds.
function plateau:take_rest(p, requests)
  local readings = {}
  for i = 1, READINGS do
    readings[i] = read(p)
    loop.delay(BETWEEN)
  end
  self:add_rest(placed(self, medians(readings), requests))
end

function plateau:add_rest(sample)
  self.rests[#self.rests + 1] = sample
end

--- By how much a measure has grown from the first rest to the last, as the line through all of them says.
local function trend(rests, name)
  local slopes = {}
  for i = 1, #rests do
    for k = i + 1, #rests do
      slopes[#slopes + 1] = (rests[k][name] - rests[i][name]) / (rests[k].seconds - rests[i].seconds)
    end
  end
  table.sort(slopes)
  local middle = (slopes[math.ceil(#slopes / 2)] + slopes[math.floor(#slopes / 2) + 1]) / 2
  return middle * (rests[#rests].seconds - rests[1].seconds)
end

--- What has grown by more than it may from the first rest to the last, as sentences. A rest too few is one, too.
function plateau:grown()
  local problems = {}
  local first, last = self.rests[1], self.rests[#self.due]
  if not last then
    return { ("rested %d times instead of %d"):format(#self.rests, #self.due) }
  end
  for _, name in ipairs(MEASURES) do
    local growth = name == "rss_kib" and trend(self.rests, name) or last[name] - first[name]
    if growth > first[name] * MAY_GROW[name] then
      problems[#problems + 1] = ("%s: %d at the first rest, %d at the last, %d more by all of them"):format(name,
        first[name], last[name], growth)
    end
  end
  return problems
end

local function row(what, s)
  return ("%-6s %8d %9d %9d %12d %8d"):format(what, s.seconds, s.requests, s.rss_kib, s.descriptors, s.threads)
end

--- A table: the rests, what it was at work beside each twentieth of the time, and the most and the median of that.
function plateau:text()
  local lines = { ("%-6s %8s %9s %9s %12s %8s"):format("", "seconds", "requests", "rss_kib", "descriptors", "threads") }
  local twentieth = 0
  for _, s in ipairs(self.busy) do
    if s.share * 20 >= twentieth then
      twentieth = math.floor(s.share * 20) + 1
      lines[#lines + 1] = row("work", s)
    end
  end
  for _, s in ipairs(self.rests) do
    lines[#lines + 1] = row("rest", s)
  end
  for _, name in ipairs(MEASURES) do
    local most = 0
    for _, s in ipairs(self.busy) do
      most = math.max(most, s[name])
    end
    lines[#lines + 1] = ("%s at work: median %s, most %s"):format(name, tostring(median(self.busy, name)), most)
  end
  return table.concat(lines, "\n") .. "\n"
end

return plateau
