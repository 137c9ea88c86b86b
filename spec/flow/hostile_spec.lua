local checks = require("spec.flow.checks")
local hostile = require("spec.scripts.hostile")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local BUDGET_MS = 30

--- A copy of scripts/ with further files: path below it to text.
local function scripts_with(files)
  local dir = sys.temp_dir()
  os.execute("cp -r scripts/commands scripts/hooks scripts/health scripts/maintenance " .. dir)
  os.execute("mkdir " .. dir .. "/policies")
  for path, text in pairs(files) do
    sys.write_file(dir .. "/" .. path, text)
  end
  finally(function() os.execute("rm -rf " .. dir) end)
  return dir
end

--- A command HOSTILE|session_id|number that runs that body.
local function hostile_command(cases)
  local parts = { "local check = require('check') local runs = {" }
  for _, case in ipairs(cases) do
    parts[#parts + 1] = ("function() %s end,"):format(case[2])
  end
  parts[#parts + 1] = [[}
    return { {
      name = "HOSTILE", summary = "", args = { { "number", check.whole(1, 1000) } }, reply = "X", since = "0.1",
      run = function(cmd) runs[cmd.number]() return require("registry.reply").ok("X") end,
    } }]]
  return table.concat(parts, "\n")
end

local function start(files, config, options)
  config.scripts_budget = config.scripts_budget or { command = BUDGET_MS .. "ms" }
  options = options or {}
  options.scripts, options.config, options.workers = scripts_with(files), config, 1
  return proxy.start(options)
end

local function named(name)
  for _, case in ipairs(hostile) do
    if case[1] == name then
      return case[2]
    end
  end
  error("no hostile script is called " .. name)
end

local BOMBS = {
  { "a JSON text of a table in a table, twice, and so on", "local t = { 1 } for _ = 1, 30 do t = { t, t } end "
    .. "require('json').encode(t)" },
  { "a long JSON text", "local t = {} for i = 1, 1e5 do t[i] = 'text of some length ' .. i end "
    .. "require('json').encode(t)" },
  { "a long answer", "local t = {} for i = 1, 1e5 do t[i] = i * 1.1 end "
    .. "while true do require('registry.reply').json('X', t, 'compressed') end" },
  { "JSON that is read over and over",
    "local s = '[' .. ('[],'):rep(10000) .. '0]' while true do require('json').decode(s) end" },
}

