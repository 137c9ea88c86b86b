local conversation = require("spec.scripts.conversation")
local origin = require("spec.support.origin")

local start, refused, json = conversation.start, conversation.refused, conversation.json

--- A session with one live route to an origin that says Server: theirs.
local function served()
  local o = origin.start(function() return { headers = { Server = "theirs" }, body = "hi" } end)
  local r, p = start()
  r:route { to = o.url }
  return r, p
end

describe("HEADERS_SET", function()
  it("sets a response header from the apply on, in place of the backend's own", function()
    local r, p = served()
    assert.equal("HEADERS_OK", r:call("HEADERS_SET", "r1", "server", "ours"))
    r:ok("HEADERS_SET", "ALL", "X-Frame-Options", "DENY")
    assert.equal("theirs", p:get("/").headers.Server)
    r:ok("CONFIG_APPLY")
    local response = p:get("/")
    assert.same({ "ours" }, response:values("Server"))
    assert.same({ "DENY" }, response:values("X-Frame-Options"))
  end)

  it("takes the rest of the line as the value, without blanks at its ends", function()
    local r, p = served()
    assert.equal("HEADERS_OK", r:call("HEADERS_SET", "r1", "X-Bars", "  a|b|  c "))
    r:ok("CONFIG_APPLY")
    assert.same({ "a|b|  c" }, p:get("/"):values("X-Bars"))
  end)

  it("prefers a route's own header to that of ALL, whatever came last", function()
    local r, p = served()
    r:ok("HEADERS_SET", "r1", "X-A", "own")
    r:ok("HEADERS_SET", "ALL", "x-a", "all")
    r:ok("CONFIG_APPLY")
    assert.same({ "own" }, p:get("/"):values("X-A"))
  end)

  it("holds for routes that come after ALL", function()
    local r, p = start()
    r:ok("HEADERS_SET", "ALL", "X-A", "all")
    r:ok("CONFIG_APPLY")
    local o = origin.start(function() return { body = "hi" } end)
    r:route { to = o.url }
    assert.same({ "all" }, p:get("/"):values("X-A"))
  end)

  it("refuses headers that the proxy writes itself", function()
    local r = start()
    for _, name in ipairs({ "Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "Upgrade",
      "TE", "Trailer", "Proxy-Connection" }) do
      refused("name: " .. name .. " is the proxy's own to set", r:call("HEADERS_SET", "ALL", name, "x"))
    end
  end)

  it("refuses names that are none", function()
    local r = start()
    refused('name: "X A" is not a header name', r:call("HEADERS_SET", "ALL", "X A", "x"))
    refused('name: "X:" is not a header name', r:call("HEADERS_SET", "ALL", "X:", "x"))
    refused("missing field: name", r:call("HEADERS_SET", "ALL", "", "x"))
  end)

  it("refuses unknown targets and missing fields", function()
    local r = start()
    refused("route not found", r:call("HEADERS_SET", "r1", "X-A", "x"))
    refused("missing field: target", r:call("HEADERS_SET"))
    refused("missing field: name", r:call("HEADERS_SET", "ALL"))
    refused("missing field: value", r:call("HEADERS_SET", "ALL", "X-A"))
  end)

  it("stages nothing when it is refused", function()
    local r = start()
    r:call("HEADERS_SET", "r1", "X-A", "x")
    assert.equal(0, json(r:call("CONFIG_DIFF"), "DIFF_OK").headers.added)
  end)
end)

describe("HEADERS_REMOVE", function()
  it("undoes a HEADERS_SET, whatever its case", function()
    local r, p = served()
    r:ok("HEADERS_SET", "ALL", "Server", "ours")
    r:ok("CONFIG_APPLY")
    assert.equal("HEADERS_OK", r:call("HEADERS_REMOVE", "ALL", "SERVER"))
    r:ok("CONFIG_APPLY")
    assert.same({ "theirs" }, p:get("/"):values("Server"))
  end)

  it("refuses what was never set", function()
    local r = served()
    refused("headers not set: X-A", r:call("HEADERS_REMOVE", "ALL", "X-A"))
    r:ok("HEADERS_SET", "ALL", "X-A", "x")
    refused("headers not set: X-A", r:call("HEADERS_REMOVE", "r1", "X-A"))
  end)

  it("refuses unknown targets, missing fields and ones too many", function()
    local r = start()
    refused("route not found", r:call("HEADERS_REMOVE", "r9", "X-A"))
    refused("missing field: target", r:call("HEADERS_REMOVE"))
    refused("missing field: name", r:call("HEADERS_REMOVE", "ALL"))
    refused("unexpected field: x", r:call("HEADERS_REMOVE", "ALL", "X-A", "x"))
  end)
end)
