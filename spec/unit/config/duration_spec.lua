local unit = require("spec.support.unit")
local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "config/options.h")

local function parse(text)
  local ms = unit.ffi.new("uint64_t[1]")
  if lib.duration_parse(unit.slice(text), ms) then
    return tonumber(ms[0])
  end
  return nil
end

local READ = {
  ["300ms"] = 300,
  ["5s"] = 5000,
  ["1m30s"] = 90000,
  ["1.5h"] = 5400000,
  ["30"] = 30000,
  ["0"] = 0,
  ["0.25"] = 250,
  ["+5s"] = 5000,
  [".5s"] = 500,
  ["5.s"] = 5000,
  ["1h2m3s4ms"] = 3723004,
  ["1us"] = 1,
  ["1500\194\181s"] = 2,
  ["2000\206\188s"] = 2,
  ["1000000ns"] = 1,
  ["1000001ns"] = 2,
  ["0ns"] = 0,
  ["0.5ms"] = 1,
  ["876000h"] = 3153600000000,
}

local REFUSED = {
  "", "-1s", "-1", "s", "5x", "5 s", " 5s", "5s ", "1m30", "30s5", ".", ".s", "+", "1..5s", "1.5.5s",
  "876001h", "99999999999999999999", "99999999999999999999h", "5S", "0x5", "1e3", "5\0s", "five",
}

describe("duration", function()
  for text, ms in pairs(READ) do
    it(("%q is %d ms"):format(text, ms), function()
      assert.equal(ms, parse(text))
    end)
  end

  for _, text in ipairs(REFUSED) do
    it(("%q is refused"):format(text), function()
      assert.is_nil(parse(text))
    end)
  end

  it("that is absent is refused", function()
    assert.is_nil(parse(nil))
  end)
end)