describe("a hostile command", function()
  it("is its caller's internal error, and nobody else's", function()
    local cases = {}
    for _, list in ipairs { hostile, BOMBS } do
      for _, case in ipairs(list) do
        cases[#cases + 1] = case
      end
    end
    local p = start({ ["commands/hostile.lua"] = hostile_command(cases) }, {})
    local r, other = p:registry(), p:registry()
    r:register("shop", "one")
    other:register("shop", "two")
    for i, case in ipairs(cases) do
      assert.equal("ERROR|internal error in command HOSTILE", r:call("HOSTILE", i), case[1])
      assert.equal("ROUTE_LIST_OK|[]", other:call("ROUTE_LIST"), case[1])
    end
  end)

  it("delays the line of another connection by its budget at most", function()
    local p = start({ ["commands/hostile.lua"] = hostile_command(hostile) }, { scripts_budget = { command = "1s" } })
    local r, other = p:registry(), p:registry()
    r:register("shop", "one")
    other:register("shop", "two")
    r:send(r:format("HOSTILE", 1) .. "\n")
    local before = sys.now()
    assert.equal("PONG", other:call("PING"))
    assert.is_true(sys.now() - before < 1.9) -- less than two budgets
    assert.equal("ERROR|internal error in command HOSTILE", r:receive())
  end)

  it("has the time that SIGHUP gives it", function()
    local p = start({ ["commands/hostile.lua"] = hostile_command(hostile) }, {})
    local r = p:registry()
    r:register("shop", "one")
    r:call("HOSTILE", 1)
    p:wait_log("took longer than its 30 ms")
    p:write_config { scripts_budget = { command = "40ms" } }
    p:reload()
    p:wait_log("configuration reloaded")
    r:call("HOSTILE", 1)
    p:wait_log("took longer than its 40 ms")
  end)
end)

describe("a hostile page", function()
  for _, name in ipairs { "an endless loop that swallows errors", "a list without end", "nested quantifiers" } do
    it("leaves the built-in one: " .. name, function()
      local text = ("local function page() %s end return { summary = '', html = page, json = page, text = page }")
        :format(named(name))
      local p = start({ ["maintenance/page.lua"] = text }, { scripts_budget = { page = "5ms" } })
      assert.equal(404, p:get("/").status)
      local r = p:registry()
      r:register("shop", "one")
      assert.equal("PONG", r:call("PING"))
    end)
  end
end)

describe("a page that is hostile in maintenance only", function()
  local SESSIONS, TRIED = 20, 5
  local PAGE = [[local function page(p) if p.service then while true do end end return p.message end
    return { summary = "", html = page, text = page,
      json = function(p) return require("json").encode(page(p)) end }]]

  --- Sessions in maintenance, and a reload that brings that page.
  local function start_with(config)
    config.scripts_watch, config.scripts_budget = false, { page = "100ms" }
    local dir = scripts_with({})
    local p = proxy.start { workers = 1, scripts = dir, config = config }
    local r
    for i = 1, SESSIONS do
      r = p:registry()
      r:register("shop", "shop-" .. i)
      r:route { host = ("h%d.example"):format(i), to = "http://127.0.0.1:1" }
      r:ok("MAINT_ENTER", "ALL")
    end
    sys.write_file(dir .. "/maintenance/page.lua", PAGE)
    assert.truthy(r:call("SCRIPTS_RELOAD"):find("^SCRIPTS_RELOAD_OK|%d|changed$"))
    return p
  end

  it("is tried for a few, and the others get the built-in one", function()
    local p = start_with { scripts_rollback = { failures = 0 } }
    for i = 1, SESSIONS do
      assert.equal(503, p:get("/", { host = ("h%d.example"):format(i) }).status)
    end
    p:wait_log("(generation 2 in service)")
    assert.equal(TRIED, checks.count_log(p, "a built-in page takes the place of one for maintenance"))
  end)

  it("is taken back with its generation", function()
    local p = start_with {}
    p:wait_log("(generation 2 fails in service, back to generation 1)")
    assert.truthy(p:get("/", { host = "h20.example", headers = { Accept = "text/html" } }).body:find("maintenance"))
  end)
end)

describe("a hostile request policy", function()
  it("fails its own request alone, whatever it does", function()
    local o = origin.start(function() return { body = "fine" } end)
    local files, routes = {}, { { domains = "other.example", path = "/", backend_url = o.url } }
    for i, case in ipairs(hostile) do
      local name = "h" .. i
      files["policies/" .. name .. ".lua"] = ("return { summary = '', on_request = function() %s end }"):format(case[2])
      routes[#routes + 1] = { domains = name .. ".example", path = "/", backend_url = o.url,
        options = { policy = name } }
    end
    local p = start(files, { routes = routes, scripts_budget = { policy = "5ms" } })
    local c, other = p:connect(), p:connect()
    for i, case in ipairs(hostile) do
      assert.equal("fine", c:request({ path = "/", host = ("h%d.example"):format(i) }).body, case[1])
      assert.equal("fine", other:request({ path = "/", host = "other.example" }).body, case[1])
    end
    assert.equal(2 * #hostile, o:count())
  end)

  it("is logged as having failed", function()
    local o = origin.start(function() return {} end)
    for _, name in ipairs { "an endless loop that swallows errors", "a list without end", "nested quantifiers" } do
      local p = start({ ["policies/own.lua"] = ("return { summary = '', on_request = function() %s end }")
        :format(named(name)) }, { routes = { { domains = "*", path = "/", backend_url = o.url,
          options = { policy = "own" } } } })
      assert.equal(200, p:get("/").status)
      p:wait_log("(request policy failed)")
    end
  end)
end)

describe("a hostile script that is to be loaded", function()
  local CASES = { "an endless loop that swallows errors", "a list without end", "nested quantifiers",
    "deep recursion over and over", "string.rep of 1e9", "keys without end", "a message handler that fails" }
  local FOLDERS = { "commands", "health", "policies" }

  it("is refused, and what is in service goes on", function()
    local dir = scripts_with({})
    local p = proxy.start { workers = 1, scripts = dir, config = { scripts_watch = false,
      scripts_budget = { load = "400ms" } } }
    local r = p:registry()
    r:register("shop", "one")
    for _, folder in ipairs(FOLDERS) do
      for _, name in ipairs(CASES) do
        local path = ("%s/%s/hostile.lua"):format(dir, folder)
        sys.write_file(path, named(name))
        local answer = r:call("SCRIPTS_RELOAD")
        assert.truthy(answer:find("ERROR|" .. folder .. "/hostile.lua", 1, true), answer)
        assert.equal("ROUTE_LIST_OK|[]", r:call("ROUTE_LIST"), name)
        os.remove(path)
      end
    end
    assert.equal("SCRIPTS_RELOAD_OK|1|unchanged", r:call("SCRIPTS_RELOAD"))
  end)
end)

describe("a hostile health policy", function()
  for _, name in ipairs { "an endless loop that swallows errors", "a list without end", "nested quantifiers" } do
    it("leaves the state as it is: " .. name, function()
      local o = origin.start(function() return { status = 200 } end)
      local dir = checks.scripts { own = named(name) }
      finally(function() os.execute("rm -rf " .. dir) end)
      local _, r = checks.start { scripts = dir }
      checks.route(r, o.url, { policy = "own", interval = "10ms" })
      loop.eventually(function() return o:count() >= 4 end)
      assert.equal("healthy", checks.health(r).state)
      assert.equal("PONG", r:call("PING"))
    end)
  end
end)
