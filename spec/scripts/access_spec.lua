local conversation = require("spec.scripts.conversation")
local proxy = require("spec.support.proxy")

local start, refused = conversation.start, conversation.refused

describe("a registry token", function()
  local function locked()
    return proxy.start { workers = 1, config = { registry_token = "open|sesame" } }
  end

  it("is needed before every command", function()
    local r = locked():registry()
    for _, line in ipairs({ "REGISTER|a|b|0", "PING|x", "RECONNECT|x", "NOPE", "ROUTE_LIST" }) do
      refused("unauthorized", r:ask(line))
    end
  end)

  it("is accepted by AUTH, bars included, once for the connection", function()
    local p = locked()
    local r = p:registry()
    assert.equal("OK", r:ask("AUTH|open|sesame"))
    assert.is_truthy(r:register("a", "b"))
    refused("unauthorized", p:registry():ask("PING|" .. r.session))
  end)

  it("is refused when it is wrong, and may be tried again", function()
    local r = locked():registry()
    for _, token in ipairs({ "open", "open|sesame ", "open|sesamE", "open|sesameopen|sesame" }) do
      refused("unauthorized", r:ask("AUTH|" .. token))
    end
    refused("missing field: token", r:ask("AUTH|"))
    refused("missing field: token", r:ask("AUTH"))
    assert.equal("OK", r:ask("AUTH|open|sesame"))
  end)

  it("is not needed when none is set, and AUTH does no harm", function()
    local r = proxy.start { workers = 1 }:registry()
    assert.equal("OK", r:ask("AUTH|whatever"))
    assert.is_truthy(r:register("a", "b"))
  end)
end)

describe("a bound connection", function()
  it("speaks for its own session alone", function()
    local r, p = start()
    local other = p:registry()
    other:register("shop", "shop-2")
    refused("invalid session", r:ask("PING|" .. other.session))
    refused("invalid session", r:ask("PING|nonsense"))
    refused("invalid session", r:ask("PING"))
    assert.equal("PONG", r:call("PING"))
  end)
end)

describe("a connection that is not bound", function()
  it("acts on a living session it names, without binding", function()
    local r, p = start()
    local other = p:registry()
    assert.equal("ROUTE_OK|r1",
      other:ask(("ROUTE_ADD|%s|a.example|/|http://127.0.0.1:1|0"):format(r.session)))
    assert.equal("OK", other:ask("CONFIG_APPLY|" .. r.session))
    assert.equal("r1", conversation.json(r:call("ROUTE_LIST"), "ROUTE_LIST_OK")[1].route_id)
    local third = p:registry()
    third:register("bar", "bar-1")
    assert.equal("PONG", other:ask("PING|" .. third.session))
    other:close()
    assert.equal("PONG", r:call("PING"))
  end)

  it("is told when the session does not live", function()
    local r = proxy.start { workers = 1 }:registry()
    refused("session not found", r:ask("PING|0123456789abcdef0123456789abcdef"))
    refused("session not found", r:ask("ROUTE_LIST|x"))
  end)

  it("is told when it names no session", function()
    local r = proxy.start { workers = 1 }:registry()
    for _, line in ipairs({ "PING", "PING|", "ROUTE_LIST", "CONFIG_APPLY||" }) do
      refused("no session", r:ask(line))
    end
  end)
end)

describe("a command that does not exist", function()
  it("is refused by name, whatever the session", function()
    local r, p = start()
    refused("unknown command: FOO", r:ask("FOO"))
    refused("unknown command: FOO", r:ask("FOO|wrong|x"))
    refused("unknown command: ping", r:call("ping"))
    refused("unknown command: FOO", p:registry():ask("FOO"))
  end)

  it("is refused in a short line even when its name is long", function()
    local r = start()
    local answer = r:ask(("F"):rep(10000))
    assert.is_truthy(answer:find("^ERROR|unknown command: FFF"))
    assert.is_true(#answer < 2000)
  end)
end)
