-- The router against a model that knows no hashes and no prefixes: it looks at every route, segment by segment, for
-- thousands of
-- random sets of routes and requests, spelled as clients and services may. The sets are versions of one atlas, each
-- changed in a few routes from the one before, and several are kept at a time and let go in any order.

local control_thread = require("spec.unit.config.control_thread")
local path_model = require("spec.support.path_model")
local snapshots = require("spec.unit.config.snapshots")
local unit = require("spec.support.unit")
local lib = snapshots.lib
local paths = unit.load("base/slice.h", "http/path.h")

local RUNS, VERSIONS, KEPT, REQUESTS = 60, 25, 4, 20
local LABELS = { "a", "b", "www", "a-b", "test", "x1" }
local SEGMENTS = { "a", "b", "aa", "a.b", ".a", "%41", "%c3", ";x", "", ".", "..", "%2e", "a%2fb" }

local function pick(list)
  return list[math.random(#list)]
end

local function random_name()
  local labels = {}
  for i = 1, math.random(1, 3) do
    labels[i] = pick(LABELS)
  end
  return table.concat(labels, ".")
end

local function random_domain()
  local kind = math.random()
  return kind < 0.15 and "*" or kind < 0.4 and "*." .. random_name() or random_name()
end

-- In normal form, by the proxy's own rule; the model of that has said the same elsewhere, and does so here.
local function random_path(most)
  while true do
    local path = ""
    for _ = 1, math.random(0, most) do
      path = path .. "/" .. pick(SEGMENTS)
    end
    path = (path == "" or math.random() < 0.2) and path .. "/" or path
    local form = path_model.normalise(path)
    if form then
      local out, result = unit.ffi.new("char[?]", #path), unit.ffi.new("struct path_result")
      local made = paths.path_normalise(unit.slice(path), out, result) == paths.PATH_MADE
      assert.equal(form, made and unit.ffi.string(out, result.len) or path)
      return form
    end
  end
end

-- A host as clients write it: any case, a dot at its end.
local function spelled(host)
  host = host:gsub("%a", function(c)
    return math.random() < 0.3 and c:upper() or c
  end)
  return math.random() < 0.2 and host .. "." or host
end

local function segments(path)
  local list = {}
  for segment in path:sub(2):gmatch("[^/]+") do
    list[#list + 1] = segment
  end
  return list
end

-- How long a part of the path the route covers, in half segments; nil: it covers it not.
local function covers(route, path)
  local own, all = segments(route), segments(path)
  for i, segment in ipairs(own) do
    if all[i] ~= segment then
      return nil
    end
  end
  if #own == 0 then
    return 0
  end
  local open = route:sub(-1) == "/"
  if open and #all == #own and path:sub(-1) ~= "/" then
    return nil
  end
  return 2 * #own + (open and 1 or 0)
end

local function kind_of(domain, host)
  if domain == host then
    return 1
  elseif domain:sub(1, 2) == "*." then
    return host:match("^[^.]+%.(.+)$") == domain:sub(3) and 2 or nil
  end
  return domain == "*" and 3 or nil
end

local function better(a, b)
  if a.kind ~= b.kind then
    return a.kind < b.kind
  elseif a.priority ~= b.priority then
    return a.priority > b.priority
  end
  return a.length > b.length
end

local function naive(routes, host, path)
  local best
  host = host:lower():gsub("%.$", "")
  for _, route in ipairs(routes) do
    for _, domain in ipairs(route.domains) do
      local kind, length = kind_of(domain, host), covers(route.path, path)
      local found = kind and length
        and { kind = kind, length = length, priority = route.priority, number = route.number }
      if found and (not best or better(found, best)) then
        best = found
      end
    end
  end
  return best and best.number
end

local function random_route(number)
  local domains, seen = {}, {}
  for _ = 1, math.random(1, 3) do
    local domain = random_domain()
    if not seen[domain] then
      domains[#domains + 1], seen[domain] = domain, true
    end
  end
  local priority = math.random() < 0.4 and math.random(-3, 3) or 0
  return { domains = domains, path = random_path(4), priority = priority, number = number, order = number }
end

-- The next version's routes: some go, some are replaced, some come. number: of the newest route so far.
local function change(draft, routes, number)
  local next_routes = {}
  for _, route in ipairs(routes) do
    local dice = math.random()
    if dice < 0.1 then
      draft:drop(route.state)
    elseif dice < 0.25 then
      local new = random_route(route.number)
      new.state, new.url = route.state, "http://n" .. route.number
      draft:put(new)
      next_routes[#next_routes + 1] = new
    else
      next_routes[#next_routes + 1] = route
    end
  end
  for _ = 1, math.random(0, 4) do
    number = number + 1
    local new = random_route(number)
    new.url = "http://n" .. number
    new.state = draft:put(new)
    next_routes[#next_routes + 1] = new
  end
  return next_routes, number
end

-- Often a host and a path that some route has, and what is near them.
local function random_request(routes)
  local route = #routes > 0 and math.random() < 0.7 and pick(routes)
  local host = route and pick(route.domains):gsub("^%*", pick(LABELS)) or random_name()
  local path = route and math.random() < 0.7 and route.path or random_path(5)
  if math.random() < 0.3 then
    path = path_model.normalise(path .. "/" .. pick({ "a", "b", "", "aa" })) or path
  end
  return spelled(host), path
end

describe("the router", function()
  local settings

  before_each(function()
    control_thread.enter()
    settings = lib.settings_new()
  end)

  after_each(function()
    lib.settings_unref(settings)
    control_thread.leave()
  end)

  -- How many of the requests met a route.
  local function check(version, seed)
    local found = 0
    for _ = 1, REQUESTS do
      local host, path = random_request(version.routes)
      local group = snapshots.match(version.snapshot, host, path)
      local number = group and tonumber(unit.text(group.members[0].host):sub(2))
      found = found + (number and 1 or 0)
      assert.equal(naive(version.routes, host, path), number, ("%s%s, seed %d"):format(host, path, seed))
    end
    return found
  end

  local function run(seed)
    local draft, kept, routes, number, found = snapshots.open(settings), {}, {}, 0, 0
    for _ = 1, VERSIONS do
      routes, number = change(draft, routes, number)
      kept[#kept + 1] = { routes = routes, snapshot = draft:commit() }
      found = found + check(pick(kept), seed)
      if #kept > KEPT then
        draft:free(table.remove(kept, math.random(#kept - 1)).snapshot)
      end
    end
    for _, version in ipairs(kept) do
      draft:free(version.snapshot)
    end
    for _, route in ipairs(routes) do
      assert.equal(3, route.state.refs, "held by the spec, the atlas and one member, seed " .. seed)
    end
    draft:close()
    return found
  end

  it("finds what a look at every route finds, in every version that is kept", function()
    local seed, found = tonumber(os.getenv("TIDELOCK_SEED")) or os.time(), 0
    math.randomseed(seed)
    for _ = 1, RUNS do
      found = found + run(seed)
    end
    assert.is_true(found > RUNS * VERSIONS * REQUESTS / 4, "too few requests met a route to show much: " .. found)
  end)
end)
