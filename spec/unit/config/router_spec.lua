local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local lib = snapshots.lib

describe("router", function()
  local settings, draft, snapshot

  before_each(function()
    control_thread.enter()
    settings = lib.settings_new()
    draft = snapshots.open(settings)
  end)

  after_each(function()
    draft:close()
    lib.settings_unref(settings)
    control_thread.leave()
  end)

  -- routes: { { host, path, priority = 0 }, ... }; each is found again by the name of its backend.
  local function build(routes)
    draft:close()
    draft = snapshots.open(settings)
    for i, route in ipairs(routes) do
      draft:put({ domains = { route[1] }, path = route[2], priority = route.priority, url = "http://n" .. i,
        options = route.options })
    end
    snapshot = draft:commit()
  end

  -- The number of the route that a request is for, or nil.
  local function match(host, path)
    local group = snapshots.match(snapshot, host, path)
    return group and tonumber(unit.text(group.members[0].host):sub(2))
  end

  it("looks for the exact host, then its wildcard, then the one for all", function()
    build({ { "a.test", "/" }, { "*.test", "/" }, { "*", "/" } })
    assert.equal(1, match("a.test", "/"))
    assert.equal(2, match("b.test", "/"))
    assert.equal(3, match("x.b.test", "/"))
    assert.equal(3, match("test", "/"))
    assert.equal(3, match("", "/"))
    assert.equal(3, match(".test", "/"))
  end)

  it("knows hosts in any case and with a dot at their end", function()
    build({ { "a.test", "/" }, { "*.b.test", "/" } })
    assert.equal(1, match("A.Test", "/"))
    assert.equal(1, match("a.test.", "/"))
    assert.equal(2, match("X.B.TEST.", "/"))
    assert.is_nil(match("a.test..", "/"))
  end)

  it("does not take a host for the wildcard of its name", function()
    build({ { "*.b.test", "/" } })
    assert.is_nil(match("b.test", "/"))
    assert.is_nil(match("*", "/"))
  end)

  it("falls through to the next kind of host when no path matches", function()
    build({ { "a.test", "/a" }, { "*.test", "/b" }, { "*", "/" } })
    assert.equal(1, match("a.test", "/a/x"))
    assert.equal(2, match("a.test", "/b"))
    assert.equal(3, match("a.test", "/c"))
  end)

  it("matches paths on segment boundaries", function()
    build({ { "a.test", "/api" }, { "a.test", "/dir/" } })
    assert.equal(1, match("a.test", "/api"))
    assert.equal(1, match("a.test", "/api/"))
    assert.equal(1, match("a.test", "/api/x/y"))
    assert.is_nil(match("a.test", "/apix"))
    assert.is_nil(match("a.test", "/ap"))
    assert.is_nil(match("a.test", "/API"))
    assert.equal(2, match("a.test", "/dir/"))
    assert.equal(2, match("a.test", "/dir/x"))
    assert.equal(2, match("a.test", "/dir//"))
    assert.is_nil(match("a.test", "/dir"))
    assert.is_nil(match("a.test", "/"))
  end)

  it("prefers the longest path among equal priorities", function()
    build({ { "a.test", "/" }, { "a.test", "/a" }, { "a.test", "/a/" }, { "a.test", "/a/b" } })
    assert.equal(1, match("a.test", "/x"))
    assert.equal(2, match("a.test", "/a"))
    assert.equal(3, match("a.test", "/a/x"))
    assert.equal(4, match("a.test", "/a/b/c"))
  end)

  it("prefers the higher priority to the longer path", function()
    build({ { "a.test", "/", priority = 1 }, { "a.test", "/a" }, { "a.test", "/b", priority = 2 } })
    assert.equal(1, match("a.test", "/a"))
    assert.equal(3, match("a.test", "/b"))
  end)

  it("keeps priorities within a kind of host", function()
    build({ { "a.test", "/" }, { "*", "/", priority = 100 } })
    assert.equal(1, match("a.test", "/"))
  end)

  it("takes any path that a client may send", function()
    build({ { "a.test", "/" }, { "a.test", "//" }, { "a.test", "/a//b" } })
    assert.equal(2, match("a.test", "//"))
    assert.equal(2, match("a.test", "//x"))
    assert.equal(3, match("a.test", "/a//b/c"))
    assert.equal(1, match("a.test", "/a/b"))
    assert.equal(1, match("a.test", "*"))
    assert.equal(1, match("a.test", ("/"):rep(8000):gsub("^//", "/x/")))
    assert.equal(1, match("a.test", "/" .. ("x"):rep(8000)))
  end)

  ---- against a model that tries every route

  local function is_prefix(route, path)
    if route == "/" or path == route then
      return true
    end
    if path:sub(1, #route) ~= route then
      return false
    end
    return route:sub(-1) == "/" or path:sub(#route + 1, #route + 1) == "/"
  end

  local function naive_at(routes, host, path)
    local best
    for i, route in ipairs(routes) do
      if route[1] == host and is_prefix(route[2], path) then
        local current = best and routes[best]
        if not current or route.priority > current.priority
          or route.priority == current.priority and #route[2] > #current[2] then
          best = i
        end
      end
    end
    return best
  end

  local function naive(routes, host, path)
    local wildcard = host:match("^[^.]+%.(.*)")
    return naive_at(routes, host, path) or wildcard and naive_at(routes, "*." .. wildcard, path)
      or naive_at(routes, "*", path)
  end

  local HOSTS = { "a.test", "b.test", "x.a.test", "y.a.test", "test", "*.test", "*.a.test", "*" }
  local SEGMENTS = { "", "a", "b", "aa", "a.b" }

  local function random_path(deepest)
    local path = ""
    for _ = 1, math.random(0, deepest) do
      path = path .. "/" .. SEGMENTS[math.random(#SEGMENTS)]
    end
    return (path == "" or math.random() < 0.2) and path .. "/" or path
  end

  local function random_routes()
    local routes = {}
    for i = 1, math.random(0, 40) do
      routes[i] = {
        HOSTS[math.random(#HOSTS)], random_path(4), priority = math.random() < 0.3 and math.random(-2, 2) or 0,
      }
    end
    return routes
  end

  it("agrees with trying every route", function()
    for _ = 1, 300 do
      local routes = random_routes()
      build(routes)
      for _ = 1, 60 do
        local host, path = HOSTS[math.random(5)], random_path(6)
        local expected, found = naive(routes, host, path), match(host, path)
        assert.equal(expected, found, ("%s%s in %d routes"):format(host, path, #routes))
      end
    end
  end)

  it("offers HTTP/2 unless a group of the host says no: of its name, else its wildcard, else all", function()
    local off = { http2 = "false" }
    build({ { "a.test", "/" }, { "a.test", "/x", options = off }, { "*.test", "/", options = { http2 = "true" } },
      { "*.off.test", "/", options = off }, { "on.off.test", "/" } })
    local function offers(host)
      return lib.router_offers_http2(unit.ffi.cast("const struct router *", snapshot.router), unit.slice(host))
    end
    assert.is_false(offers("a.test"))
    assert.is_false(offers("A.TEST."))
    assert.is_true(offers("b.test"))
    assert.is_false(offers("b.off.test"))
    assert.is_true(offers("on.off.test"))
    assert.is_true(offers("elsewhere"))
    assert.is_true(offers(""))
    build({ { "*", "/", options = off }, { "a.test", "/" } })
    assert.is_false(offers("elsewhere"))
    assert.is_true(offers("a.test"))
  end)
end)
