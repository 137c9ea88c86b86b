local conversation = require("spec.scripts.conversation")

local start, refused = conversation.start, conversation.refused

local TYPES = { "cert_renewed", "global_config_changed", "backend_health_changed", "circuit_changed",
  "drain_completed", "maintenance_changed", "all" }

describe("SUBSCRIBE and UNSUBSCRIBE", function()
  for _, kind in ipairs(TYPES) do
    it("take the type " .. kind, function()
      local r = start()
      assert.equal("SUBSCRIBE_OK", r:call("SUBSCRIBE", kind))
      assert.equal("SUBSCRIBE_OK", r:call("SUBSCRIBE", kind))
      assert.equal("UNSUBSCRIBE_OK", r:call("UNSUBSCRIBE", kind))
      assert.equal("UNSUBSCRIBE_OK", r:call("UNSUBSCRIBE", kind))
    end)
  end

  it("refuse unknown types by name", function()
    local r = start()
    refused("unknown event type: weather", r:call("SUBSCRIBE", "weather"))
    refused("unknown event type: ALL", r:call("SUBSCRIBE", "ALL"))
    refused("unknown event type: weather", r:call("UNSUBSCRIBE", "weather"))
  end)

  it("name missing fields and ones too many", function()
    local r = start()
    for _, command in ipairs({ "SUBSCRIBE", "UNSUBSCRIBE" }) do
      refused("missing field: type", r:call(command))
      refused("missing field: type", r:call(command, ""))
      refused("unexpected field: x", r:call(command, "all", "x"))
    end
  end)

  it("need a session", function()
    local _, p = start()
    refused("no session", p:registry():ask("SUBSCRIBE"))
    refused("session not found", p:registry():ask("SUBSCRIBE|x|all"))
  end)
end)

describe("a reload of the configuration", function()
  it("is told to who subscribed, and to nobody else", function()
    local r, p = start { workers = 1, config = { retries = 2 } }
    local quiet = p:registry()
    quiet:register("bar", "bar-1")
    r:ok("SUBSCRIBE", "global_config_changed")
    p:write_config { retries = 3 }
    p:reload()
    assert.is_truthy(r:wait_event("^EVENT|global_config_changed|{"))
    assert.equal("PONG", quiet:call("PING"))
    assert.same({}, quiet.events)
  end)
end)
