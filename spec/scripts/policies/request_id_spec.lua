local behind = require("spec.scripts.policies.behind")

describe("the policy request_id", function()
  it("gives each request another id, for backend and client", function()
    local b, seen = behind.start("request_id"), {}
    for _ = 1, 20 do
      local id = b:get("/", { headers = { ["X-Request-Id"] = "mine" } }).headers["X-Request-Id"]
      assert.truthy(id:find("^%x+$") and #id == 32, id)
      assert.equal(id, b:received().headers["X-Request-Id"])
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("keeps the client's where it is told so, when it is harmless", function()
    local b = behind.start("request_id", "trust=true header=X-Trace")
    local function id(own)
      return b:get("/", { headers = { ["X-Trace"] = own } }).headers["X-Trace"]
    end
    assert.equal("a-1_b.2", id("a-1_b.2"))
    assert.not_equal("a b", id("a b"))
    assert.equal(32, #id(("x"):rep(65)))
    assert.equal(32, #id(nil))
  end)

  it("is in the proxy's own answers, too", function()
    local b = behind.start("request_id")
    b.origin:kill()
    assert.equal(32, #b:get("/").headers["X-Request-Id"])
  end)
end)
