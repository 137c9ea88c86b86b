--- Which faults the suite tries: the sites that the scenario reaches, the calls of each, and in how many ways each can
-- fail.

local scenario = require("spec.faults.scenario")
local world = require("spec.faults.world")

local plan = {}

-- Further ways in which a call fails; by default it fails as it does most likely (base/fault.h).
local WAYS = {
  recv = { "EAGAIN", "EINTR", "ETIMEDOUT", "short" },
  send = { "EAGAIN", "EINTR", "ECONNRESET", "short" },
  sendmsg = { "EAGAIN", "EINTR", "ECONNRESET", "short" },
  read = { "EINTR", "short" },
  write = { "EAGAIN", "EINTR", "EIO", "short" },
  accept4 = { "ECONNABORTED", "EINTR", "ENFILE", "ENOMEM" },
  connect = { "ECONNREFUSED", "ENETUNREACH", "EAGAIN" },
  socket = { "ENOBUFS" },
  open = { "EACCES", "ENOENT" },
  openat = { "EACCES", "ENOENT" },
  poll = { "ENOMEM" },
  getrandom = { "short" },
}

-- Of libraries, whose sites are few and reached from everywhere, more calls are tried.
local MANY, FEW = 16, 3

--- The names of sites that a run has reached, with their counts, by name.
function plan.learn(options)
  local w = assert(world.start("list", options))
  scenario.run(w)
  scenario.heal(w)
  w.proxy:stop()
  local sites, log = {}, w.proxy:log()
  for site, count in log:gmatch("fault site (%S+) (%d+)\n") do
    sites[#sites + 1] = { name = site, count = tonumber(count) }
  end
  table.sort(sites, function(a, b)
    return a.name < b.name
  end)
  local wrong = w.wrong
  world.finish()
  return sites, wrong
end

--- Which calls of a site fail, in turn: the first, then spread over all that there were.
local function calls(site)
  local library = not site.name:find("/", 1, true) and not site.name:find("^step:")
  local many = library or site.name:find("limited_alloc", 1, true) or site.name:find("h2_mem", 1, true)
  local list, known = {}, {}
  local function add(nth)
    nth = math.max(1, math.min(site.count, math.floor(nth)))
    if not known[nth] then
      known[nth] = true
      list[#list + 1] = nth
    end
  end
  add(1)
  local count = many and MANY or FEW
  for i = 1, count - 1 do
    add(site.count * i / count)
  end
  return list
end

local function file_of(site)
  return site.name:match("^[^:]+")
end

--- All cases: name, fail (TIDELOCK_FAIL).
function plan.all(sites)
  local cases = {}
  local function add(site, nth, how)
    local rule = ("%s:%s%s"):format(site.name, nth, how and ":" .. how or "")
    cases[#cases + 1] = { name = rule, fail = rule, site = site }
  end
  for _, site in ipairs(sites) do
    local call = site.name:match(":(%w+)@") or ""
    for _, nth in ipairs(calls(site)) do
      add(site, nth)
    end
    for _, how in ipairs(WAYS[call] or {}) do
      add(site, math.ceil(site.count / 2), how)
      add(site, 1, how)
    end
    if call:find("alloc$") or call:find("^need") or not site.name:find("/", 1, true) then
      add(site, math.ceil(site.count / 2) .. "+6") -- a stretch
    end
  end
  return cases
end

--- One case for each file, a call in the middle.
function plan.sample(sites)
  local cases, known = {}, {}
  for _, site in ipairs(sites) do
    local file = file_of(site)
    if not known[file] then
      known[file] = true
      local rule = ("%s:%d"):format(site.name, math.ceil(site.count / 2))
      cases[#cases + 1] = { name = rule, fail = rule, site = site }
    end
  end
  return cases
end

--- Cases of rules with blanks between them.
function plan.given(rules)
  local cases = {}
  for rule in rules:gmatch("%S+") do
    cases[#cases + 1] = { name = rule, fail = rule }
  end
  return cases
end

--- Those of one part of so many, whose name matches, too.
function plan.part(cases, index, count, pattern)
  local own = {}
  for i, case in ipairs(cases) do
    if i % count == index % count and (not pattern or case.name:find(pattern)) then
      own[#own + 1] = case
    end
  end
  return own
end

return plan
