--- Statistics of a few rounds. Lists of numbers go in, and stay as they are.

local statistics = {}

local function sorted(list)
  local copy = { unpack(list) }
  table.sort(copy)
  return copy
end

--- The middle one; of an even number the mean of the two in the middle. nil for an empty list.
function statistics.median(list)
  local s = sorted(list)
  local half = math.floor(#s / 2)
  if #s % 2 == 1 then
    return s[half + 1]
  end
  return s[half] and (s[half] + s[half + 1]) / 2
end

--- @return least, median, greatest
function statistics.spread(list)
  local s = sorted(list)
  return s[1], statistics.median(s), s[#s]
end

--- Quotients of two lists, pair by pair: what was measured in the same round.
function statistics.ratios(ours, theirs)
  assert(#ours == #theirs and #ours > 0, "rounds do not pair")
  local list = {}
  for i, value in ipairs(ours) do
    list[i] = value / theirs[i]
  end
  return list
end

--- One field of each record.
function statistics.column(records, field)
  local list = {}
  for i, record in ipairs(records) do
    list[i] = record[field]
  end
  return list
end

return statistics
