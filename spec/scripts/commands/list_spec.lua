local conversation = require("spec.scripts.conversation")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local BACKEND = "http://127.0.0.1:1"

--- Stages the routes from first to last, with long domains: about 400 bytes each in a list.
local function many(r, first, last)
  local domain = ("%s.%s.example"):format(("a"):rep(60), ("b"):rep(60))
  for i = first, last do
    r:send(r:format("ROUTE_ADD", ("h%d.%s,g%d.%s"):format(i, domain, i, domain), "/", BACKEND, 0) .. "\n")
  end
  for _ = first, last do
    assert.is_truthy(r:receive():find("^ROUTE_OK"))
  end
end

describe("ROUTE_LIST", function()
  it("is empty at first", function()
    assert.equal("ROUTE_LIST_OK|[]", start():call("ROUTE_LIST"))
  end)

  it("tells all of a route", function()
    local r = start()
    r:ok("ROUTE_ADD", "A.example,*.b.example", "/api", BACKEND, -3)
    local expected = { route_id = "r1", id = "r1", domains = { "a.example", "*.b.example" }, path = "/api",
      backend = BACKEND, priority = -3, status = "staged" }
    assert.same({ expected }, json(r:call("ROUTE_LIST"), "ROUTE_LIST_OK"))
  end)

  it("tells what is live, staged and about to go, in the order of ids", function()
    local r = start()
    for i = 1, 3 do
      r:ok("ROUTE_ADD", ("h%d.example"):format(i), "/", BACKEND, 0)
    end
    r:ok("CONFIG_APPLY")
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("ROUTE_UPDATE", "r3", "priority", 1)
    r:ok("ROUTE_ADD", "h4.example", "/", BACKEND, 0)
    local seen = {}
    for i, route in ipairs(json(r:call("ROUTE_LIST"), "ROUTE_LIST_OK")) do
      seen[i] = route.route_id .. " " .. route.status
    end
    assert.same({ "r1 pending_removal", "r2 active", "r3 staged", "r4 staged" }, seen)
  end)

  it("shows a session's own routes alone", function()
    local r, p = start()
    r:route { to = BACKEND }
    local other = p:registry()
    other:register("bar", "bar-1")
    assert.equal("ROUTE_LIST_OK|[]", other:call("ROUTE_LIST"))
  end)

  it("is refused when its line would be longer than 64 KiB, and compressed on demand", function()
    local r = start()
    many(r, 1, 150)
    local answer = r:call("ROUTE_LIST")
    assert.is_true(#answer < 65536 and #answer > 50000, #answer)
    many(r, 151, 200)
    refused("response too large, use compressed", r:call("ROUTE_LIST"))
    refused("txn-7|response too large, use compressed", r:call("ROUTE_LIST", "txn-7"))
    local list = conversation.unpack(r:call("ROUTE_LIST", "compressed"), "ROUTE_LIST_OK")
    assert.equal(200, #list)
    assert.equal("r200", list[200].route_id)
  end)

  it("knows no other form", function()
    local r = start()
    refused("invalid form: zip; use compressed", r:call("ROUTE_LIST", "zip"))
    refused("unexpected field: x", r:call("ROUTE_LIST", "compressed", "x"))
  end)

  it("is complete when it is compressed and short", function()
    local r = start()
    r:route { to = BACKEND }
    local plain = json(r:call("ROUTE_LIST"), "ROUTE_LIST_OK")
    assert.same(plain, conversation.unpack(r:call("ROUTE_LIST", "compressed"), "ROUTE_LIST_OK"))
  end)
end)
