local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("base/error.h", "base/slice.h", "config/url.h", "control/config_set.h")
local slice, err = unit.slice, ffi.new("struct error")

local function why()
  return ffi.string(err.text)
end

local function new_set()
  return ffi.gc(lib.config_set_new(), lib.config_set_free)
end

local function copy(set)
  return ffi.gc(lib.config_set_copy(set), lib.config_set_free)
end

--- Stages a route. domains: comma separated. Returns true, or nil and the reason.
local function add(set, id, domains, path, url, priority)
  local list = {}
  for domain in domains:gmatch("[^,]+") do
    list[#list + 1] = slice(domain)
  end
  local array = ffi.new("struct slice[?]", #list + 1)
  for i, domain in ipairs(list) do
    array[i - 1] = domain
  end
  local fields = ffi.new("struct route_fields", {
    domains = array, domain_count = #list, path = slice(path), backend_url = slice(url),
    priority = priority or 0,
  })
  if lib.config_set_add_route(set, id, fields, err) then
    return true
  end
  return nil, why()
end

local function update(set, id, field, value)
  if lib.config_set_update_route(set, slice(id), slice(field), slice(value), err) then
    return true
  end
  return nil, why()
end

local function put(set, scope, target, key, value)
  if lib.config_set_put(set, scope, slice(target), slice(key), slice(value), err) then
    return true
  end
  return nil, why()
end

local function remove(set, id)
  return lib.config_set_remove_route(set, slice(id), err) or why()
end

local function value(set, scope, route, key)
  local text = lib.config_set_value(set, scope, route, key)
  return text ~= nil and ffi.string(text) or nil
end

local function merge(live, draft, ...)
  local mask = 0
  for _, scope in ipairs({ ... }) do
    mask = mask + 2 ^ tonumber(scope)
  end
  local set = lib.config_set_merge(live, draft, mask, err)
  if set == nil then
    return nil, why()
  end
  return ffi.gc(set, lib.config_set_free)
end

local function diff(live, draft, scope)
  local d = lib.config_set_diff(live, draft, scope)
  return { d.added, d.removed, d.modified }
end

local function one_route()
  local set = new_set()
  assert(add(set, "r1", "a.example", "/", "http://10.0.0.1:80"))
  return set
end

describe("config_set_add_route", function()
  local set

  before_each(function()
    set = one_route()
  end)

  it("takes host names, a wildcard of one level and the star", function()
    assert.is_true(add(set, "r2", "B.Example.,*.c.example,*", "/x", "http://h:1"))
    assert.equal(2, lib.config_set_route_count(set))
  end)

  for domain, text in pairs({
    ["-a.example"] = "a dash first", ["a-.example"] = "a dash last", ["a..example"] = "an empty label",
    ["*.*.example"] = "two stars", ["a.*"] = "a star elsewhere", ["a b"] = "a blank", ["a:80"] = "a port",
    ["*."] = "a star alone with a dot", [("a"):rep(64)] = "a long label",
    [("a."):rep(128)] = "a long name",
  }) do
    it("refuses a domain with " .. text, function()
      local _, reason = add(set, "r2", domain, "/", "http://h:1")
      assert.matches("^domains: ", reason)
      assert.equal(1, lib.config_set_route_count(set))
    end)
  end

  it("refuses a route without domains", function()
    local _, reason = add(set, "r2", "", "/", "http://h:1")
    assert.equal("domains: at least one is needed", reason)
  end)

  it("refuses a domain that is named twice", function()
    local _, reason = add(set, "r2", "b.example,B.example", "/", "http://h:1")
    assert.equal("domains: b.example is named twice", reason)
  end)

  for path, reason in pairs({
    [""] = "has to start with /", ["x"] = "has to start with /",
    ["/a?b"] = "may not hold a query or a fragment", ["/a#b"] = "may not hold a query or a fragment",
    ["/a b"] = "may hold printable ASCII only, write others as %XX",
    ["/\195\188"] = "may hold printable ASCII only, write others as %XX",
    ["/" .. ("a"):rep(1024)] = "longer than 1024 bytes",
  }) do
    it(("refuses the path %q"):format(path:sub(1, 20)), function()
      local _, got = add(set, "r2", "b.example", path, "http://h:1")
      assert.equal("path: " .. reason, got)
    end)
  end

  it("refuses a URL that is none", function()
    local _, reason = add(set, "r2", "b.example", "/", "ftp://h")
    assert.matches("^backend_url: ", reason)
  end)

  it("refuses a TLS backend for what it is", function()
    for _, url in ipairs({ "https://h", "wss://h" }) do
      local _, reason = add(set, "r2", "b.example", "/", url)
      assert.equal("backend_url: https backends are not supported yet", reason)
    end
  end)

  it("refuses a priority out of range", function()
    local _, reason = add(set, "r2", "b.example", "/", "http://h:1", 2e9)
    assert.matches("^priority: ", reason)
  end)

  it("refuses the same domain, path and backend again, in any case of letters", function()
    local _, reason = add(set, "r2", "b.example,A.EXAMPLE", "/", "http://10.0.0.1:80", 7)
    assert.equal("duplicate route: r1", reason)
  end)

  it("takes the same place with another backend", function()
    assert.is_true(add(set, "r2", "a.example", "/", "http://10.0.0.2:80"))
  end)
end)

describe("config_set_update_route", function()
  local set

  before_each(function()
    set = one_route()
  end)

  it("changes one field and nothing else", function()
    local live = copy(set)
    for field, text in pairs({
      priority = "-5", path = "/new", domains = "b.example,c.example",
      backend_url = "http://10.0.0.9:80",
    }) do
      local draft = copy(live)
      assert.is_true(update(draft, "r1", field, text))
      assert.same({ 0, 0, 1 }, diff(live, draft, lib.SCOPE_ROUTES))
    end
  end)

  it("frees the place that the route leaves, and takes the one it goes to", function()
    assert.is_true(update(set, "r1", "path", "/new"))
    assert.is_true(add(set, "r2", "a.example", "/", "http://10.0.0.1:80"))
    local _, reason = add(set, "r3", "a.example", "/new", "http://10.0.0.1:80")
    assert.equal("duplicate route: r1", reason)
  end)

  it("leaves the route as it was when it refuses", function()
    local live = copy(set)
    assert(add(set, "r2", "b.example", "/", "http://10.0.0.1:80"))
    assert(add(live, "r2", "b.example", "/", "http://10.0.0.1:80"))
    for field, text in pairs({ priority = "1.5", path = "x", domains = "b.example", backend_url = "h" }) do
      assert.is_nil(update(set, "r1", field, text))
    end
    assert.same({ 0, 0, 0 }, diff(live, set, lib.SCOPE_ROUTES))
  end)

  it("refuses unknown routes and fields", function()
    assert.same({ nil, "route not found" }, { update(set, "r9", "path", "/") })
    local _, reason = update(set, "r1", "color", "red")
    assert.matches("^field: ", reason)
  end)
end)

describe("config_set_remove_route", function()
  it("takes the settings of the route along, but not those for ALL", function()
    local set = one_route()
    assert(put(set, lib.SCOPE_HEADERS, "r1", "X-A", "1"))
    assert(put(set, lib.SCOPE_HEADERS, "ALL", "X-B", "2"))
    assert.is_true(remove(set, "r1"))
    assert.is_nil(value(set, lib.SCOPE_HEADERS, "r1", "x-a"))
    assert.equal("2", value(set, lib.SCOPE_HEADERS, "r1", "x-b"))
    assert.equal("route not found", remove(set, "r1"))
  end)
end)

describe("config_set_put", function()
  local set

  before_each(function()
    set = one_route()
  end)

  it("lets a route's own setting win over the one for ALL, header names in any case", function()
    assert(put(set, lib.SCOPE_HEADERS, "ALL", "X-A", "all"))
    assert(put(set, lib.SCOPE_HEADERS, "r1", "x-a", "own"))
    assert.equal("own", value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
    assert.equal("all", value(set, lib.SCOPE_HEADERS, "r2", "X-A"))
  end)

  it("replaces what was set before", function()
    assert(put(set, lib.SCOPE_OPTIONS, "r1", "timeout", "5s"))
    assert(put(set, lib.SCOPE_OPTIONS, "r1", "timeout", "6s"))
    assert.equal("6s", value(set, lib.SCOPE_OPTIONS, "r1", "timeout"))
  end)

  it("refuses a target that is no route of the set", function()
    assert.same({ nil, "route not found" }, { put(set, lib.SCOPE_OPTIONS, "r9", "timeout", "5s") })
  end)

  it("refuses unknown options and bad values", function()
    assert.same({ nil, "unknown option: color" }, { put(set, lib.SCOPE_OPTIONS, "ALL", "color", "1") })
    assert.is_nil(put(set, lib.SCOPE_OPTIONS, "ALL", "timeout", "soon"))
  end)

  it("refuses headers that frame messages, bad names and bad values", function()
    for _, name in ipairs({ "Content-Length", "transfer-encoding", "Connection", "a b", "" }) do
      assert.is_nil(put(set, lib.SCOPE_HEADERS, "ALL", name, "1"))
    end
    assert.is_nil(put(set, lib.SCOPE_HEADERS, "ALL", "X-A", "1\r\nX-B: 2"))
  end)

  it("holds health, rate limit and circuit to their fields", function()
    assert.is_true(put(set, lib.SCOPE_HEALTH, "r1", "", "/health|10000|2000"))
    assert.is_true(put(set, lib.SCOPE_RATELIMIT, "ALL", "", "10|1000"))
    assert.is_true(put(set, lib.SCOPE_CIRCUIT, "r1", "", "3|10000|1"))
    assert.is_nil(put(set, lib.SCOPE_HEALTH, "r1", "", "health|10000|2000"))
    assert.is_nil(put(set, lib.SCOPE_HEALTH, "r1", "", "/health|10000"))
    assert.is_nil(put(set, lib.SCOPE_RATELIMIT, "ALL", "", "0|1000"))
    assert.is_nil(put(set, lib.SCOPE_CIRCUIT, "r1", "", "3|10000|1|1"))
    assert.equal("10|1000", value(set, lib.SCOPE_RATELIMIT, "r1", ""))
  end)

  it("is undone by config_set_drop", function()
    assert(put(set, lib.SCOPE_HEADERS, "r1", "X-A", "1"))
    assert.is_true(lib.config_set_drop(set, lib.SCOPE_HEADERS, slice("r1"), slice("x-a"), err))
    assert.is_nil(value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
    assert.is_false(lib.config_set_drop(set, lib.SCOPE_HEADERS, slice("r1"), slice("x-a"), err))
    assert.equal("headers not set: x-a", why())
  end)
end)

describe("config_set_copy", function()
  it("shares nothing with what it was made of", function()
    local live = one_route()
    assert(put(live, lib.SCOPE_HEADERS, "r1", "X-A", "1"))
    local draft = copy(live)
    assert(put(draft, lib.SCOPE_HEADERS, "r1", "X-A", "2"))
    assert(remove(draft, "r1"))
    assert.equal("1", value(live, lib.SCOPE_HEADERS, "r1", "X-A"))
    assert.equal(1, lib.config_set_route_count(live))
  end)
end)

describe("config_set_diff", function()
  it("counts what was added, removed and modified in each scope by itself", function()
    local live = one_route()
    assert(add(live, "r2", "b.example", "/", "http://h:1"))
    assert(put(live, lib.SCOPE_HEADERS, "r1", "X-A", "1"))
    assert(put(live, lib.SCOPE_HEADERS, "r2", "X-A", "1"))
    local draft = copy(live)
    assert.same({ 0, 0, 0 }, diff(live, draft, lib.SCOPE_ROUTES))
    assert(update(draft, "r1", "priority", "3"))
    assert(remove(draft, "r2"))
    assert(add(draft, "r3", "c.example", "/", "http://h:1"))
    assert(put(draft, lib.SCOPE_HEADERS, "r1", "X-A", "2"))
    assert(put(draft, lib.SCOPE_HEADERS, "r3", "X-A", "2"))
    assert.same({ 1, 1, 1 }, diff(live, draft, lib.SCOPE_ROUTES))
    assert.same({ 1, 1, 1 }, diff(live, draft, lib.SCOPE_HEADERS))
    assert.same({ 0, 0, 0 }, diff(live, draft, lib.SCOPE_OPTIONS))
  end)
end)

describe("config_set_merge", function()
  local live, draft

  before_each(function()
    live = one_route()
    assert(put(live, lib.SCOPE_HEADERS, "r1", "X-A", "live"))
    draft = copy(live)
  end)

  it("takes the scopes that are asked for and leaves the others", function()
    assert(put(draft, lib.SCOPE_HEADERS, "r1", "X-A", "draft"))
    assert(put(draft, lib.SCOPE_OPTIONS, "r1", "timeout", "5s"))
    local set = assert(merge(live, draft, lib.SCOPE_OPTIONS))
    assert.equal("live", value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
    assert.equal("5s", value(set, lib.SCOPE_OPTIONS, "r1", "timeout"))
  end)

  it("refuses settings of a route that is not live and not applied along", function()
    assert(add(draft, "r2", "b.example", "/", "http://h:1"))
    assert(put(draft, lib.SCOPE_HEADERS, "r2", "X-A", "1"))
    local _, reason = merge(live, draft, lib.SCOPE_HEADERS)
    assert.equal("headers of r2: route r2 is not active, apply routes too", reason)
    assert.is_truthy(merge(live, draft, lib.SCOPE_HEADERS, lib.SCOPE_ROUTES))
  end)

  it("drops the settings of a route that goes", function()
    assert(remove(draft, "r1"))
    local set = assert(merge(live, draft, lib.SCOPE_ROUTES))
    assert.equal(0, lib.config_set_route_count(set))
    assert.is_nil(value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
  end)

  it("keeps the settings of a route that is still live though its removal is staged", function()
    assert(remove(draft, "r1"))
    local set = assert(merge(live, draft, lib.SCOPE_HEADERS))
    assert.equal("live", value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
  end)

  it("takes a removal within a scope", function()
    assert(lib.config_set_drop(draft, lib.SCOPE_HEADERS, slice("r1"), slice("X-A"), err))
    local set = assert(merge(live, draft, lib.SCOPE_HEADERS))
    assert.is_nil(value(set, lib.SCOPE_HEADERS, "r1", "X-A"))
  end)
end)

describe("config_set_validate", function()
  it("finds nothing wrong with what was put in", function()
    local set = one_route()
    assert(put(set, lib.SCOPE_OPTIONS, "ALL", "retries", "2"))
    assert.is_true(lib.config_set_validate(set, err))
  end)
end)
