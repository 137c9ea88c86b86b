require("spec.lua.host")
local policy = require("policy")

local PATH = "policies/x.lua"

local function refusal(value, name)
  local ok, err = pcall(policy.define, name or "x", PATH, value)
  assert.is_false(ok)
  return err
end

local function hook() end

describe("a request policy", function()
  it("has one hook or both", function()
    local other = function() end
    assert.same({ hook, other, false },
      { policy.define("x", PATH, { summary = "", on_request = hook, on_response = other }) })
    local request, response = policy.define("x", PATH, { summary = "", on_response = other })
    assert.is_nil(request)
    assert.equal(other, response)
  end)

  it("says whether requests pass when it fails", function()
    local function closed(fail)
      return (select(3, policy.define("x", PATH, { summary = "", on_request = hook, fail = fail })))
    end
    assert.same({ false, false, true }, { closed(nil), closed("open"), closed("closed") })
  end)

  it("checks itself on trial, and only then", function()
    local ran = 0
    local own = { summary = "", on_request = hook, check = function()
      ran = ran + 1
      return nil, "no key"
    end }
    policy.define("x", PATH, own)
    assert.equal(0, ran)
    assert.equal("policies/x.lua: check: no key", select(2, pcall(policy.define, "x", PATH, own, true)))
    assert.equal(1, ran)
  end)

  local wrong = {
    ["policies/x.lua: must return a table"] = 5,
    ["policies/x.lua: summary is missing (a string)"] = { on_request = hook },
    ["policies/x.lua: on_request or on_response is missing (a function)"] = { summary = "" },
    ["policies/x.lua: on_request must be a function"] = { summary = "", on_request = 1 },
    ["policies/x.lua: unknown key on_error"] = { summary = "", on_request = hook, on_error = hook },
    ["policies/x.lua: fail must be \"open\""] = { summary = "", on_request = hook, fail = "half" },
  }
  for message, value in pairs(wrong) do
    it("is refused: " .. message, function()
      assert.equal(message, refusal(value):sub(1, #message))
    end)
  end

  it("has to have a name that the option policy can say", function()
    local good = { summary = "", on_request = hook }
    assert.truthy(refusal(good, "a b"):find("name is letters", 1, true))
    assert.truthy(refusal(good, ("x"):rep(65)):find("name is letters", 1, true))
  end)
end)
