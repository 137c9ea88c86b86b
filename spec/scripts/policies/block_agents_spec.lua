local behind = require("spec.scripts.policies.behind")

describe("the policy block_agents", function()
  local function status(b, agent)
    return b:get("/", { headers = { ["User-Agent"] = agent } }).status
  end

  it("turns away who has one of the texts in its name", function()
    local b = behind.start("block_agents", "agents=BadBot,curl/")
    assert.same({ 403, 403, 200, 200 }, { status(b, "Mozilla (badbot 1.0)"), status(b, "CURL/8"),
      status(b, "Mozilla"), status(b, nil) })
  end)

  it("turns away who has no name, where it is told so", function()
    local b = behind.start("block_agents", "empty=true")
    assert.same({ 403, 200 }, { status(b, nil), status(b, "x") })
  end)
end)
