local behind = require("spec.scripts.policies.behind")

describe("the policy address_filter", function()
  local function status(b, source, headers)
    return b:get("/", { source = source, headers = headers }).status
  end

  it("turns away those that are denied", function()
    local b = behind.start("address_filter", "deny=127.0.0.2,127.1.0.0/16")
    assert.same({ 200, 403, 403, 200 }, { status(b, "127.0.0.1"), status(b, "127.0.0.2"),
      status(b, "127.1.2.3"), status(b, "127.2.0.1") })
  end)

  it("turns away those that are not allowed, and of those the denied", function()
    local b = behind.start("address_filter", "allow=127.1.0.0/16 deny=127.1.2.0/24")
    assert.same({ 403, 200, 403 }, { status(b, "127.0.0.1"), status(b, "127.1.1.1"), status(b, "127.1.2.3") })
  end)

  it("believes trusted proxies alone about the client's address", function()
    local forwarded = { ["X-Forwarded-For"] = "192.0.2.7" }
    local args = "allow=192.0.2.0/24"
    local trusting = behind.start("address_filter", args, { config = { trusted_proxies = { "127.0.0.0/8" } } })
    assert.equal(200, status(trusting, "127.0.0.1", forwarded))
    assert.equal(403, status(behind.start("address_filter", args), "127.0.0.1", forwarded))
  end)

  it("lets nobody pass when it is told nothing, or nonsense", function()
    assert.equal(503, status(behind.start("address_filter"), "127.0.0.1"))
    assert.equal(503, status(behind.start("address_filter", "deny=10.0.0"), "127.0.0.1"))
  end)
end)
