require("spec.lua.host")
local suggest = require("config.suggest")

describe("a suggestion", function()
  local known = { "timeouts", "limits", "workers" }

  it("is the closest known word", function()
    assert.equal("timeouts", suggest.closest("timeout", known))
    assert.equal("workers", suggest.closest("Wrokers", known))
  end)

  it("is not made for what is like nothing", function()
    assert.is_nil(suggest.closest("colour", known))
  end)

  it("becomes the list of all words then", function()
    assert.equal('; did you mean "limits"?', suggest.advice("limit", known))
    assert.equal("; known are timeouts, limits, workers", suggest.advice("colour", known))
  end)

  it("copes with long words", function()
    assert.is_nil(suggest.closest(("x"):rep(100000), known))
  end)
end)
