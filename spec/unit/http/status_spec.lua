local unit = require("spec.support.unit")
local lib = unit.load("base/slice.h", "http/status.h")

local function reason(status)
  return unit.text(lib.http_status_reason(status))
end

describe("status", function()
  it("has its registered reason phrase", function()
    assert.equal("Continue", reason(100))
    assert.equal("OK", reason(200))
    assert.equal("Not Found", reason(404))
    assert.equal("Content Too Large", reason(413))
    assert.equal("Too Many Requests", reason(429))
    assert.equal("Gateway Timeout", reason(504))
    assert.equal("Network Authentication Required", reason(511))
  end)

  it("without one is Unknown", function()
    for _, status in ipairs({ 0, -1, 99, 299, 418, 599, 999 }) do
      assert.equal("Unknown", reason(status))
    end
  end)

  it("1xx, 204 and 304 have no body, all others may", function()
    for status = 100, 599 do
      local without = status < 200 or status == 204 or status == 304
      assert.equal(not without, lib.http_status_has_body(status))
    end
  end)
end)
