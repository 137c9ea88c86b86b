local sets = require("spec.unit.control.sets")

local lib = sets.lib
local add, update, remove, put = sets.add, sets.update, sets.remove, sets.put
local copy, diff, value = sets.copy, sets.diff, sets.value

describe("config_set_add_route", function()
  local set

  before_each(function()
    set = sets.one_route()
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

  it("takes backends with TLS", function()
    assert.is_true(add(set, "r2", "b.example", "/", "https://h"))
    assert.is_true(add(set, "r3", "b.example", "/", "wss://h"))
  end)

  it("refuses a priority out of range", function()
    local _, reason = add(set, "r2", "b.example", "/", "http://h:1", 3e9)
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
    set = sets.one_route()
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
    local set = sets.one_route()
    assert(put(set, lib.SCOPE_HEADERS, "r1", "X-A", "1"))
    assert(put(set, lib.SCOPE_HEADERS, "ALL", "X-B", "2"))
    assert.is_true(remove(set, "r1"))
    assert.is_nil(value(set, lib.SCOPE_HEADERS, "r1", "x-a"))
    assert.equal("2", value(set, lib.SCOPE_HEADERS, "r1", "x-b"))
    assert.same({ nil, "route not found" }, { remove(set, "r1") })
  end)
end)
