require("spec.lua.host")
local lines = require("config.lines")

describe("the lines of settings", function()
  it("are found for assignments and fields", function()
    local found = lines.find("a = 1\nb = {\n  c = 2,\n  d = { e = 3 },\n}\n")
    assert.same({ a = 1, b = 2, ["b.c"] = 3, ["b.d"] = 4, ["b.d.e"] = 4 }, found)
  end)

  it("are found for entries of lists by their number", function()
    local found = lines.find("l = { 1,\n 2,\n { x = 1 },\n}")
    assert.equal(1, found["l.1"])
    assert.equal(2, found["l.2"])
    assert.equal(3, found["l.3.x"])
  end)

  it("count only entries without a key", function()
    local found = lines.find("l = {\n a = 1,\n {},\n b = 2,\n {} }")
    assert.equal(3, found["l.1"])
    assert.equal(5, found["l.2"])
  end)

  it("are found for keys in brackets and with dots", function()
    local found = lines.find("h = {\n ['X-A'] = 1 }\nh.b = 2")
    assert.equal(2, found["h.X-A"])
    assert.equal(3, found["h.b"])
  end)

  it("are found in a returned table", function()
    assert.same({ a = 2, ["a.b"] = 3 }, lines.find("return {\n a = {\n  b = 1 } }"))
  end)

  it("are not misled by comments and texts", function()
    local text = "-- a = 1\n--[[ a = 2\n a = 3 ]] s = \"a = 4 \\\" { \" t = [[\n{ a = 5 ]]\na = { 'x = 1', y = 2 }"
    local found = lines.find(text)
    assert.equal(5, found.a)
    assert.equal(5, found["a.y"])
    assert.equal(3, found.s)
    assert.is_nil(found["a.x"])
  end)

  it("do not take a comparison for a key", function()
    assert.is_nil(lines.find("l = { a == 1 }")["l.a"])
  end)

  it("end where the text ends, whatever is open", function()
    for _, text in ipairs({ "", "a = {", "a = \"", "--[[", "[==[", "}", "a = { [" }) do
      lines.find(text)
    end
  end)
end)

describe("the line of a path", function()
  it("is that of the closest table when it stands nowhere", function()
    local found = lines.find("\na = {\n b = {} }")
    assert.equal(3, lines.of(found, "a.b.c"))
    assert.equal(2, lines.of(found, "a.x"))
    assert.equal(1, lines.of(found, "nothing"))
  end)
end)
