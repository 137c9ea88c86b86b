local behind = require("spec.scripts.policies.behind")
local cjson = require("cjson")
local loop = require("spec.support.loop")
local reloads = require("spec.flow.reloads")

-- Scripts that keep things in Lua from call to call, more and more.
local KEEP = "for i = 1, 20000 do kept[#kept + 1] = { i } end"

describe("a command that keeps memory from call to call", function()
  local function start(files)
    files["commands/keep.lua"] = "local kept = {}\n" .. reloads.command("KEEP", (KEEP:gsub("20000", "60000")))
    return reloads.start { files = files, config = { scripts_memory = "16m" } }
  end

  it("loses it before the others lose theirs", function()
    local _, r, p = start {}
    for _ = 1, 40 do
      r:call("KEEP")
      assert.equal("PONG", r:call("PING"))
      assert.equal("ROUTE_LIST_OK|[]", r:call("ROUTE_LIST"))
    end
    p:wait_log("(their VM is made anew)")
    assert.equal(1, reloads.status(r).generation)
  end)

  it("takes nothing from health policies that are off", function()
    local _, r, p = start { ["health/own.lua"] = 'return { summary = "", judge = function() error("no idea") end }' }
    p:write_config { scripts_memory = "16m", health_checks = true, scripts_rollback = { failures = 2 } }
    p:reload()
    r:route { to = "http://127.0.0.1:1", options = { health_policy = "own", health_check_interval = "10ms" } }
    loop.eventually(function() return #reloads.status(r).policies_off == 1 end)
    loop.eventually(function()
      r:call("KEEP")
      return p:log():find("made anew", 1, true)
    end)
    assert.same({ "own" }, reloads.status(r).policies_off)
  end)
end)

describe("a request policy that keeps memory from call to call", function()
  it("loses it before the others lose theirs", function()
    local scripts = behind.scripts {
      own = ("local kept = {} return { summary = '', on_request = function() %s end }"):format(KEEP),
      other = "return { summary = '', fail = 'closed', on_request = function(req) req:set_header('X-Other', '1') end }",
    }
    local b = behind.start("own", nil, { scripts = scripts, host = "own.example",
      config = { scripts_budget = { policy = "1s" } } })
    b.session:route { host = "other.example", to = b.origin.url, options = { policy = "other" } }
    for _ = 1, 40 do
      assert.equal(200, b:get("/", { host = "own.example" }).status)
      assert.equal(200, b:get("/", { host = "other.example" }).status)
    end
    b.proxy:wait_log("(their VM is made anew)")
    assert.equal(0, cjson.decode((b.session:ok("STATS_GET", "r2"))).policy_failures)
  end)

  it("has its failures counted all the same", function()
    local scripts = behind.scripts { own = ([[local kept = {} return { summary = '', on_request = function(req)
      if req:path() == "/bad" then error("no luck") end %s end }]]):format(KEEP) }
    local b = behind.start("own", nil, { scripts = scripts, config = { scripts_budget = { policy = "1s" } } })
    for _ = 1, 4 do
      b:get("/bad")
    end
    loop.eventually(function()
      b:get("/")
      return b.proxy:log():find("made anew", 1, true)
    end)
    b:get("/bad")
    b.proxy:wait_log("(request policy switched off)")
  end)
end)
