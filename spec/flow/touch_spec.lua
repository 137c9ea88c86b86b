-- A snapshot is made of what was touched (src/control/compose.h): everything that a session, the configuration or a
-- name server changes of one route is what workers serve after its OK, and what nobody changed is as it was.

local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

-- What each change does to route r1 of two at a.example, and how requests see it.
local CHANGES = {
  { "a header of its own", function(s) s:ok("HEADERS_SET", "r1", "X-Own", "1") end,
    function(r) return r.headers["x-own"] == "1" end },
  { "a header of its own that goes", function(s) s:ok("HEADERS_REMOVE", "r1", "X-First") end,
    function(r) return r.headers["x-first"] == nil end },
  { "another value of a header", function(s) s:ok("HEADERS_SET", "r1", "X-First", "2") end,
    function(r) return r.headers["x-first"] == "2" end },
  { "another backend", function(s, o) s:ok("ROUTE_UPDATE", "r1", "backend_url", o.url .. "/base") end,
    function(r) return r.body == "/base/one" end },
  { "an option of its own", function(s) s:ok("OPTIONS_SET", "r1", "max_body_size", "1") end,
    function(r) return r.status == 413 end },
  { "a rate limit of its own", function(s) s:ok("RATELIMIT_SET", "r1", 1000000, "1s") end,
    function(r) return r.headers["ratelimit-policy"] ~= nil end },
  { "another path", function(s) s:ok("ROUTE_UPDATE", "r1", "path", "/three") end,
    function(r) return r.status == 404 end },
  { "another host", function(s) s:ok("ROUTE_UPDATE", "r1", "domains", "c.example") end,
    function(r) return r.status == 404 end },
  { "its end", function(s) s:ok("ROUTE_REMOVE", "r1") end,
    function(r) return r.status == 404 end },
}

local function ask(p, path)
  return p:request { method = "POST", path = path, body = "xyz", host = "a.example" }
end

describe("a change of one route", function()
  local o, p, session

  before_each(function()
    o = origin.start(function(request) return { body = request.target } end)
    p = proxy.start { workers = 1 }
    session = p:registry()
    session:register("spec", "one")
    for _, path in ipairs { "/one", "/two" } do
      local id = session:ok("ROUTE_ADD", "a.example", path, o.url, 0)
      session:ok("HEADERS_SET", id, "X-First", "1")
    end
    session:ok("CONFIG_APPLY")
  end)

  local function is_as_before(response, path)
    return response.status == 200 and response.body == path and response.headers["x-first"] == "1"
      and response.headers["x-own"] == nil and response.headers["ratelimit-policy"] == nil
  end

  for _, change in ipairs(CHANGES) do
    it("is served after its OK, and the other route as before: " .. change[1], function()
      assert.is_true(is_as_before(ask(p, "/one"), "/one"))
      change[2](session, o)
      assert.is_true(is_as_before(ask(p, "/one"), "/one"), "before CONFIG_APPLY")
      session:ok("CONFIG_APPLY")
      assert.is_true(change[3](ask(p, "/one")))
      assert.is_true(is_as_before(ask(p, "/two"), "/two"))
    end)
  end

  it("in the settings of ALL is one of every route, now and for those that come", function()
    session:ok("HEADERS_SET", "ALL", "X-Own", "all")
    session:ok("CONFIG_APPLY")
    session:ok("ROUTE_ADD", "a.example", "/three", o.url, 0)
    session:ok("CONFIG_APPLY")
    for _, path in ipairs { "/one", "/two", "/three" } do
      assert.equal("all", ask(p, path).headers["x-own"])
    end
    session:ok("HEADERS_REMOVE", "ALL", "X-Own")
    session:ok("CONFIG_APPLY")
    for _, path in ipairs { "/one", "/two", "/three" } do
      assert.is_nil(ask(p, path).headers["x-own"])
    end
  end)

  it("of which a part is applied leaves the rest staged", function()
    session:ok("HEADERS_SET", "r1", "X-Own", "1")
    session:ok("ROUTE_UPDATE", "r1", "backend_url", o.url .. "/base")
    session:ok("CONFIG_APPLY_PARTIAL", "headers")
    local r = ask(p, "/one")
    assert.same({ "/one", "1" }, { r.body, r.headers["x-own"] })
    session:ok("CONFIG_APPLY")
    r = ask(p, "/one")
    assert.same({ "/base/one", "1" }, { r.body, r.headers["x-own"] })
  end)

  it("puts another priority's route in its place and gives the place back", function()
    local other = p:registry()
    other:register("spec", "two")
    local id = other:ok("ROUTE_ADD", "a.example", "/one", o.url .. "/other", 5)
    other:ok("CONFIG_APPLY")
    assert.equal("/other/one", ask(p, "/one").body)
    other:ok("ROUTE_REMOVE", id)
    other:ok("CONFIG_APPLY")
    assert.is_true(is_as_before(ask(p, "/one"), "/one"))
  end)

  it("in the configuration file reaches routes of services, too", function()
    p:write_config { limits = { body_size = "1" } }
    p:reload()
    loop.eventually(function() return ask(p, "/one").status == 413 and ask(p, "/two").status == 413 end)
    p:write_config {}
    p:reload()
    loop.eventually(function() return is_as_before(ask(p, "/one"), "/one") and is_as_before(ask(p, "/two"), "/two") end)
  end)
end)

describe("addresses of a name that change", function()
  it("reach each route of it, of whatever session, and no apply is needed", function()
    local old = origin.start { body = "old" }
    origin.start({ body = "new" }, { host = "127.0.0.2", port = old.port })
    local names = dns.start { ["b.test"] = { ttl = 1, "127.0.0.1" } }
    local p = proxy.start { workers = 1, config = { resolver = { servers = { names.address } } } }
    for i = 1, 2 do
      local session = p:registry()
      session:register("spec", tostring(i))
      session:route { to = ("http://b.test:%d"):format(old.port), host = ("h%d.example"):format(i) }
      assert.equal("old", p:get("/", { host = ("h%d.example"):format(i) }).body)
    end
    names.names["b.test"] = { ttl = 60, "127.0.0.2" }
    for i = 1, 2 do
      loop.eventually(function() return p:get("/", { host = ("h%d.example"):format(i) }).body == "new" end)
    end
  end)
end)
