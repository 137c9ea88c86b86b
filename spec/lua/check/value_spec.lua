require("spec.lua.host")
local check = require("check")

--- The check's results as one list, so that value and reason are compared together.
local function run(test, text)
  return { test(text, "field") }
end

local function refuses(reason, test, text)
  assert.same({ [2] = reason }, run(test, text))
end

describe("check.text", function()
  it("takes any text but an empty one", function()
    assert.same({ "x" }, run(check.text, "x"))
    refuses("missing field: field", check.text, "")
  end)
end)

describe("check.name", function()
  it("takes texts up to its limit", function()
    assert.same({ "abc" }, run(check.name(3), "abc"))
    refuses("field too long: 4 bytes, at most 3", check.name(3), "abcd")
    refuses("missing field: field", check.name(3), "")
  end)
end)

describe("check.whole", function()
  local test = check.whole(-5, 5)

  it("takes whole numbers of its range", function()
    for _, number in ipairs({ -5, 0, 5 }) do
      assert.same({ number }, run(test, tostring(number)))
    end
  end)

  it("refuses what is no whole number", function()
    for _, text in ipairs({ "1.5", "x", "1e2", "0x1", " 1", "--1", "+1", ("1"):rep(20) }) do
      refuses("invalid number: field is not a whole number", test, text)
    end
  end)

  it("refuses what is out of range, saying the range", function()
    refuses("invalid number: field must be from -5 to 5", test, "6")
    refuses("invalid number: field must be from -5 to 5", test, "-6")
  end)

  it("calls an empty field missing", function()
    refuses("missing field: field", test, "")
  end)
end)

describe("check.duration", function()
  it("reads Go durations and bare seconds to milliseconds", function()
    local cases = { ["300ms"] = 300, ["5s"] = 5000, ["1m30s"] = 90000, ["1.5h"] = 5400000, ["30"] = 30000,
      ["0"] = 0, ["0s"] = 0 }
    for text, ms in pairs(cases) do
      assert.same({ ms }, run(check.duration, text))
    end
  end)

  it("refuses what is negative, empty or unreadable", function()
    for _, text in ipairs({ "-1s", "-5", "", "x", "1x", "s", "1s s" }) do
      refuses("invalid duration: field", check.duration, text)
    end
  end)
end)

describe("check.period", function()
  it("takes durations longer than zero", function()
    assert.same({ 1 }, run(check.period, "1ms"))
    refuses("invalid duration: field must be longer than 0", check.period, "0s")
    refuses("invalid duration: field", check.period, "soon")
  end)
end)

describe("check.port", function()
  it("takes 0 to 65535, and nothing as 0", function()
    assert.same({ 0 }, run(check.port, ""))
    assert.same({ 65535 }, run(check.port, "65535"))
    for _, text in ipairs({ "65536", "-1", "x", "123456", "8080/tcp" }) do
      refuses("invalid port: field", check.port, text)
    end
  end)
end)

describe("check.one_of", function()
  it("takes its words and names them when it refuses", function()
    assert.same({ "b" }, run(check.one_of("a", "b"), "b"))
    refuses("invalid field: c; use a, b", check.one_of("a", "b"), "c")
  end)
end)

describe("check.some_of", function()
  local test = check.some_of("scope", "routes", "headers")

  it("takes a list of its words", function()
    assert.same({ { "headers", "routes" } }, run(test, "headers, routes"))
  end)

  it("refuses an unknown word, naming it, and an empty one", function()
    refuses("unknown scope: colour", test, "routes,colour")
    refuses("missing field: field", test, "")
    refuses("missing field: field", test, "routes,")
  end)
end)

describe("check.domains", function()
  it("splits at commas and trims", function()
    assert.same({ { "a", "b" } }, run(check.domains, "a, b"))
  end)

  it("refuses an empty domain", function()
    refuses("missing field: field", check.domains, "")
    refuses("invalid domain: empty", check.domains, "a,,b")
    refuses("invalid domain: empty", check.domains, "a,")
  end)
end)

describe("check.route", function()
  it("takes a route id, not ALL", function()
    assert.same({ "r1" }, run(check.route, "r1"))
    refuses("route not found", check.route, "ALL")
  end)
end)

describe("a misspelt check", function()
  it("is an error where it is named", function()
    assert.has_error(function() return check.durration end, "undefined check: durration")
  end)
end)
