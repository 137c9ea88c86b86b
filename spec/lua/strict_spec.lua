require("spec.lua.host")
local strict = require("strict")

describe("a sealed table", function()
  it("gives what it has", function()
    assert.equal(1, strict.seal({ one = 1 }, "field").one)
  end)

  it("raises for a name that nobody defined, naming it", function()
    local values = strict.seal({}, "field of numbers")
    assert.has_error(function() return values.two end, "undefined field of numbers: two")
  end)

  it("takes new names unless it is sealed against them", function()
    local open = strict.seal({}, "field")
    open.two = 2
    assert.equal(2, open.two)
    local closed = strict.seal({}, "global", true)
    assert.has_error(function() closed.two = 2 end, "global may not be set: two; use local")
  end)

  it("hides its metatable", function()
    assert.equal("strict", getmetatable(strict.seal({}, "field")))
  end)
end)
