--- The known word that somebody most likely meant.

local suggest = {}

--- Changes needed to make b of a: insertions, deletions, replacements.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(diagonal + cost, row[j] + 1, row[j - 1] + 1)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

--- @param word string
-- @param known list of strings
-- @return string: the closest one, or nil when none is close
function suggest.closest(word, known)
  local best, least
  word = word:sub(1, 64):lower()
  for _, candidate in ipairs(known) do
    local changes = distance(word, candidate)
    if not least or changes < least then
      best, least = candidate, changes
    end
  end
  return least and least <= math.max(1, math.floor((#word + 2) / 3)) and best or nil
end

--- "; did you mean ...?", or all words there are.
function suggest.advice(word, known)
  local best = suggest.closest(word, known)
  if best then
    return ("; did you mean %q?"):format(best)
  end
  return "; known are " .. table.concat(known, ", ")
end

return suggest
