-- A request that is tried again with a newer configuration, in which its group has another policy, or none.

local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

local function policy(name)
  return ([[
return {
  summary = "Says who it is.",
  on_request = function(req) req:set_header("X-Asked-%s", "1") end,
  on_response = function(res) res:set_header("X-Answered-%s", "1") end,
}
]]):format(name, name)
end

--- A GET under way at a backend that then dies, after another route has taken the place of its own.
-- @param name policy of the new route, or nil
-- @return the response; the request that the other backend got; the proxy
local function tried_again(name)
  local held
  local dying = origin.raw(function(bytes)
    origin.read_request(bytes)
    held = bytes
    loop.eventually(function() return held == nil end)
  end)
  local good = origin.start()
  local _, r, p = reloads.start {
    files = { ["policies/one.lua"] = policy("One"), ["policies/two.lua"] = policy("Two") },
  }
  local route = r:route { to = dying.url, host = "a.example", options = { policy = "one" } }
  local asking = loop.spawn(p.get, p, "/", { host = "a.example" })
  loop.eventually(function() return held end)
  r:ok("ROUTE_REMOVE", route)
  r:route { to = good.url, host = "a.example", options = { policy = name } }
  held = nil
  return loop.join(asking), good.requests[1], p
end

describe("a request that is tried again", function()
  it("goes without a policy when its group has none any more", function()
    local response, got, p = tried_again(nil)
    assert.same({ 200, nil }, { response.status, response.headers["X-Answered-One"] })
    assert.is_nil(got.headers["X-Asked-One"])
    assert.is_nil(p:log():find("level=error", 1, true))
  end)

  it("is shown to the policy that its group has now", function()
    local response, got = tried_again("two")
    assert.same({ 200, nil, "1" },
      { response.status, response.headers["X-Answered-One"], response.headers["X-Answered-Two"] })
    assert.same({ nil, "1" }, { got.headers["X-Asked-One"], got.headers["X-Asked-Two"] })
  end)

  it("keeps what a policy decided that its group still has", function()
    local response, got = tried_again("one")
    assert.same({ 200, "1" }, { response.status, response.headers["X-Answered-One"] })
    assert.equal("1", got.headers["X-Asked-One"])
  end)
end)
