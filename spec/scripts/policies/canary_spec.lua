local behind = require("spec.scripts.policies.behind")

local function start(args)
  local b = behind.start("canary", "to=two " .. args)
  return b, b:join("two")
end

local function send(b, count, headers)
  for _ = 1, count do
    assert.equal(200, b:get("/", { headers = headers }).status)
  end
end

describe("the policy canary", function()
  it("sends those with the header there, and no others", function()
    local b, canary = start("header=X-Canary")
    send(b, 6)
    assert.same({ 6, 0 }, { b.origin:count(), canary:count() })
    send(b, 3, { ["X-Canary"] = "please" })
    assert.same({ 6, 3 }, { b.origin:count(), canary:count() })
  end)

  it("sends those with the cookie there", function()
    local b, canary = start("cookie=canary")
    send(b, 3, { Cookie = "other=1; canary=1" })
    assert.equal(3, canary:count())
  end)

  it("sends a share of the others there", function()
    local b, canary = start("percent=30")
    send(b, 400)
    assert.is_true(canary:count() > 70 and canary:count() < 170, canary:count()) -- over 5 sigma
    assert.equal(400, b.origin:count() + canary:count())
  end)

  it("goes on with the others when the canary is gone, and the other way round", function()
    local b, canary = start("percent=100")
    canary:kill()
    send(b, 4)
    canary:restart()
    local c, one = start("percent=0")
    c.origin:kill()
    send(c, 4)
    assert.equal(4, one:count())
  end)
end)
