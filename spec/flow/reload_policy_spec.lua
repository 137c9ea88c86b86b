local cjson = require("cjson")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

local RELOADS = 100
local FAILURES_MAX = 5

--- A policy that marks responses.
local function marking(word, more)
  return ([[return { summary = "", %s
    on_request = function(req)
      if req:path() == "/bad" then error("no luck") end
      req:set_header("X-Asked", %q)
    end,
    on_response = function(res) res:set_header("X-Answered", %q) end }]]):format(more or "", word, word)
end

--- A proxy whose first generation has the policy own that marks with "one", on a route to a backend.
-- @return files, registry connection, proxy, backend
local function start(options)
  options = options or {}
  options.files = options.files or {}
  options.files["policies/own.lua"] = options.files["policies/own.lua"] or marking("one")
  local files, r, p = reloads.start(options)
  local o = origin.start(options.handler)
  r:route { to = o.url, options = { policy = "own" } }
  return files, r, p, o
end

--- What the policy says on so many new connections: one word, or all different ones.
local function marks(p, count)
  local seen, list = {}, {}
  for _ = 1, count do
    local mark = p:get("/").headers["X-Answered"] or "none"
    if not seen[mark] then
      seen[mark] = true
      list[#list + 1] = mark
    end
  end
  return table.concat(list, " ")
end

describe("a reload", function()
  it("has met all workers' request policies when it is told", function()
    local files, r, p, o = start { workers = 4 }
    assert.equal("one", marks(p, 16))
    for _, word in ipairs { "two", "three" } do
      files:save("policies/own.lua", marking(word))
      reloads.event(r)
      assert.equal(word, marks(p, 16))
      assert.equal(word, o.requests[#o.requests].headers["X-Asked"])
    end
  end)

  it("is met by connections that stay open", function()
    local files, r, p = start()
    local c = p:connect()
    assert.equal("one", c:request({ path = "/" }).headers["X-Answered"])
    files:save("policies/own.lua", marking("two"))
    reloads.event(r)
    assert.equal("two", c:request({ path = "/" }).headers["X-Answered"])
  end)

  it("is met by the response of a request that was on its way", function()
    local waits = true
    local files, r, p, o = start { handler = function()
      loop.eventually(function() return not waits end)
      return {}
    end }
    local c = p:connect()
    c:send_request { path = "/" }
    loop.eventually(function() return o:count() == 1 end)
    files:save("policies/own.lua", marking("two"))
    assert.equal("SCRIPTS_RELOAD_OK|2|changed", r:call("SCRIPTS_RELOAD"))
    waits = false
    assert.equal("two", c:receive().headers["X-Answered"])
    assert.equal("one", o.requests[1].headers["X-Asked"])
  end)

  it("switches on what was switched off", function()
    local files, r, p = start { workers = 2 }
    local c = p:connect()
    for _ = 1, FAILURES_MAX do
      c:request { path = "/bad" }
    end
    assert.equal("own", reloads.event(r).policy_off)
    assert.equal("none", marks(p, 8))
    files:save("commands/fresh.lua", reloads.command("FRESH"))
    reloads.event(r)
    assert.equal("one", marks(p, 8))
    assert.is_false(cjson.decode((r:ok("ROUTE_STATUS", "r1"))).policy_off)
    assert.same({}, reloads.status(r).request_policies_off)
  end)

  it("without a policy that routes have has their requests refused, and one with it served again", function()
    local files, r, p = start()
    files:remove("policies/own.lua")
    reloads.event(r)
    assert.truthy(p:get("/").headers["Proxy-Status"]:find("policy_failed", 1, true))
    files:save("policies/own.lua", marking("two"))
    reloads.event(r)
    assert.equal("two", marks(p, 4))
  end)

  it("that is refused changes nothing on the workers", function()
    local files, r, p = start()
    assert.equal("one", marks(p, 2))
    files:save("policies/own.lua", marking("two", "on_request = 5,"):gsub("on_request = function", "on_x = function"))
    assert.is_true(reloads.event(r).scripts_refused)
    assert.equal("one", marks(p, 4))
  end)

  it("that a policy's own check does not want is refused", function()
    local files, r, p = start()
    files:save("policies/own.lua", marking("two", 'check = function() return nil, "no key" end,'))
    local event = reloads.event(r)
    assert.same({ "policies/own.lua", "policies/own.lua: check: no key" }, { event.file, event.reason })
    assert.equal("one", marks(p, 4))
    files:save("policies/own.lua", marking("two", "check = function() return true end,"))
    assert.equal(2, reloads.event(r).scripts_generation)
    assert.equal("two", marks(p, 4))
  end)

  it("that a policy makes slow to load is refused, as workers would have to load it, too", function()
    local files, r, p = start()
    files:save("policies/slow.lua", "while true do end")
    local event = reloads.event(r)
    assert.same({ "policies/slow.lua", 1 }, { event.file, event.line })
    assert.truthy(event.reason:find("took longer than its 100 ms", 1, true), event.reason)
    assert.equal("one", marks(p, 4))
  end)
end)

describe("going back", function()
  it("reaches the request policies of all workers", function()
    local files, r, p = start { workers = 4, files = { ["commands/colour.lua"] = reloads.colour("red") } }
    assert.equal("one", marks(p, 8))
    files:save("commands/colour.lua", reloads.colour("blue", 'if true then error("out of paint") end'))
    reloads.event(r)
    files:save("policies/own.lua", marking("two"))
    reloads.event(r)
    assert.equal("two", marks(p, 16))
    for _ = 1, 5 do
      r:call("COLOUR")
    end
    local event = reloads.event(r)
    assert.same({ 2, 3 }, { event.scripts_generation, event.scripts_rolled_back })
    assert.equal("one", marks(p, 16))
  end)
end)

describe(("%d reloads of request policies under load"):format(RELOADS), function()
  it("lose no request, and each is answered by one of them", function()
    local files, r, p = reloads.start {
      workers = 2, config = { scripts_watch = false }, files = { ["policies/own.lua"] = marking("0") },
    }
    local o = origin.process { name = "a", body = "fine" }
    r:route { to = o.url, options = { policy = "own" } }
    local l = load.start { url = p.url, expect = "fine", connections = 8, rate = 500 }
    for i = 1, RELOADS do
      files:save("policies/own.lua", marking(tostring(i)))
      assert.equal(("SCRIPTS_RELOAD_OK|%d|changed"):format(i + 1), r:call("SCRIPTS_RELOAD"))
      assert.equal(tostring(i), p:get("/").headers["X-Answered"])
      r.events = {}
    end
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.equal(result.requests, result.statuses["200"])
    local s = cjson.decode((r:ok("STATS_GET", "r1")))
    assert.same({ 0, 0 }, { s.policy_failures, s.policy_skipped })
  end)
end)
