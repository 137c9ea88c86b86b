--- What the oracle asks of a world: which members a request could, or could not, have met. See README.md for the words.
--
-- A question about a moment t is answered generously: "possible" unless it is certain that not.

local facts = {}

--- Every moment within [from, to] at which something about these members, or their backends, may become other.
function facts.moments(world, members, from, to)
  local list = { from }
  for _, m in ipairs(members) do
    for _, one in ipairs({ m.at, m.drain, m.maintenance, m.session, m.config, m.fit }) do
      one:moments(from, to, list)
    end
  end
  for _, up in pairs(world.up) do
    up:moments(from, to, list)
  end
  return list
end

--- The members for a request's service and path: those at the path itself, and those at "/" that get its requests as
-- long as nobody is there. own, other (empty for requests to "/").
function facts.places(world, request)
  local own, other = {}, {}
  for _, m in ipairs(world.members) do
    if m.service == request.service then
      if m.path == request.path then
        own[#own + 1] = m
      elseif m.path == "/" then
        other[#other + 1] = m
      end
    end
  end
  return own, other
end

function facts.maybe_absent(m, t)
  return m.at:at(t)[false] == true
end

function facts.maybe_present(m, t)
  return m.at:certain(t) ~= false
end

local function all(list, fn)
  for _, one in ipairs(list) do
    if not fn(one) then
      return false
    end
  end
  return true
end

local function any(list, fn)
  for _, one in ipairs(list) do
    if fn(one) then
      return true
    end
  end
  return false
end
facts.all, facts.any = all, any

--- The groups that may get a request at a moment: a list of lists of members, none of them empty. Last, nil or true: it
-- may be that there is none.
function facts.groups(world, request, t)
  local own, other = facts.places(world, request)
  local groups, present = {}, function(m) return facts.maybe_present(m, t) end
  local absent = function(m) return facts.maybe_absent(m, t) end
  if any(own, present) then
    groups[1] = own
  end
  if not all(own, absent) then
    return groups
  end
  if any(other, present) then
    groups[#groups + 1] = other
  end
  return groups, all(other, absent) or nil
end

--- Could a backend have failed a request of this life? It was, or may have been, down.
function facts.shaky(world, m, from, to)
  local moments = { from }
  m.at:moments(from, to, moments)
  for _, t in ipairs(moments) do
    for backend in pairs(m.at:at(t)) do
      if backend and world.up[backend]:ever(false, from, to) then
        return true
      end
    end
  end
  return false
end

--- Could a member have been passed over at a moment?
function facts.maybe_blocked(m, t)
  return facts.maybe_absent(m, t) or m.maintenance:at(t)[true] or m.drain:certain(t) ~= "none" or m.fit:at(t)[false]
end

--- Was a member able to take requests throughout: there, at a backend that was up, neither draining nor in maintenance,
-- and surely taken for fit?
function facts.able(world, m, from, to)
  local backend = m.at:certain(from)
  return backend and m.at:throughout(backend, from, to) and world.up[backend]:throughout(true, from, to)
    and m.fit:throughout(true, from, to) and m.drain:throughout("none", from, to)
    and m.maintenance:throughout(false, from, to)
end

--- The members that were able throughout, of the group that the request certainly belonged to.
function facts.able_members(world, request, from, to)
  local own, other = facts.places(world, request)
  local function able(list)
    local found = {}
    for _, m in ipairs(list) do
      if facts.able(world, m, from, to) then
        found[#found + 1] = m
      end
    end
    return found
  end
  local found = able(own)
  local nobody = all(own, function(m) return m.at:throughout(false, from, to) end)
  return nobody and able(other) or found
end

-- A worker sends at least so many requests again within ten seconds (src/guard/retry_budget.h), which its clock tells
-- by whole seconds.
local RETRIES, WINDOW = 100, 11

--- May a worker have come to the end of its retries at some moment of [from, to]?
function facts.retries_may_be_spent(world, from, to)
  local sum = 0
  for _, one in ipairs(world.retries or {}) do
    if one.done >= from - WINDOW and one.sent <= to then
      sum = sum + one.count
    end
  end
  return sum >= RETRIES
end

--- Forgets retries that count no more.
function facts.forget_retries(world, now)
  local kept = {}
  for _, one in ipairs(world.retries) do
    kept[#kept + 1] = one.done >= now - WINDOW and one or nil
  end
  world.retries = kept
end

return facts
