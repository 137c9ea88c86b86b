require("spec.lua.host")
local check = require("check")
local reply = require("registry.reply")

--- A connection and a session as the registry sees them.
local function session(id)
  return { id = function() return id end, touch = function(self) self.touched = true end }
end

local function connection(fields)
  fields = fields or {}
  return {
    authorized = function() return not fields.locked end,
    session = function() return fields.bound end,
    find = function(_, id) return (fields.living or {})[id] end,
  }
end

--- A registry of its own with one command, PAINT|session|colour.
local function fresh(changes, hook)
  package.loaded["registry.catalog"], package.loaded.registry = nil, nil
  local registry = require("registry")
  local spec = {
    name = "PAINT", summary = "Paint.", args = { { "colour", check.text } }, reply = "PAINT_OK",
    since = "0.1", aliases = { "COLOUR" },
    run = function(cmd) return reply.ok("PAINT_OK", cmd.colour) end,
  }
  for key, value in pairs(changes or {}) do
    spec[key] = value
  end
  registry.define("paint.lua", { spec })
  if hook then
    registry.hook("authorize", "authorize.lua", hook)
  end
  registry.seal()
  return registry
end

describe("registry.define", function()
  it("refuses what is no list of commands, naming the file", function()
    package.loaded["registry.catalog"], package.loaded.registry = nil, nil
    local registry = require("registry")
    local message = "a.lua: must return a list of command tables: return { { name = ... }, ... }"
    for _, wrong in ipairs({ 5, {}, { name = "A" }, true }) do
      assert.has_error(function() registry.define("a.lua", wrong) end, message)
    end
  end)

  it("refuses a name that is taken, naming both files", function()
    package.loaded["registry.catalog"], package.loaded.registry = nil, nil
    local registry = require("registry")
    local one = { name = "A", summary = "", args = {}, reply = "", since = "", run = print }
    local two = { name = "B", summary = "", args = {}, reply = "", since = "", run = print,
      aliases = { "A" } }
    registry.define("one.lua", { one })
    assert.has_error(function() registry.define("two.lua", { two }) end,
      "two.lua: command A is defined twice, also in one.lua")
  end)

  it("ends with loading", function()
    local registry = fresh()
    assert.has_error(function() registry.define("b.lua", {}) end)
  end)
end)

describe("registry.hook", function()
  it("refuses hooks that nobody asks, and what is no function", function()
    package.loaded["registry.catalog"], package.loaded.registry = nil, nil
    local registry = require("registry")
    assert.has_error(function() registry.hook("autorize", "a.lua", print) end,
      "a.lua: there is no hook autorize; there is authorize")
    assert.has_error(function() registry.hook("authorize", "a.lua", {}) end,
      "a.lua: must return a function, or a table with a function run")
  end)
end)

describe("registry.run", function()
  local function run(line, fields, changes, hook)
    return fresh(changes, hook).run(connection(fields), line)
  end

  local bound = { bound = session("s1") }

  it("answers nothing to an empty line", function()
    assert.is_nil(run("", bound))
  end)

  it("runs a command with its arguments, by its name or an alias", function()
    assert.equal("PAINT_OK|red", run("PAINT|s1|red", bound))
    assert.equal("PAINT_OK|red", run("COLOUR|s1|red", bound))
  end)

  it("refuses every command on a connection without the token but AUTH", function()
    assert.equal("ERROR|unauthorized", run("PAINT|s1|red", { locked = true }))
    assert.equal("ERROR|unauthorized", run("NOPE", { locked = true }))
    local auth = { name = "AUTH", session = "none", args = {} }
    auth.run = function() return reply.ok("OK") end
    assert.equal("OK", run("AUTH", { locked = true }, auth))
  end)

  it("refuses unknown commands, before the session is looked at", function()
    assert.equal("ERROR|unknown command: NOPE", run("NOPE", {}))
    assert.equal("ERROR|unknown command: paint", run("paint|s1|red", bound))
    assert.equal("ERROR|unknown command: ", run("|s1", bound))
  end)

  it("takes the bound session's id alone on a bound connection", function()
    local fields = { bound = session("s1"), living = { s2 = session("s2") } }
    for _, line in ipairs({ "PAINT|s2|red", "PAINT", "PAINT||red" }) do
      assert.equal("ERROR|invalid session", run(line, fields))
    end
  end)

  it("takes any living session's id on an unbound one", function()
    local fields = { living = { s2 = session("s2") } }
    assert.equal("PAINT_OK|red", run("PAINT|s2|red", fields))
    assert.equal("ERROR|session not found", run("PAINT|s3|red", fields))
    assert.equal("ERROR|no session", run("PAINT", fields))
    assert.equal("ERROR|no session", run("PAINT||red", fields))
  end)

  it("counts as the session's activity, also when it is refused later", function()
    local s = session("s1")
    run("PAINT|s1", { bound = s })
    assert.is_true(s.touched)
  end)

  it("returns the transaction id, in refusals too", function()
    assert.equal("PAINT_OK|txn-7|red", run("PAINT|s1|txn-7|red", bound))
    assert.equal("ERROR|txn-7|missing field: colour", run("PAINT|s1|txn-7", bound))
    assert.equal("ERROR|txn_7|session not found", run("PAINT|s1|txn_7|red", {}))
    assert.equal("ERROR|txn:7|unknown command: NOPE", run("NOPE|s1|txn:7", bound))
  end)

  it("answers a command's refusal", function()
    local refuse = { run = function() return nil, "no paint left" end }
    assert.equal("ERROR|no paint left", run("PAINT|s1|red", bound, refuse))
  end)

  it("raises when a command returns nonsense", function()
    local nonsense = { run = function() return "PAINT_OK" end }
    assert.has_error(function() run("PAINT|s1|red", bound, nonsense) end)
  end)

  it("asks the hook with the checked arguments", function()
    local function hook(cmd)
      return cmd.colour ~= "red", cmd.name .. " in " .. cmd.colour
    end
    assert.equal("PAINT_OK|blue", run("PAINT|s1|blue", bound, nil, hook))
    assert.equal("ERROR|unauthorized: PAINT in red", run("PAINT|s1|red", bound, nil, hook))
  end)

  it("does not run what the hook refuses without a reason", function()
    local ran = false
    local changes = { run = function() ran = true end }
    assert.equal("ERROR|unauthorized", run("PAINT|s1|red", bound, changes, function() end))
    assert.is_false(ran)
  end)
end)

describe("a command that waits", function()
  local pending = newproxy()

  it("says so, and answers when its result is there", function()
    local registry = fresh({
      run = function() return pending end,
      finish = function(result) return reply.ok("PAINT_OK", result and result.colour) end,
    })
    local conn = connection({ bound = session("s1") })
    assert.same({ false, "PAINT", "txn-7" }, { registry.run(conn, "PAINT|s1|txn-7|red") })
    assert.equal("PAINT_OK|txn-7|red", registry.finish("PAINT", "txn-7", '{"colour":"red"}'))
    assert.equal("PAINT_OK", registry.finish("PAINT", nil, ""))
  end)

  it("can still refuse", function()
    local registry = fresh({ finish = function() return nil, "dried up" end })
    assert.equal("ERROR|dried up", registry.finish("PAINT", nil, ""))
  end)

  it("needs a function finish", function()
    local registry = fresh()
    assert.has_error(function() registry.finish("PAINT", nil, "") end,
      "command PAINT waits for a result, so it needs a function finish")
  end)
end)
