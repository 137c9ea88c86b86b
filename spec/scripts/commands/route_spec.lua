local conversation = require("spec.scripts.conversation")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local BACKEND = "http://127.0.0.1:1"

local function list(r)
  return json(r:call("ROUTE_LIST"), "ROUTE_LIST_OK")
end

describe("ROUTE_ADD", function()
  it("stages a route and numbers it", function()
    local r = start()
    assert.equal("ROUTE_OK|r1", r:call("ROUTE_ADD", "a.example", "/", BACKEND, 0))
    assert.equal("ROUTE_OK|r2", r:call("ROUTE_ADD", "*.a.example,*", "/api", "http://[::1]:80/base", -5))
  end)

  it("takes no traffic before the apply, and all of it after", function()
    local o = origin.start(function() return { body = "hi" } end)
    local r, p = start()
    r:ok("ROUTE_ADD", "*", "/", o.url, 0)
    assert.equal(404, p:get("/").status)
    r:ok("CONFIG_APPLY")
    assert.equal("hi", p:get("/").body)
  end)

  it("names the field that is missing or empty", function()
    local r = start()
    local fields = { "a.example", "/", BACKEND }
    for i, name in ipairs({ "domains", "path", "backend_url", "priority" }) do
      refused("missing field: " .. name, r:call("ROUTE_ADD", unpack(fields, 1, i - 1)))
    end
    refused("missing field: domains", r:call("ROUTE_ADD", "", "/", BACKEND, 0))
    refused("missing field: path", r:call("ROUTE_ADD", "a.example", "", BACKEND, 0))
    refused("missing field: backend_url", r:call("ROUTE_ADD", "a.example", "/", "", 0))
    refused("missing field: priority", r:call("ROUTE_ADD", "a.example", "/", BACKEND, ""))
  end)

  it("names a field too many", function()
    refused("unexpected field: more", start():call("ROUTE_ADD", "a.example", "/", BACKEND, 0, "more"))
  end)

  it("refuses domains that are none", function()
    local r = start()
    for _, domain in ipairs({ "a b", "-a.example", "a..b", "*.*.example", "a.*", "http://a", "a/b",
      ("a"):rep(64) .. ".example", "a_$.example", "a.example:80" }) do
      local answer = r:call("ROUTE_ADD", domain, "/", BACKEND, 0)
      assert.is_truthy(answer:find("^ERROR|domains: "), domain .. " gave " .. answer)
    end
    refused("invalid domain: empty", r:call("ROUTE_ADD", "a.example,", "/", BACKEND, 0))
    refused("invalid domain: empty", r:call("ROUTE_ADD", "a.example,,b.example", "/", BACKEND, 0))
  end)

  it("refuses paths that do not start with a slash", function()
    local r = start()
    refused("path: has to start with /", r:call("ROUTE_ADD", "a.example", "api", BACKEND, 0))
    local answer = r:call("ROUTE_ADD", "a.example", "/x?y", BACKEND, 0)
    assert.is_truthy(answer:find("^ERROR|path: "), answer)
  end)

  it("refuses backends it cannot send requests to", function()
    local r = start()
    for _, url in ipairs({ "ftp://h", "h:80", "http://", "http://h:0", "http://h:65536", "http://h:x",
      "http://u@h", "http://h/?q", "http://h#f", "/x" }) do
      local answer = r:call("ROUTE_ADD", "a.example", "/", url, 0)
      assert.is_truthy(answer:find("^ERROR|backend_url: "), url .. " gave " .. answer)
    end
  end)

  it("refuses priorities that are no whole number or too far", function()
    local r = start()
    refused("invalid number: priority is not a whole number",
      r:call("ROUTE_ADD", "a.example", "/", BACKEND, "high"))
    refused("invalid number: priority is not a whole number",
      r:call("ROUTE_ADD", "a.example", "/", BACKEND, "1.5"))
    refused("invalid number: priority must be from -2147483647 to 2147483647",
      r:call("ROUTE_ADD", "a.example", "/", BACKEND, "2147483648"))
  end)

  it("refuses a repetition in domain, path and backend", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example,b.example", "/", BACKEND, 0)
    refused("duplicate route: r1", r:call("ROUTE_ADD", "b.example", "/", BACKEND, 9))
    refused("duplicate route: r1", r:call("ROUTE_ADD", "B.EXAMPLE", "/", BACKEND, 0))
    assert.equal("ROUTE_OK|r2", r:call("ROUTE_ADD", "b.example", "/x", BACKEND, 0))
    assert.equal("ROUTE_OK|r3", r:call("ROUTE_ADD", "b.example", "/", "http://127.0.0.1:2", 0))
  end)

  it("changes nothing when it is refused", function()
    local r = start()
    r:call("ROUTE_ADD", "a.example", "/", "ftp://x", 0)
    assert.same({}, list(r))
    assert.equal("ROUTE_OK|r1", r:call("ROUTE_ADD", "a.example", "/", BACKEND, 0))
  end)
end)

