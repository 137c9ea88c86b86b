local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function started(names)
  local d = dns.start(names)
  return d, proxy.start { config = { resolver = { servers = { d.address } }, timeouts = { resolve = "1s" } } }
end

describe("a backend's name", function()
  it("is resolved before CONFIG_APPLY is answered", function()
    local o = origin.start()
    local d, p = started { ["svc.test"] = { ttl = 60, "127.0.0.1" } }
    local s = p:registry()
    s:register("spec", "one")
    s:route { to = "http://svc.test:" .. o.port }

    assert.equal(200, p:get("/").status)
    assert.equal(1, d.queries["svc.test"])
  end)

  it("is asked for again when its TTL has passed, and a new address is used", function()
    local old = origin.start { body = "old" }
    local new = origin.start({ body = "new" }, { host = "127.0.0.2", port = old.port })
    local d, p = started { ["svc.test"] = { ttl = 1, "127.0.0.1" } }
    local s = p:registry()
    s:register("spec", "one")
    s:route { to = "http://svc.test:" .. old.port }
    assert.equal("old", p:get("/").body)
    d.names["svc.test"] = { ttl = 60, "127.0.0.2" }

    loop.eventually(function()
      return p:get("/").body == "new"
    end)
    assert.equal(1, new.accepted > 0 and 1 or 0)
  end)

  it("keeps its addresses when the name server goes quiet", function()
    local o = origin.start()
    local d, p = started { ["svc.test"] = { ttl = 1, "127.0.0.1" } }
    local s = p:registry()
    s:register("spec", "one")
    s:route { to = "http://svc.test:" .. o.port }
    d.names["svc.test"] = nil
    loop.eventually(function()
      return d.queries["svc.test"] >= 2
    end)

    assert.equal(200, p:get("/").status)
  end)

  it("with several addresses spreads over those that answer", function()
    local a = origin.start { body = "a" }
    local b = origin.start({ body = "b" }, { host = "127.0.0.2", port = a.port })
    local _, p = started { ["svc.test"] = { ttl = 60, "127.0.0.1", "127.0.0.2", "127.0.0.3" } }
    local s = p:registry()
    s:register("spec", "one")
    s:route { to = "http://svc.test:" .. a.port }
    for _ = 1, 60 do
      assert.equal(200, p:get("/").status)
    end

    assert.is_true(a:count() > 5 and b:count() > 5)
  end)

  it("that nobody answers for does not hold CONFIG_APPLY up for ever", function()
    local d, p = started {}
    d.mute = true
    local s = p:registry()
    s:register("spec", "one")
    s:ok("ROUTE_ADD", "*", "/", "http://svc.test:1", 0)

    assert.equal("OK", s:call("CONFIG_APPLY"))
    assert.equal(502, p:get("/").status)
  end)
end)
