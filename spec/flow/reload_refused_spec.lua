local cjson = require("cjson")
local conversation = require("spec.scripts.conversation")
local proxy = require("spec.support.proxy")
local reloads = require("spec.flow.reloads")
local sys = require("spec.support.sys")

local colour, command = reloads.colour, reloads.command

local PAGE = [[
local function text() return "x" end
return { summary = "", html = %s, json = text, text = text, %s }
]]

--- What is wrong: path, text, the reason with file and line, the line or nil.
local CASES = {
  ["broken syntax"] = { "commands/x.lua", "return {\n} }", "commands/x.lua:2: '<eof>' expected near '}'", 2 },
  ["an unknown key"] = { "commands/x.lua", command("X", "", "colour = 5,"),
    "commands/x.lua: command X: unknown key colour" },
  ["a command defined twice"] = { "commands/x.lua", command("PING"),
    "commands/x.lua: command PING is defined twice, also in commands/session.lua" },
  ["a global nobody defined"] = { "commands/x.lua", "\nlocal x = colour",
    "commands/x.lua:2: undefined global: colour", 2 },
  ["an error as it loads"] = { "commands/x.lua", 'error("no luck", 0)', "commands/x.lua: no luck" },
  ["loading that never ends"] = { "commands/x.lua", "while true do end",
    "commands/x.lua:1: took longer than its 400 ms", 1 },
  ["no script at all"] = { "commands/x.lua", "return 5",
    "commands/x.lua: must return a list of command tables: return { { name = ... }, ... }" },
  ["a command's check that fails"] = { "commands/x.lua", command("X", "", 'check = function() return nil, "dry" end,'),
    "commands/x.lua: command X: check: dry" },
  ["a command's check that raises"] = { "commands/x.lua",
    command("X", "", '\n\ncheck = function() error("odd") end,'), "commands/x.lua:5: command X: check: odd", 5 },
  ["a hook's check that fails"] = { "hooks/authorize.lua",
    "return { run = function() return true end, check = function() return false end }",
    "hooks/authorize.lua: check: failed" },
  ["a policy's check that fails"] = { "health/own.lua",
    'return { summary = "", judge = print, check = function() error("sick") end }',
    "health/own.lua:1: check: sick", 1 },
  ["a page's check that fails"] = { "maintenance/page.lua",
    PAGE:format("text", 'check = function() return nil, "torn" end'),
    "maintenance/page.lua: check: torn" },
  ["a page that fails"] = { "maintenance/page.lua", PAGE:format("function(p) return p.nothing.x end", ""),
    "maintenance/page.lua:2: attempt to index field 'nothing' (a nil value)", 2 },
  ["a page that is no text"] = { "maintenance/page.lua", PAGE:format("function() return 5 end", ""),
    "maintenance/page.lua: html returned a number instead of a text (page " },
  ["the default policy taken away"] = { "health/default.lua", nil, "health/default.lua: is missing" },
}

local function put(files, path, text)
  if text then
    files:save(path, text)
  else
    files:remove(path)
  end
end

-- Processor time, of which a busy machine has little.
local BUDGET = { scripts_budget = { load = "400ms" } }

describe("scripts with", function()
  for what, case in pairs(CASES) do
    local path, text, reason, line = case[1], case[2], case[3], case[4]

    it(what .. " are refused with file and line, and the old ones serve", function()
      local files, r, p = reloads.start { files = { ["commands/colour.lua"] = colour("red") }, config = BUDGET }
      files:save("commands/colour.lua", colour("blue"))
      put(files, path, text)
      local event = reloads.event(r)
      assert.same({ 1, true, path }, { event.scripts_generation, event.scripts_refused, event.file })
      assert.equal(line or cjson.null, event.line)
      assert.equal(reason, event.reason:sub(1, #reason))
      assert.equal("COLOUR|red", r:call("COLOUR"))
      assert.equal(event.reason, reloads.status(r).last_error.reason)
      p:wait_log(("(level=error msg=\"%%[scripts%%] refused, [^\n]* file=%s line=%d )"):format(
        path:gsub("%p", "%%%0"), line or 0))
    end)

    it(what .. " are refused by --check just so", function()
      local files = reloads.files()
      put(files, path, text)
      local config = files.top .. "/tidelock.lua"
      sys.write_file(config, proxy.config_text(BUDGET))
      local code, _, err = proxy.run { "--check", "--scripts", files.dir, "--config", config }
      assert.equal(1, code)
      assert.is_truthy(conversation.without(files.dir, err):find("tidelock: " .. reason, 1, true), err)
    end)
  end
end)

describe("scripts that were refused", function()
  local BROKEN = "return {"

  it("are refused by SCRIPTS_RELOAD with the reason", function()
    local files, r = reloads.start { config = { scripts_watch = false } }
    files:save("commands/x.lua", BROKEN)
    local refusal = "ERROR|commands/x.lua:1: unexpected symbol near '<eof>'"
    assert.equal(refusal, r:call("SCRIPTS_RELOAD"))
    assert.equal(refusal:gsub("ERROR|", "ERROR|txn-1|"), r:call("SCRIPTS_RELOAD", "txn-1"))
    assert.equal(1, reloads.status(r).generation)
  end)

  it("are in service once they are mended", function()
    local files, r = reloads.start()
    files:save("commands/x.lua", BROKEN)
    assert.equal("commands/x.lua", reloads.event(r).file)
    files:save("commands/x.lua", command("X"))
    assert.equal(2, reloads.event(r).scripts_generation)
    assert.equal("X_OK", r:call("X"))
    assert.equal(cjson.null, reloads.status(r).last_error)
  end)

  it("are as if nothing had been when they are put back", function()
    local files, r, p = reloads.start()
    files:save("commands/x.lua", BROKEN)
    reloads.event(r)
    files:remove("commands/x.lua")
    p:wait_log("(those in service again)")
    assert.equal(1, reloads.status(r).generation)
  end)

  it("leave the proxy's pages as they were", function()
    local files, r, p = reloads.start()
    local before = p:get("/").body
    files:save("maintenance/page.lua", PAGE:format("nil", ""))
    assert.is_true(reloads.event(r).scripts_refused)
    assert.equal(before, p:get("/").body)
  end)
end)

describe("a script that cannot be read", function()
  it("as it is no file, or too long, is named", function()
    local files, r = reloads.start { config = { scripts_watch = false } }
    os.execute("mkfifo " .. files:path("commands/x.lua"))
    assert.equal("ERROR|commands/x.lua: is not a file", r:call("SCRIPTS_RELOAD"))
    files:remove("commands/x.lua")
    os.execute("mkdir " .. files:path("commands/x.lua"))
    assert.equal("ERROR|commands/x.lua: is not a file", r:call("SCRIPTS_RELOAD"))
    os.execute("rmdir " .. files:path("commands/x.lua"))
    files:save("commands/x.lua", ("-"):rep(1024 * 1024 + 1))
    assert.equal("ERROR|commands/x.lua: longer than 1048576 bytes", r:call("SCRIPTS_RELOAD"))
    os.execute("rm " .. files:path("health/*"))
    os.execute("rm " .. files:path("commands/x.lua"))
    assert.equal("ERROR|health: there are no scripts in it", r:call("SCRIPTS_RELOAD"))
  end)
end)
