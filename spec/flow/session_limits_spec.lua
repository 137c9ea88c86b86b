local cjson = require("cjson")
local limits = require("spec.support.limits")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local session, start, too_many = limits.session, limits.start, limits.too_many

local URL = "http://127.0.0.1:9"

local function limits_of(r)
  return limits.status(r).limits
end

local function bulk(from, to)
  local list = {}
  for i = from, to do
    list[#list + 1] = { domains = { ("h%d.example"):format(i) }, path = "/", backend_url = URL }
  end
  return cjson.encode(list)
end

describe("the limit of sessions", function()
  it("refuses a REGISTER when all are in use, and takes it once one goes", function()
    local p, r = start { sessions = 2 }
    local second, third = session(p, "cart", "one"), p:registry()
    assert.equal(too_many("too many sessions", "sessions", 2), third:call("REGISTER", "blog", "one", 0))
    assert.same({ used = 2, limit = 2, refused = 1 }, limits_of(r).sessions)
    second:ok("CLIENT_SHUTDOWN")
    third:register("blog", "one")
    assert.equal("PONG", r:call("PING"))
  end)

  it("has one make room that has no connection and never applied anything, not one that serves", function()
    local p, r = start { sessions = 3 }
    local serves, idle = session(p, "cart", "one"), session(p, "blog", "one")
    serves:route { to = URL, host = "cart.example" }
    serves:close()
    idle:close()
    loop.soon(function()
      local status = cjson.decode((r:ask("PROXY_STATUS"):match("|(.*)$")))
      assert.equal(2, status.registry.sessions.disconnected)
    end)
    local new = session(p, "new", "one")
    assert.equal("REREGISTER", p:registry():call("RECONNECT", idle.session))
    assert.equal("OK", p:registry():call("RECONNECT", serves.session))
    assert.equal(502, p:get("/", { host = "cart.example" }).status)
    assert.equal("PONG", new:call("PING"))
    assert.equal(too_many("too many sessions", "sessions", 3), p:registry():call("REGISTER", "last", "one", 0))
  end)

  it("does not stand in the way of a restarted service", function()
    local p, r = start { sessions = 1 }
    local again = session(p, "shop", "one")
    r:wait_closed()
    assert.equal("PONG", again:call("PING"))
  end)
end)

describe("the limit of routes", function()
  it("counts what is staged and live, and refuses a bulk as a whole", function()
    local _, r = start { routes_per_session = 3 }
    r:ok("ROUTE_ADD_BULK", bulk(1, 2))
    r:ok("CONFIG_APPLY")
    local refusal = too_many("too many routes", "routes_per_session", 3)
    assert.equal(refusal, r:call("ROUTE_ADD_BULK", bulk(3, 4)))
    assert.equal("ROUTE_OK|r3", r:call("ROUTE_ADD", "h3.example", "/", URL, 0))
    assert.equal(refusal, r:call("ROUTE_ADD", "h4.example", "/", URL, 0))
    assert.same({ used = 3, limit = 3, refused = 2 }, limits_of(r).routes_per_session)
    r:ok("ROUTE_REMOVE", "r1")
    assert.equal("ROUTE_OK|r4", r:call("ROUTE_ADD", "h4.example", "/", URL, 0))
    r:ok("CONFIG_APPLY")
    assert.equal(3, #cjson.decode(r:ok("ROUTE_LIST")))
  end)

  it("holds for the configuration file", function()
    local file = sys.temp_dir() .. "/many.lua"
    sys.write_file(file, ([[
      limits = { routes_per_session = 2 }
      routes = { { domains = "a", backend_url = %q }, { domains = "b", backend_url = %q },
        { domains = "c", backend_url = %q } }]]):format(URL, URL, URL))
    local code, _, err = proxy.run({ "--check", "--config", file })
    assert.equal(1, code)
    assert.truthy(err:find("many.lua:2: routes: too many routes: limits.routes_per_session = 2", 1, true), err)
  end)
end)

describe("limits of what one command may bring", function()
  it("hold for domains, added or changed", function()
    local _, r = start { domains_per_route = 2 }
    local refusal = too_many("too many domains", "domains_per_route", 2)
    assert.equal(refusal, r:call("ROUTE_ADD", "a.example,b.example,c.example", "/", URL, 0))
    assert.equal(refusal, r:call("ROUTE_ADD_BULK",
      cjson.encode({ { domains = { "a", "b", "c" }, path = "/", backend_url = URL } })))
    r:ok("ROUTE_ADD", "a.example,b.example", "/", URL, 0)
    assert.equal(refusal, r:call("ROUTE_UPDATE", "r1", "domains", "a.example,b.example,c.example"))
    assert.equal(3, limits_of(r).domains_per_route.refused)
  end)

  it("hold for headers of each target, not for one that is set anew", function()
    local _, r = start { headers_per_target = 2 }
    r:ok("ROUTE_ADD", "a.example", "/", URL, 0)
    for _, target in ipairs({ "ALL", "r1" }) do
      r:ok("HEADERS_SET", target, "X-A", "1")
      r:ok("HEADERS_SET", target, "X-B", "1")
      assert.equal(too_many("too many headers", "headers_per_target", 2), r:call("HEADERS_SET", target, "X-C", "1"))
      r:ok("HEADERS_SET", target, "x-a", "2")
      r:ok("HEADERS_REMOVE", target, "X-B")
      r:ok("HEADERS_SET", target, "X-C", "1")
    end
  end)

  it("hold for metadata", function()
    local p, r = start { metadata_size = 20 }
    local other = p:registry()
    assert.equal(too_many("metadata is too long", "metadata_size", 20),
      other:call("REGISTER", "cart", "one", 0, '{"a":"123456789012345"}'))
    other:register("cart", "one", 0, '{"a":"123456789012"}')
    assert.equal(1, limits_of(r).metadata_size.refused)
  end)
end)

describe("the limit of what is staged", function()
  local function fill(r)
    local value = ("v"):rep(4000)
    for i = 1, 1000 do
      local answer = r:call("HEADERS_SET", "ALL", "X-" .. i, value)
      if answer ~= "HEADERS_OK" then
        return answer, i
      end
    end
  end

  it("holds for texts of all kinds, and what is refused changes nothing", function()
    local p, r = start { staged_bytes = "64k", headers_per_target = 1000 }
    local refusal = too_many("too much is staged", "staged_bytes", 65536)
    local answer, count = fill(r)
    assert.equal(refusal, answer)
    assert.is_true(count > 12 and count < 17, count)
    assert.equal(refusal, r:call("ROUTE_ADD", "a.example", "/" .. ("p"):rep(1000), URL .. "/" .. ("q"):rep(2000), 0))
    assert.equal(refusal, r:call("ROUTE_ADD_BULK", bulk(1, 40)))
    assert.truthy(r:call("CONFIG_DIFF"):find(('"headers":{"added":%d,'):format(count - 1), 1, true))
    local limit = limits_of(r).staged_bytes
    assert.same({ 3, true, true }, { limit.refused, limit.used > 50000, limit.used <= 65536 })
    local other = session(p, "cart", "one")
    other:ok("ROUTE_ADD", "b.example", "/", URL, 0)
    r:ok("CONFIG_ROLLBACK")
    assert.equal("ROUTE_OK|r1", r:call("ROUTE_ADD", "a.example", "/", URL, 0))
  end)

  it("counts a text that is replaced once", function()
    local _, r = start { staged_bytes = "64k" }
    r:ok("ROUTE_ADD", "a.example", "/", URL, 0)
    for i = 1, 200 do
      r:ok("HEADERS_SET", "ALL", "X-A", ("v"):rep(4000))
      r:ok("ROUTE_UPDATE", "r1", "path", "/" .. ("p"):rep(1000) .. i)
    end
    r:ok("CONFIG_APPLY")
    r:ok("ROUTE_UPDATE", "r1", "path", "/")
    assert.is_true(limits_of(r).staged_bytes.used < 8000)
  end)

  it("holds for the domains of a change", function()
    local _, r = start { staged_bytes = "64k" }
    local url, domains = URL .. "/" .. ("u"):rep(1000), {}
    r:ok("ROUTE_ADD", "a.example", "/", url, 0)
    for i = 1, 100 do
      domains[i] = ("d%d.example"):format(i)
    end
    assert.equal(too_many("too much is staged", "staged_bytes", 65536),
      r:call("ROUTE_UPDATE", "r1", "domains", table.concat(domains, ",")))
  end)
end)
