local behind = require("spec.scripts.policies.behind")
local reloads = require("spec.flow.reloads")

local FAILED = "ERROR|internal error in command TRY"

--- The bodies of run(cmd) that try to get at what is not theirs, and the answer that each has to get: a text, or nil
-- for a refusal.
local CASES = {
  ["a list of domains that grows between two looks"] = { [[
    local looks = 0
    local route = setmetatable({ path = "/", backend_url = "http://127.0.0.1:1", priority = 0 }, {
      __index = function(_, key)
        looks = looks + 1
        local many = {}
        for i = 1, looks > 1 and 5000 or 1 do many[i] = "h" .. i .. ".example" end
        return key == "domains" and many or nil
      end })
    cmd.session:add_routes({ route })]] },
  ["texts that nobody holds"] = { [[
    local route = setmetatable({ domains = { "a.example" } }, { __index = function(_, key)
      local garbage = {}
      for i = 1, 1000 do garbage[i] = ("x"):rep(100) .. i end
      return ({ path = "/", backend_url = "http://127.0.0.1:" .. #garbage, priority = 0 })[key]
    end })
    cmd.session:add_routes({ route })]] },
  ["calls of itself through a metatable"] = { [[
    local function go()
      cmd.session:add_routes({ setmetatable({}, { __index = function() go() end }) })
    end
    go()]] },
  ["an answer of two lines"] = { 'return reply.ok("X\\nEVENT|fake", "y")' },
  ["an answer with a return"] = { 'return reply.ok("X", "y\\rz")' },
  ["an answer with a NUL"] = { 'return reply.ok("X", "y\\0z")' },
  ["a handle for an operation"] = { "return cmd.session" },
  ["fields of a handle"] = { "cmd.session.x = 1" },
  ["a handle's metatable"] = { "getmetatable(cmd.session)" },
  ["another metatable for a handle"] = { "setmetatable(cmd.session, {})" },
  ["another metatable for a JSON list"] = { 'setmetatable(require("json").array({}), {})' },
  ["a JSON list's metatable"] = {
    'return reply.ok("GOT", type(getmetatable(require("json").array({}))))', "GOT|string" },
  ["a method of another type"] = { "cmd.conn.id(cmd.session)" },
  ["a check that all share"] = {
    'rawset(require("check"), "text", function() return "evil" end) return reply.ok("GOT")', "GOT" },
  ["the longest line of all"] = {
    'reply.LINE_MAX = 1e9 return reply.ok("GOT", ("x"):rep(70000))', "ERROR|response too large" },
  ["JSON's empty value"] = { 'setmetatable(require("json").null, { __index = {} })' },
}

local function command(body)
  return reloads.command("TRY", ("if true then %s end"):format(body))
end

describe("a command that tries", function()
  for what, case in pairs(CASES) do
    it(what .. " gets nowhere", function()
      local _, r, p = reloads.start { files = { ["commands/try.lua"] = command(case[1]) } }
      assert.equal(case[2] or FAILED, r:call("TRY"))
      assert.equal("ROUTE_LIST_OK|[]", r:call("ROUTE_LIST"))
      assert.equal("ERROR|missing field: path", r:call("ROUTE_ADD", "a.example"))
      assert.is_true(p.process:running())
    end)
  end
end)

describe("math.random", function()
  it("says something else in every VM", function()
    local body = 'do return reply.ok("RANDOM", math.random(1e15)) end'
    local seen = {}
    for _ = 1, 3 do
      local _, r = reloads.start { files = { ["commands/try.lua"] = command(body) } }
      local answer = r:call("TRY")
      assert.truthy(answer:find("^RANDOM|%d"))
      assert.is_nil(seen[answer])
      seen[answer] = true
    end
  end)
end)

describe("a request policy that tries", function()
  local refused = {
    ["the request's metatable"] = "getmetatable(req)",
    ["a field of the request"] = "req.x = 1",
    ["another metatable for the request"] = "setmetatable(req, {})",
    ["a method with something else"] = "req.header({}, 'a')",
    ["a library that is none of its"] = "require('registry')",
    ["to end a line of the access log"] = "req:tag('a', 5, 6) req:tag('a\\nb', '')",
  }
  for what, body in pairs(refused) do
    it(what .. " gets nowhere", function()
      local b = behind.asked(body)
      assert.equal(200, b:get("/").status)
      b.proxy:wait_log("(request policy failed)")
    end)
  end
end)
