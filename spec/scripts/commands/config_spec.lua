local conversation = require("spec.scripts.conversation")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local BACKEND = "http://127.0.0.1:1"
local NOTHING = { added = 0, removed = 0, modified = 0 }

local function diff(r)
  return json(r:call("CONFIG_DIFF"), "DIFF_OK")
end

local function named(body)
  return origin.start(function() return { body = body } end).url
end

describe("CONFIG_VALIDATE", function()
  it("says OK to what can be applied, also to nothing", function()
    local r = start()
    assert.equal("OK", r:call("CONFIG_VALIDATE"))
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    assert.equal("OK", r:call("CONFIG_VALIDATE"))
  end)

  it("applies nothing", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("CONFIG_VALIDATE")
    assert.equal(0, json(r:call("SESSION_INFO"), "SESSION_OK").routes_active)
    refused("unexpected field: x", r:call("CONFIG_VALIDATE", "x"))
  end)
end)

describe("CONFIG_APPLY", function()
  it("makes all scopes live at once", function()
    local r, p = start()
    r:ok("ROUTE_ADD", "*", "/", named("hi"), 0)
    r:ok("HEADERS_SET", "r1", "X-A", "1")
    assert.equal("OK", r:call("CONFIG_APPLY"))
    local response = p:get("/")
    assert.equal("hi", response.body)
    assert.same({ "1" }, response:values("X-A"))
    assert.same(NOTHING, diff(r).headers)
  end)

  it("is fine with nothing staged", function()
    local r = start()
    assert.equal("OK", r:call("CONFIG_APPLY"))
    assert.equal("OK", r:call("CONFIG_APPLY"))
    refused("unexpected field: x", r:call("CONFIG_APPLY", "x"))
  end)

  it("is seen by every request after its OK, on every worker", function()
    local a, b = named("a"), named("b")
    local r, p = start { workers = 2 }
    local id = r:route { to = a }
    for i = 1, 20 do
      local url = i % 2 == 0 and a or b
      r:ok("ROUTE_UPDATE", id, "backend_url", url)
      r:ok("CONFIG_APPLY")
      for _ = 1, 4 do
        assert.equal(i % 2 == 0 and "a" or "b", p:get("/").body)
      end
    end
  end)
end)

describe("CONFIG_APPLY_PARTIAL", function()
  it("makes the named scopes live and keeps the others staged", function()
    local r, p = start()
    r:route { to = named("hi") }
    r:ok("HEADERS_SET", "r1", "X-A", "1")
    r:ok("OPTIONS_SET", "r1", "retries", "2")
    r:ok("ROUTE_ADD", "b.example", "/", BACKEND, 0)
    assert.equal("OK", r:call("CONFIG_APPLY_PARTIAL", "headers"))
    assert.same({ "1" }, p:get("/"):values("X-A"))
    local rest = diff(r)
    assert.same(NOTHING, rest.headers)
    assert.equal(1, rest.options.added)
    assert.same({ "r2" }, rest.routes.added)
    assert.equal("OK", r:call("CONFIG_APPLY_PARTIAL", "routes,options"))
    assert.same({}, diff(r).routes.added)
  end)

  it("takes every scope", function()
    local r = start()
    assert.equal("OK", r:call("CONFIG_APPLY_PARTIAL", "routes,headers,options,health,ratelimit,circuit"))
  end)

  it("refuses unknown scopes by name", function()
    local r = start()
    refused("unknown scope: route", r:call("CONFIG_APPLY_PARTIAL", "route"))
    refused("unknown scope: all", r:call("CONFIG_APPLY_PARTIAL", "routes,all"))
    refused("missing field: scopes", r:call("CONFIG_APPLY_PARTIAL"))
    refused("missing field: scopes", r:call("CONFIG_APPLY_PARTIAL", ""))
    refused("missing field: scopes", r:call("CONFIG_APPLY_PARTIAL", "routes,"))
  end)

  it("refuses settings for a route that would not be there, and changes nothing", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("HEADERS_SET", "r1", "X-A", "1")
    refused("headers of r1: route r1 is not active, apply routes too",
      r:call("CONFIG_APPLY_PARTIAL", "headers"))
    assert.equal(1, diff(r).headers.added)
    assert.equal("OK", r:call("CONFIG_APPLY_PARTIAL", "routes,headers"))
  end)
end)

describe("CONFIG_ROLLBACK", function()
  it("drops all that is staged and leaves what is live", function()
    local r, p = start()
    r:route { to = named("hi") }
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("ROUTE_ADD", "b.example", "/", BACKEND, 0)
    r:ok("HEADERS_SET", "ALL", "X-A", "1")
    assert.equal("OK", r:call("CONFIG_ROLLBACK"))
    local rest = diff(r)
    assert.same({ added = {}, removed = {}, modified = {} }, rest.routes)
    assert.same(NOTHING, rest.headers)
    r:ok("CONFIG_APPLY")
    assert.equal("hi", p:get("/").body)
  end)

  it("is fine with nothing staged", function()
    local r = start()
    assert.equal("OK", r:call("CONFIG_ROLLBACK"))
    refused("unexpected field: x", r:call("CONFIG_ROLLBACK", "x"))
  end)
end)

describe("CONFIG_DIFF", function()
  it("tells nothing when nothing is staged", function()
    local d = diff(start())
    assert.same({ added = {}, removed = {}, modified = {} }, d.routes)
    for _, scope in ipairs({ "headers", "options", "health", "ratelimit", "circuit" }) do
      assert.same(NOTHING, d[scope])
    end
  end)

  it("names routes and counts the rest", function()
    local r = start()
    for i = 1, 2 do
      r:ok("ROUTE_ADD", ("h%d.example"):format(i), "/", BACKEND, 0)
    end
    r:ok("HEADERS_SET", "ALL", "X-A", "1")
    r:ok("HEADERS_SET", "ALL", "X-B", "1")
    r:ok("CONFIG_APPLY")
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("ROUTE_UPDATE", "r2", "priority", 5)
    r:ok("ROUTE_ADD", "h3.example", "/", BACKEND, 0)
    r:ok("HEADERS_SET", "ALL", "X-A", "2")
    r:ok("HEADERS_REMOVE", "ALL", "X-B")
    r:ok("HEADERS_SET", "ALL", "X-C", "1")
    local d = diff(r)
    assert.same({ added = { "r3" }, removed = { "r1" }, modified = { "r2" } }, d.routes)
    assert.same({ added = 1, removed = 1, modified = 1 }, d.headers)
  end)

  it("does not count a change that was changed back", function()
    local r = start()
    r:route { to = BACKEND }
    r:ok("ROUTE_UPDATE", "r1", "priority", 5)
    r:ok("ROUTE_UPDATE", "r1", "priority", 0)
    assert.same({}, diff(r).routes.modified)
  end)

  it("comes compressed on demand", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    assert.same(diff(r), conversation.unpack(r:call("CONFIG_DIFF", "compressed"), "DIFF_OK"))
    refused("invalid form: zip; use compressed", r:call("CONFIG_DIFF", "zip"))
  end)
end)

describe("staged changes", function()
  it("are dropped when nobody applies them in time", function()
    local r, p = start { workers = 1, config = { timeouts = { staged = "100ms" } } }
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("HEADERS_SET", "ALL", "X-A", "1")
    require("spec.support.loop").eventually(function()
      return r:call("ROUTE_LIST") == "ROUTE_LIST_OK|[]"
    end)
    assert.same(NOTHING, diff(r).headers)
    assert.is_truthy(p)
  end)
end)
