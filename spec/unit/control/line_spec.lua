local unit = require("spec.support.unit")

local lib = unit.load("base/slice.h", "control/line.h")

--- nil for a line that is fit, else the reason.
local function check(text)
  local reason = lib.line_check(unit.slice(text))
  return reason ~= nil and unit.ffi.string(reason) or nil
end

describe("line_check", function()
  it("lets text pass, of one to four bytes a character", function()
    assert.is_nil(check("REGISTER|shop|\195\164|\226\130\172|\240\159\152\128~"))
    assert.is_nil(check(""))
  end)

  it("refuses control bytes", function()
    for _, byte in ipairs({ 0, 1, 9, 13, 27, 31, 127 }) do
      assert.equal("invalid character", check("PING|" .. string.char(byte)))
    end
  end)

  for text, bytes in pairs({
    ["a continuation without a start"] = "\128", ["a start without its continuation"] = "\195",
    ["a start before a letter"] = "\195a", ["a slash in two bytes"] = "\192\175",
    ["a slash in three bytes"] = "\224\128\175", ["a surrogate"] = "\237\160\128",
    ["more than U+10FFFF"] = "\244\144\128\128", ["a byte that UTF-8 never has"] = "\255",
    ["four bytes for what fits in three"] = "\240\143\191\191",
    ["a cut of the last character"] = "\226\130",
  }) do
    it("refuses " .. text, function()
      assert.equal("invalid utf-8", check("PING|" .. bytes))
    end)
  end

  it("names what comes first", function()
    assert.equal("invalid utf-8", check("\255\0"))
    assert.equal("invalid character", check("\0\255"))
  end)
end)
