local conversation = require("spec.scripts.conversation")

local start, refused = conversation.start, conversation.refused

local BACKEND = "http://127.0.0.1:1"

--- Two services; the first has shop.example/ live.
local function two_services()
  local owner, p = start()
  owner:ok("ROUTE_ADD", "shop.example", "/", BACKEND, 0)
  assert.equal("OK", owner:call("CONFIG_APPLY"))
  local other = p:registry()
  other:register("thief", "thief-1")
  return owner, other, p
end

local TAKEN = "unauthorized: shop.example/ belongs to service shop"

describe("a place that is live under one service name", function()
  it("is refused to another one when it is staged", function()
    local _, other = two_services()
    refused(TAKEN, other:call("ROUTE_ADD", "shop.example", "/", BACKEND, 5))
    refused(TAKEN, other:call("ROUTE_ADD", "free.example,SHOP.example.", "/", BACKEND, 0))
    refused("txn-7|" .. TAKEN, other:call("ROUTE_ADD", "txn-7", "shop.example", "/", BACKEND, 0))
  end)

  it("is the same place with a slash at its end", function()
    local owner, other = two_services()
    owner:ok("ROUTE_ADD", "shop.example", "/api", BACKEND, 0)
    owner:ok("CONFIG_APPLY")
    refused("unauthorized: shop.example/api/ belongs to service shop",
      other:call("ROUTE_ADD", "shop.example", "/api/", BACKEND, 0))
  end)


  it("is refused in bulk, and nothing of it is staged", function()
    local _, other = two_services()
    local bulk = '[{"domains":["free.example"],"path":"/","backend_url":"http://127.0.0.1:1"},'
      .. '{"domains":["shop.example"],"path":"/","backend_url":"http://127.0.0.1:1"}]'
    refused(TAKEN, other:call("ROUTE_ADD_BULK", bulk))
    assert.equal("ROUTE_LIST_OK|[]", other:call("ROUTE_LIST"))
  end)

  it("is refused to a route that is changed to it", function()
    local _, other = two_services()
    local by_domain = other:ok("ROUTE_ADD", "free.example", "/", BACKEND, 0)
    local by_path = other:ok("ROUTE_ADD", "shop.example", "/free", BACKEND, 0)
    refused(TAKEN, other:call("ROUTE_UPDATE", by_domain, "domains", "free.example,shop.example"))
    refused(TAKEN, other:call("ROUTE_UPDATE", by_path, "path", "/"))
    assert.equal("ROUTE_OK", other:call("ROUTE_UPDATE", by_path, "path", "/else"))
    assert.equal("ROUTE_OK", other:call("ROUTE_UPDATE", by_path, "priority", 7))
  end)

  it("is refused again at apply, when it was taken meanwhile", function()
    local owner, p = start()
    local other = p:registry()
    other:register("thief", "thief-1")
    other:ok("ROUTE_ADD", "shop.example", "/", BACKEND, 0)
    owner:ok("ROUTE_ADD", "shop.example", "/", BACKEND, 0)
    owner:ok("CONFIG_APPLY")
    refused(TAKEN, other:call("CONFIG_APPLY"))
    refused(TAKEN, other:call("CONFIG_APPLY_PARTIAL", "routes"))
    assert.equal(0, conversation.json(other:call("SESSION_INFO"), "SESSION_OK").routes_active)
  end)

  it("is shared by the instances of the service", function()
    local _, _, p = two_services()
    local twin = p:registry()
    twin:register("shop", "shop-2")
    assert.equal("ROUTE_OK|r1", twin:call("ROUTE_ADD", "shop.example", "/", "http://127.0.0.1:2", 0))
    assert.equal("OK", twin:call("CONFIG_APPLY"))
  end)

  it("is one place; other paths and domains are free", function()
    local _, other = two_services()
    other:ok("ROUTE_ADD", "shop.example", "/other", BACKEND, 0)
    other:ok("ROUTE_ADD", "www.shop.example", "/", BACKEND, 0)
    assert.equal("OK", other:call("CONFIG_APPLY"))
  end)

  it("is free again when its service has gone", function()
    local owner, other = two_services()
    owner:call("CLIENT_SHUTDOWN")
    other:ok("ROUTE_ADD", "shop.example", "/", BACKEND, 0)
    assert.equal("OK", other:call("CONFIG_APPLY"))
  end)
end)
