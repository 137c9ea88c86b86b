local conversation = require("spec.scripts.conversation")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

--- A copy of scripts/ with further files: path below it to text.
local function scripts_with(files)
  local dir = sys.temp_dir()
  os.execute("cp -r scripts/commands scripts/hooks scripts/health " .. dir)
  for path, text in pairs(files) do
    sys.write_file(dir .. "/" .. path, text)
  end
  finally(function() os.execute("rm -rf " .. dir) end)
  return dir
end

--- A command PAINT|session_id|colour whose run has this body.
local function paint(body)
  return ([[
local check = require("check")
local reply = require("registry.reply")
return { {
  name = "PAINT", summary = "", args = { { "colour", check.text } }, reply = "OK", since = "0.1",
  run = function(cmd)
    %s
    return reply.ok("PAINT_OK", cmd.colour)
  end,
} }]]):format(body)
end

local function start_with(body)
  return conversation.start { workers = 1, scripts = scripts_with { ["commands/paint.lua"] = paint(body) } }
end

describe("a command of one's own", function()
  it("is written as scripts/README.md says", function()
    local example = sys.read_file("scripts/README.md"):match("```lua\n(.-)```")
    local r = conversation.start {
      workers = 1, scripts = scripts_with { ["commands/route_count.lua"] = example },
    }
    r:ok("ROUTE_ADD", "a.example,b.example", "/", "http://127.0.0.1:1", 0)
    r:ok("ROUTE_ADD", "b.example", "/x", "http://127.0.0.1:1", 0)
    assert.equal("ROUTE_COUNT_OK|1", r:call("ROUTE_COUNT", "a.example"))
    assert.equal("ROUTE_COUNT_OK|txn-7|2", r:call("ROUTE_COUNT", "txn-7", "b.example"))
    assert.equal("ERROR|no route for c.example", r:call("ROUTE_COUNT", "c.example"))
  end)
end)

describe("a command that fails", function()
  it("is answered, logged with its traceback, and harms nothing", function()
    local r, p = start_with('error("out of paint")')
    assert.equal("ERROR|internal error in command PAINT", r:call("PAINT", "red"))
    assert.equal("ERROR|txn-7|internal error in command PAINT", r:call("PAINT", "txn-7", "red"))
    p:wait_log("(out of paint)")
    assert.equal("PONG", r:call("PING"))
  end)

  it("is stopped when it runs for ever, also inside pcall", function()
    local r = start_with("while true do pcall(function() while true do end end) end")
    local before = sys.now()
    assert.equal("ERROR|internal error in command PAINT", r:call("PAINT", "red"))
    assert.is_true(sys.now() - before < 2)
    assert.equal("PONG", r:call("PING"))
  end)

  it("is stopped when it takes too much memory", function()
    local r = start_with('local t = {} for i = 1, 1e8 do t[i] = { i } end')
    assert.equal("ERROR|internal error in command PAINT", r:call("PAINT", "red"))
    assert.equal("PONG", r:call("PING"))
  end)

  local wrong = {
    ["returns no answer"] = "if true then return 5 end",
    ["uses a session that is gone"] = "cmd.session:shutdown() cmd.session:routes()",
    ["passes a wrong type"] = "cmd.session:find_nothing()",
    ["reads a global that is none"] = "local x = colour",
    ["sets a global"] = "colour = 5",
    ["looks for files"] = 'io.open("x")',
    ["compiles text"] = 'load("return 1")()',
  }
  for what, body in pairs(wrong) do
    it("is answered when it " .. what, function()
      assert.equal("ERROR|internal error in command PAINT", start_with(body):call("PAINT", "red"))
    end)
  end

  it("cannot change what other scripts see", function()
    local r = start_with([[
      string.format = nil
      table.concat = nil
      for _, name in ipairs { "json", "registry.reply", "setting", "host", "health", "page.html" } do
        local module = require(name)
        for key in pairs(module) do
          module[key] = nil
        end
      end
      for key in next, check do
        rawset(check, key, nil)
      end
    ]])
    r:call("PAINT", "red")
    assert.equal("PONG|txn-7", r:call("PING", "txn-7"))
    assert.equal("ROUTE_LIST_OK|[]", r:call("ROUTE_LIST"))
    assert.equal("ERROR|unknown option: x", r:call("OPTIONS_SET", "ALL", "x", "1"))
  end)
end)

describe("--check", function()
  local function check(files)
    local dir = scripts_with(files)
    local code, _, err = proxy.run { "--check", "--scripts", dir }
    return code, conversation.without(dir, err)
  end

  it("is content with the scripts as they are", function()
    assert.equal(0, (proxy.run { "--check", "--scripts", "scripts" }))
  end)

  local cases = {
    ["return 5"] = "commands/x.lua: must return a list of command tables",
    ["return {\n} }"] = "commands/x.lua:2: ",
    ["local x = ioo.open"] = "commands/x.lua:1: undefined global: ioo",
    ["error('no luck')"] = "commands/x.lua:1: no luck",
    ["while true do end"] = "commands/x.lua:1: took longer than its 2000 ms",
    ["\27LJ"] = "commands/x.lua: is compiled; scripts have to be text",
    ["return { { name = 'X', summary = '', args = {}, reply = '', since = '' } }"] =
      "commands/x.lua: command X: run is missing (a function)",
    ["return { { name = 'PING', summary = '', args = {}, reply = '', since = '', run = print } }"] =
      "command PING is defined twice, also in ",
  }
  for text, message in pairs(cases) do
    it("names what is wrong with " .. text:gsub("%c", " "), function()
      local code, err = check { ["commands/x.lua"] = text }
      assert.equal(1, code)
      assert.is_truthy(err:find(message, 1, true), err)
    end)
  end

  it("names what is wrong with the hook", function()
    local code, err = check { ["hooks/authorize.lua"] = "return 5" }
    assert.equal(1, code)
    assert.is_truthy(err:find("hooks/authorize.lua: must return a function", 1, true), err)
  end)

  it("names a directory that is none", function()
    local code, _, err = proxy.run { "--check", "--scripts", "/nonexistent" }
    assert.equal(1, code)
    assert.is_truthy(err:find("there is no directory /nonexistent", 1, true), err)
  end)
end)
