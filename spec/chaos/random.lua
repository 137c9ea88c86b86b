--- Random numbers that a seed decides, in streams: each actor of a run draws from its own, so that what one draws does
-- not depend on when others run.
--
--   local r = random.stream(seed, "shop/1"); r:int(1, 6); r:chance(0.3); r:pick(list)

local bit = require("bit")

local random = {}

local stream = {}
stream.__index = stream

--- A stream: the same seed and name give the same numbers.
function random.stream(seed, name)
  local state = 2166136261
  for character in (tostring(seed) .. "/" .. name):gmatch(".") do
    state = bit.tobit(bit.bxor(state, character:byte()) * 16777619 % 4294967296)
  end
  return setmetatable({ state = state == 0 and 1 or state }, stream)
end

--- From 0 up to 1, without it.
function stream:number()
  local x = self.state -- xorshift32 (Marsaglia 2003)
  x = bit.bxor(x, bit.lshift(x, 13))
  x = bit.bxor(x, bit.rshift(x, 17))
  x = bit.bxor(x, bit.lshift(x, 5))
  self.state = x
  return (x % 4294967296) / 4294967296
end

--- A whole number from first to last.
function stream:int(first, last)
  return first + math.floor(self:number() * (last - first + 1))
end

--- A number between two.
function stream:between(least, most)
  return least + self:number() * (most - least)
end

function stream:chance(probability)
  return self:number() < probability
end

function stream:pick(list)
  return list[self:int(1, #list)]
end

--- One of the keys of a table, as often as its value says.
-- @param weights list of { name, weight }: a list, as the order of keys is not the same in each run
function stream:weighted(weights)
  local sum = 0
  for _, one in ipairs(weights) do
    sum = sum + one[2]
  end
  local at = self:number() * sum
  for _, one in ipairs(weights) do
    at = at - one[2]
    if at < 0 then
      return one[1]
    end
  end
  return weights[#weights][1]
end

return random