describe("ROUTE_ADD_BULK", function()
  local GOOD = '{"domains":["%s.example"],"path":"/","backend_url":"http://127.0.0.1:1","priority":0}'

  it("stages several routes", function()
    local r = start()
    local answer = r:call("ROUTE_ADD_BULK", "[" .. GOOD:format("a") .. "," .. GOOD:format("b") .. "]")
    assert.equal('ROUTE_BULK_OK|[{"route_id":"r1","status":"ok"},{"route_id":"r2","status":"ok"}]', answer)
    assert.equal(2, #list(r))
  end)

  it("takes a route without a priority, and an empty list", function()
    local r = start()
    assert.equal("ROUTE_BULK_OK|[]", r:call("ROUTE_ADD_BULK", "[]"))
    r:ok("ROUTE_ADD_BULK", '[{"domains":["a.example"],"path":"/","backend_url":"http://127.0.0.1:1"}]')
    assert.equal(0, list(r)[1].priority)
  end)

  it("takes bars in the JSON", function()
    local answer = start():call("ROUTE_ADD_BULK", '[{"domains":["a|b"],"path":"/","backend_url":"x"}]')
    assert.is_truthy(answer:find("^ERROR|index 0: domains: "), answer)
  end)

  it("is all or nothing, and names the position", function()
    local r = start()
    refused("index 1: duplicate route: r1",
      r:call("ROUTE_ADD_BULK", "[" .. GOOD:format("a") .. "," .. GOOD:format("a") .. "]"))
    assert.same({}, list(r))
    assert.equal('ROUTE_BULK_OK|[{"route_id":"r1","status":"ok"}]',
      r:call("ROUTE_ADD_BULK", "[" .. GOOD:format("a") .. "]"))
  end)

  local wrong = {
    ["5"] = "index 0: must be an object",
    ["{}"] = "index 0: missing field: domains",
    ['{"domains":["a"],"path":"/"}'] = "index 0: missing field: backend_url",
    ['{"domains":["a"],"backend_url":"http://h"}'] = "index 0: missing field: path",
    ['{"domains":[],"path":"/","backend_url":"http://h"}'] =
      "index 0: domains must be a list of at least one host name",
    ['{"domains":[5],"path":"/","backend_url":"http://h"}'] =
      "index 0: domains must be a list of at least one host name",
    ['{"domains":"a","path":"/","backend_url":"http://h"}'] =
      "index 0: domains must be a list of at least one host name",
    ['{"domains":["a"],"path":null,"backend_url":"http://h"}'] =
      "index 0: path and backend_url must be texts",
    ['{"domains":["a"],"path":"/","backend_url":"http://h","priority":"1"}'] =
      "index 0: priority must be a whole number",
    ['{"domains":["a"],"path":"/","backend_url":"http://h","priority":1.5}'] =
      "index 0: priority must be a whole number",
    ['{"domains":["a"],"path":"/","backend_url":"http://h","weight":1}'] =
      "index 0: unknown field: weight",
  }
  for text, reason in pairs(wrong) do
    it("refuses " .. text, function()
      refused(reason, start():call("ROUTE_ADD_BULK", "[" .. text .. "]"))
    end)
  end

  it("refuses what is no JSON list", function()
    local r = start()
    for _, text in ipairs({ "[", "{}", "5", "[]x", "null", "[{]" }) do
      refused("invalid routes json: a list of objects is needed", r:call("ROUTE_ADD_BULK", text))
    end
    refused("missing field: routes", r:call("ROUTE_ADD_BULK"))
  end)
end)

describe("ROUTE_UPDATE", function()
  it("stages a change of each field", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("CONFIG_APPLY")
    local changes = { backend_url = "http://127.0.0.1:2", priority = "7", domains = "x.example,y.example",
      path = "/new" }
    for field, value in pairs(changes) do
      assert.equal("ROUTE_OK", r:call("ROUTE_UPDATE", "r1", field, value))
    end
    local route = list(r)[1]
    assert.equal("staged", route.status)
    assert.equal("http://127.0.0.1:2", route.backend)
    assert.equal(7, route.priority)
    assert.same({ "x.example", "y.example" }, route.domains)
    assert.equal("/new", route.path)
  end)

  it("refuses unknown fields, unknown routes and wrong values", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("ROUTE_ADD", "b.example", "/", BACKEND, 0)
    refused("invalid field: color; use backend_url, priority, domains, path",
      r:call("ROUTE_UPDATE", "r1", "color", "red"))
    refused("route not found", r:call("ROUTE_UPDATE", "r9", "path", "/"))
    refused("route not found", r:call("ROUTE_UPDATE", "ALL", "path", "/"))
    refused("missing field: value", r:call("ROUTE_UPDATE", "r1", "path"))
    refused("missing field: value", r:call("ROUTE_UPDATE", "r1", "path", ""))
    refused("priority: has to be a whole number", r:call("ROUTE_UPDATE", "r1", "priority", "high"))
    refused("path: has to start with /", r:call("ROUTE_UPDATE", "r1", "path", "x"))
    refused("duplicate route: r2", r:call("ROUTE_UPDATE", "r1", "domains", "b.example"))
    assert.same({ "a.example" }, list(r)[1].domains)
  end)
end)

describe("ROUTE_REMOVE", function()
  it("stages the end of a route", function()
    local r, p = start()
    local o = origin.start(function() return { body = "hi" } end)
    r:route { to = o.url }
    assert.equal("ROUTE_OK", r:call("ROUTE_REMOVE", "r1"))
    assert.equal("pending_removal", list(r)[1].status)
    assert.equal(200, p:get("/").status)
    r:ok("CONFIG_APPLY")
    assert.equal(404, p:get("/").status)
    assert.same({}, list(r))
  end)

  it("forgets a route that was staged only, and never gives its id again", function()
    local r = start()
    r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
    r:ok("ROUTE_REMOVE", "r1")
    assert.same({}, list(r))
    assert.equal("ROUTE_OK|r2", r:call("ROUTE_ADD", "a.example", "/", BACKEND, 0))
  end)

  it("refuses an unknown route, a removed one too", function()
    local r = start()
    refused("route not found", r:call("ROUTE_REMOVE", "r1"))
    refused("route not found", r:call("ROUTE_REMOVE", "ALL"))
    refused("missing field: route", r:call("ROUTE_REMOVE"))
    r:route { to = BACKEND }
    r:ok("ROUTE_REMOVE", "r1")
    refused("route not found", r:call("ROUTE_REMOVE", "r1"))
  end)
end)
