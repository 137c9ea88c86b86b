require("spec.lua.host")
local check = require("check")
local command = require("registry.command")

local function spec(changes)
  local result = {
    name = "PAINT", summary = "Paint.", args = {}, reply = "OK", since = "0.1",
    run = function() end,
  }
  for key, value in pairs(changes or {}) do
    result[key] = value
  end
  return result
end

local function refuses(message, changes)
  assert.has_error(function() command.check("paint.lua", spec(changes)) end, "paint.lua: " .. message)
end

describe("a command's table", function()
  it("is taken when it is complete", function()
    command.check("paint.lua", spec({ args = { { "colour", check.text } }, aliases = { "PAINT_IT" } }))
  end)

  it("needs its keys", function()
    local lacking = spec()
    lacking.run = nil
    assert.has_error(function() command.check("paint.lua", lacking) end,
      "paint.lua: command PAINT: run is missing (a function)")
  end)

  it("has its keys' types", function()
    refuses("command PAINT: summary must be a string", { summary = 1 })
  end)

  it("has no other keys", function()
    refuses("command PAINT: unknown key color", { color = "red" })
  end)

  it("has a name the protocol can carry", function()
    refuses("command paint: names are capital letters, digits and _", { name = "paint" })
    refuses("command A|B: names are capital letters, digits and _", { aliases = { "A|B" } })
  end)

  it("says how it needs a session with a known word", function()
    refuses("command PAINT: session must be required, id or none", { session = "maybe" })
  end)

  it("has arguments of a name and a check", function()
    refuses('command PAINT: argument 1 must be { "name", check }', { args = { { "colour" } } })
    refuses("command PAINT: argument colour: unknown key optinal",
      { args = { { "colour", check.text, optinal = true } } })
  end)

  it("lets only the last argument take the rest", function()
    refuses("command PAINT: only the last argument can take the rest of the line",
      { args = { { "a", check.text, rest = true }, { "b", check.text } } })
  end)

  it("has optional arguments at its end", function()
    refuses("command PAINT: argument b follows an optional one",
      { args = { { "a", check.text, optional = true }, { "b", check.text } } })
  end)
end)

describe("reading a line's fields", function()
  local args = { { "a", check.text }, { "b", check.text } }

  local function read(arg_list, text, from, changes)
    local cmd = {}
    local s = spec(changes)
    s.args = arg_list
    local ok, err = command.read(s, text, from, cmd)
    return ok and cmd or err
  end

  it("gives them under the arguments' names", function()
    assert.same({ a = "1", b = "2" }, read(args, "1|2", 1))
  end)

  it("names the field that is missing", function()
    assert.equal("missing field: b", read(args, "1", 1))
    assert.equal("missing field: a", read(args, "PAINT", nil))
  end)

  it("uses a command's own words for too few fields", function()
    assert.equal("invalid format", read(args, "1", 1, { too_few = "invalid format" }))
  end)

  it("names a field too many", function()
    assert.equal("unexpected field: 3", read(args, "1|2|3|4", 1))
    assert.equal("unexpected field: x", read({}, "x", 1))
  end)

  it("gives the last field the rest when it takes it", function()
    local rest = { { "a", check.text }, { "b", check.text, rest = true } }
    assert.same({ a = "1", b = "2|3|4" }, read(rest, "1|2|3|4", 1))
  end)

  it("fills in defaults for optional fields, empty ones too", function()
    local optional = { { "a", check.text, optional = true, default = "x" } }
    assert.same({ a = "x" }, read(optional, "", nil))
    assert.same({ a = "x" }, read(optional, "", 1))
    assert.same({ a = "y" }, read(optional, "y", 1))
  end)

  it("shows a check the arguments before it", function()
    local seen
    read({ { "a", check.text }, { "b", function(text, _, cmd)
      seen = cmd.a
      return text
    end } }, "1|2", 1)
    assert.equal("1", seen)
  end)
end)
