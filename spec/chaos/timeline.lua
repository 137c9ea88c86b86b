--- A fact as it was at each moment, as far as an observer can know: a change is in force somewhere between its command
-- and the answer.
--
--   local drain = timeline.new("none")
--   local change = drain:begin("full", sent)      -- possible from now on
--   drain:settle(change, answered)                -- certain from now on; or drain:cancel(change): it was refused
--   drain:at(t)                                   -- { full = true, none = true }: what is possible
--
-- Changes stand in the order of their commands. A later one that is certain ends all doubt about earlier ones.

local timeline = {}
timeline.__index = timeline

function timeline.new(value)
  return setmetatable({ first = value, changes = {} }, timeline)
end

--- A change that may be in force from a moment on.
function timeline:begin(value, from)
  local change = { value = value, from = from, to = math.huge }
  self.changes[#self.changes + 1] = change
  return change
end

--- It is in force, at the latest, from a moment on.
function timeline:settle(change, to)
  change.to = to
end

--- It has not come about.
function timeline:cancel(change)
  for i = #self.changes, 1, -1 do
    if self.changes[i] == change then
      table.remove(self.changes, i)
    end
  end
end

--- A change between two moments.
function timeline:set(value, from, to)
  self:begin(value, from).to = to
end

--- What is possible at a moment: a set.
function timeline:at(t)
  local possible = { [self.first] = true }
  for _, change in ipairs(self.changes) do
    if change.to <= t then
      possible = { [change.value] = true }
    elseif change.from <= t then
      possible[change.value] = true
    end
  end
  return possible
end

--- The one value that is possible at a moment; nil when there are several.
function timeline:certain(t)
  local possible = self:at(t)
  local value = next(possible)
  if next(possible, value) ~= nil then
    return nil
  end
  return value
end

--- Adds to a list the moments of [from, to] at which what is possible may become other.
function timeline:moments(from, to, list)
  for _, change in ipairs(self.changes) do
    if change.from > from and change.from <= to then
      list[#list + 1] = change.from
    end
    if change.to > from and change.to <= to then
      list[#list + 1] = change.to
    end
  end
end

--- Was a value possible at any moment of [from, to]?
function timeline:ever(value, from, to)
  local moments = { from }
  self:moments(from, to, moments)
  for _, t in ipairs(moments) do
    if self:at(t)[value] then
      return true
    end
  end
  return false
end

--- Was it certainly this value, all the time?
function timeline:throughout(value, from, to)
  local moments = { from }
  self:moments(from, to, moments)
  for _, t in ipairs(moments) do
    if self:certain(t) ~= value then
      return false
    end
  end
  return true
end

--- Forgets what lies before a moment.
function timeline:forget(before)
  local changes = self.changes
  for last = #changes, 1, -1 do
    if changes[last].to <= before then
      self.first = changes[last].value
      for _ = 1, last do
        table.remove(changes, 1)
      end
      return
    end
  end
end

return timeline
