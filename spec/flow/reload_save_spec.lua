local loop = require("spec.support.loop")
local reloads = require("spec.flow.reloads")

local colour, command = reloads.colour, reloads.command

describe("scripts that are saved", function()
  it("are in service soon, in place", function()
    local files, r, p = reloads.start { files = { ["commands/colour.lua"] = colour("red") } }
    assert.equal("COLOUR|red", r:call("COLOUR"))
    files:save("commands/colour.lua", colour("blue"))
    local event = reloads.event(r)
    assert.same({ 2, { "commands/colour.lua" } }, { event.scripts_generation, event.changed })
    assert.equal("COLOUR|blue", r:call("COLOUR"))
    p:wait_log('(msg="%[scripts%] generation 2 in service" why=files files=%d+ '
      .. 'changes="commands/colour.lua changed")')
  end)

  it("by a rename are in service soon", function()
    local files, r = reloads.start { files = { ["commands/colour.lua"] = colour("red") } }
    for _, word in ipairs({ "blue", "green", "black" }) do
      files:save_by_rename("commands/colour.lua", colour(word))
      reloads.event(r)
      assert.equal("COLOUR|" .. word, r:call("COLOUR"))
    end
  end)

  it("with a backup renamed away are in service soon", function()
    local files, r = reloads.start { files = { ["commands/colour.lua"] = colour("red") } }
    assert(os.rename(files:path("commands/colour.lua"), files:path("commands/colour.lua~")))
    files:save("commands/colour.lua", colour("blue"))
    reloads.wait_answer(r, "COLOUR|blue", "COLOUR")
  end)

  it("in a burst make one generation", function()
    local files, r = reloads.start()
    for i = 1, 30 do
      files:save("commands/one.lua", command("ONE" .. i))
      files:save("commands/two.lua", command("TWO" .. i))
    end
    local event = reloads.event(r)
    assert.same({ 2, { "commands/one.lua", "commands/two.lua" } }, { event.scripts_generation, event.changed })
    assert.equal("ONE30_OK", r:call("ONE30"))
    assert.equal("TWO30_OK", r:call("TWO30"))
  end)

  it("again with the same text change nothing", function()
    local files, r = reloads.start { files = { ["commands/colour.lua"] = colour("red") } }
    files:save("commands/colour.lua", colour("red"))
    files:save_by_rename("commands/colour.lua", colour("red"))
    files:save("commands/notes.txt", "not a script")
    assert.equal("SCRIPTS_RELOAD_OK|1|unchanged", r:call("SCRIPTS_RELOAD"))
    files:save("commands/colour.lua", colour("blue"))
    assert.equal(2, reloads.event(r).scripts_generation)
  end)

  it("without end are still read within a second or so", function()
    local files, r = reloads.start()
    local count, over = 0, loop.now() + 8
    repeat
      count = count + 1
      files:save("commands/many.lua", command("MANY", "-- " .. count))
      loop.delay(0.02)
      local served = r:call("MANY") == "MANY_OK"
    until served or loop.now() > over
    assert.is_true(r:call("MANY") == "MANY_OK", "never read while they were being saved")
  end)
end)

describe("a script that comes or goes", function()
  it("brings its command along, and takes it away", function()
    local files, r = reloads.start()
    assert.equal("ERROR|unknown command: FRESH", r:call("FRESH"))
    files:save("commands/fresh.lua", command("FRESH"))
    reloads.event(r)
    assert.equal("FRESH_OK", r:call("FRESH"))
    files:remove("commands/fresh.lua")
    assert.same({ "commands/fresh.lua" }, reloads.event(r).changed)
    assert.equal("ERROR|unknown command: FRESH", r:call("FRESH"))
  end)

  it("may be the hook", function()
    local files, r = reloads.start()
    files:save("hooks/authorize.lua", [[
      return function(cmd) if cmd.name == "PING" then return nil, "no pings" end return true end]])
    reloads.event(r)
    assert.equal("ERROR|unauthorized: no pings", r:call("PING"))
    files:remove("hooks/authorize.lua")
    reloads.event(r)
    assert.equal("PONG", r:call("PING"))
  end)

  it("may come in a folder that is new", function()
    local files, r = reloads.start()
    os.execute("rm -r " .. files:path("hooks"))
    reloads.event(r)
    os.execute("mkdir " .. files:path("hooks"))
    files:save("hooks/authorize.lua", 'return function() return nil, "closed" end')
    reloads.event(r)
    assert.equal("ERROR|unauthorized: closed", r:call("PING"))
    files:save("hooks/authorize.lua", "return function() return true end")
    reloads.event(r)
    assert.equal("PONG", r:call("PING"))
  end)
end)

describe("a directory of scripts", function()
  it("that is removed changes nothing, and is read when it is back", function()
    local files, r, p = reloads.start()
    os.execute(("mv %s %s.old"):format(files.dir, files.dir))
    local event = reloads.event(r)
    assert.same({ 1, true }, { event.scripts_generation, event.scripts_refused })
    assert.equal("PONG", r:call("PING"))
    os.execute(("cp -r %s.old %s"):format(files.dir, files.dir))
    p:wait_log("(those in service again)")
    files:save("commands/fresh.lua", command("FRESH"))
    reloads.wait_answer(r, "FRESH_OK", "FRESH")
  end)

  it("whose parent is removed too is found again", function()
    local files, r = reloads.start()
    local away = files.top .. ".away"
    finally(function() os.execute(("rm -rf %s %s"):format(files.top, away)) end)
    os.execute(("mv %s %s"):format(files.top, away))
    assert.is_true(reloads.event(r).scripts_refused)
    os.execute(("cp -r %s %s"):format(away, files.top))
    files:save("commands/fresh.lua", command("FRESH"))
    reloads.wait_answer(r, "FRESH_OK", "FRESH")
  end)

  it("that is a link is read when the link leads elsewhere", function()
    local files = reloads.files()
    local other = reloads.files { ["commands/fresh.lua"] = command("FRESH") }
    local link = files.top .. "/current"
    os.execute(("ln -s %s %s"):format(files.dir, link))
    local p = require("spec.support.proxy").start { workers = 1, scripts = link }
    local r = p:registry()
    r:register("shop", "one")
    os.execute(("ln -s %s %s.new && mv -T %s.new %s"):format(other.dir, link, link, link))
    reloads.wait_answer(r, "FRESH_OK", "FRESH")
  end)
end)

describe("the setting scripts_watch", function()
  it("leaves reading to SIGHUP and SCRIPTS_RELOAD, and can be changed", function()
    local files, r, p = reloads.start { config = { scripts_watch = false } }
    assert.is_false(reloads.status(r).watched)
    files:save("commands/fresh.lua", command("FRESH"))
    p:reload()
    reloads.wait_answer(r, "FRESH_OK", "FRESH")
    files:save("commands/other.lua", command("OTHER"))
    assert.equal("SCRIPTS_RELOAD_OK|3|changed", r:call("SCRIPTS_RELOAD"))
    assert.equal("OTHER_OK", r:call("OTHER"))
    p:write_config { scripts_watch = true }
    p:reload()
    loop.eventually(function() return reloads.status(r).watched end)
    files:remove("commands/other.lua")
    reloads.wait_answer(r, "ERROR|unknown command: OTHER", "OTHER")
  end)
end)
