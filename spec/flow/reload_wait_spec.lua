local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

--- A proxy whose name server answers when it is told to.
local function start()
  local names = dns.start { ["svc.test"] = { ttl = 60, "127.0.0.1" } }
  names.mute = true
  local files, r, p = reloads.start { config = { resolver = { servers = { names.address } }, scripts_watch = false } }
  return files, r, p, names
end

--- Puts changed scripts in service over a connection of its own.
local function reload(p, generation)
  local other = p:registry()
  other:register("operator", "one")
  assert.equal(("SCRIPTS_RELOAD_OK|%d|changed"):format(generation or 2), other:call("SCRIPTS_RELOAD"))
end

--- A backend that answers once open() is true.
local function slow_backend(open)
  return origin.start(function()
    loop.eventually(open)
    return { status = 200 }
  end)
end

--- In a file's text, a command's finish function answers ERROR|new finish.
local function with_new_finish(text)
  local new, count = text:gsub("finish = [%w_]+,", 'finish = function() return nil, "new finish" end,')
  if count == 0 then
    new, count = text:gsub("finish = function%(result%)", '%0 if result then return nil, "new finish" end')
  end
  assert.is_true(count > 0)
  return new
end

describe("a command that waits while scripts are reloaded", function()
  it("CONFIG_APPLY is answered", function()
    local files, r, p, names = start()
    r:ok("ROUTE_ADD", "*", "/", "http://svc.test:1", 0)
    r:send(r:format("CONFIG_APPLY", "txn-1") .. "\n")
    loop.eventually(function() return names.heard > 0 end)
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reload(p)
    names.mute = false
    assert.equal("OK|txn-1", r:receive())
    assert.equal("FRESH_OK", r:call("FRESH"))
  end)

  it("MAINT_ENTER is acknowledged and ended", function()
    local files, r, p, names = start()
    local page = origin.start { status = 200 }
    r:route { to = "http://127.0.0.1:1" }
    r:send(r:format("MAINT_ENTER", "ALL", (page.url:gsub("127.0.0.1", "svc.test"))) .. "\n")
    loop.eventually(function() return names.heard > 0 end)
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reload(p)
    names.mute = false
    assert.equal("ACK", r:receive())
    assert.equal("MAINT_OK|ALL", r:wait_event("MAINT_OK"))
  end)

  it("is finished as the new scripts say", function()
    local files, r, p = reloads.start { config = { scripts_watch = false } }
    local open = false
    local o = slow_backend(function() return open end)
    r:send(r:format("BACKEND_TEST", o.url) .. "\n")
    loop.eventually(function() return o:count() == 1 end)
    files:save("commands/backend.lua", with_new_finish(files:read("commands/backend.lua")))
    reload(p)
    open = true
    assert.equal("ERROR|new finish", r:receive())
  end)

  it("and is no more among them gets an internal error, which nobody is blamed for", function()
    local files, r, p = reloads.start { config = { scripts_watch = false } }
    local open = false
    local o = slow_backend(function() return open end)
    r:send(r:format("BACKEND_TEST", o.url) .. "\n")
    loop.eventually(function() return o:count() == 1 end)
    files:remove("commands/backend.lua")
    reload(p)
    open = true
    assert.equal("ERROR|internal error in command BACKEND_TEST", r:receive())
    assert.equal(0, reloads.status(r).failures)
  end)

  it("and whose connection goes meanwhile harms nobody", function()
    local files, r, p, names = start()
    r:ok("ROUTE_ADD", "*", "/", "http://svc.test:1", 0)
    r:send(r:format("CONFIG_APPLY") .. "\n")
    loop.eventually(function() return names.heard > 0 end)
    r:close()
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reload(p)
    names.mute = false
    reload(p, (function() files:remove("commands/fresh.lua") return 3 end)())
  end)

  it("and is never answered ends with the proxy", function()
    local files, r, p = start()
    r:ok("ROUTE_ADD", "*", "/", "http://svc.test:1", 0)
    r:send(r:format("CONFIG_APPLY") .. "\n")
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reload(p)
    p:stop()
  end)

  it("as several for one reload, all are answered", function()
    local files, r, p = reloads.start { config = { scripts_watch = false } }
    local others = {}
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    for i = 1, 10 do
      others[i] = p:registry()
      others[i]:register("operator", tostring(i))
    end
    for _, other in ipairs(others) do
      other:send(other:format("SCRIPTS_RELOAD") .. "\n")
    end
    for _, other in ipairs(others) do
      assert.is_truthy(other:receive():find("^SCRIPTS_RELOAD_OK|2|"))
    end
    assert.equal(2, reloads.event(r).scripts_generation)
  end)
end)
