local cjson = require("cjson")
local conversation = require("spec.scripts.conversation")

local start, refused, json = conversation.start, conversation.refused, conversation.json

local BACKEND = "http://127.0.0.1:1" -- nobody listens there

local function status(r)
  return json(r:call("MAINT_STATUS"), "MAINT_STATUS_OK")
end

local function inside(r)
  return status(r).in_maintenance
end

--- A session with r1 (a.example/), r2 (b.example and c.example, /admin) and r3 (*.d.example/x/).
local function start_with_routes(options)
  local r, p = start(options)
  r:ok("ROUTE_ADD", "a.example", "/", BACKEND, 0)
  r:ok("ROUTE_ADD", "b.example,c.example", "/admin", BACKEND, 0)
  r:ok("ROUTE_ADD", "*.d.example", "/x/", BACKEND, 0)
  r:ok("CONFIG_APPLY")
  return r, p
end

local function enter(r, target, ...)
  assert.equal("ACK", r:call("MAINT_ENTER", target, ...))
  assert.equal("MAINT_OK|" .. target, r:next_event())
end

local function leave(r, target)
  assert.equal("ACK", r:call("MAINT_EXIT", target, "force"))
  assert.equal("MAINT_OK|" .. target, r:next_event())
end

describe("MAINT_ENTER", function()
  local TARGETS = {
    { "ALL", "r1", "r2", "r3" }, { "r2", "r2" }, { "r3,r1", "r1", "r3" }, { "/admin", "r2" },
    { "/admin/", "r2" }, { "/x", "r3" }, { "/", "r1" }, { "c.example", "r2" }, { "C.Example.", "r2" },
    { "*.d.example", "r3" }, { "r1, /x", "r1", "r3" }, { "r2,ALL", "r1", "r2", "r3" },
  }
  for _, case in ipairs(TARGETS) do
    it("takes the target " .. case[1], function()
      local r = start_with_routes()
      enter(r, case[1])
      assert.same({ unpack(case, 2) }, inside(r))
    end)
  end

  it("refuses targets that name no live route, all or nothing", function()
    local r = start_with_routes()
    r:ok("ROUTE_ADD", "e.example", "/staged", BACKEND, 0)
    for _, target in ipairs({ "r4", "/staged", "e.example", "/adm", "x.d.example", "all", "r9", "a b" }) do
      refused("route not found: " .. target, r:call("MAINT_ENTER", target))
      refused("route not found: " .. target, r:call("MAINT_ENTER", "r1," .. target))
    end
    refused("route not found: " .. ("x"):rep(100), r:call("MAINT_ENTER", ("x"):rep(2000)))
    assert.same({}, inside(r))
    assert.equal(cjson.null, status(r).entered_at)
  end)

  it("refuses fields that are missing, empty or wrong", function()
    local r = start_with_routes()
    refused("missing field: target", r:call("MAINT_ENTER"))
    refused("missing field: target", r:call("MAINT_ENTER", ""))
    for _, target in ipairs({ ",", "r1,", ",r1", "r1,,r2" }) do
      refused("invalid target: empty", r:call("MAINT_ENTER", target))
    end
    refused("page_url: must start with http://, https://, h2c://, h2://, ws:// or wss://",
      r:call("MAINT_ENTER", "r1", "ftp://x"))
    refused("reason too long: 1025 bytes, at most 1024", r:call("MAINT_ENTER", "r1", "", ("x"):rep(1025)))
    refused("invalid duration: duration", r:call("MAINT_ENTER", "r1", "", "", "soon"))
    refused("invalid duration: duration must be longer than 0", r:call("MAINT_ENTER", "r1", "", "", "0"))
    refused("unexpected field: y", r:call("MAINT_ENTER", "r1", "", "", "1m", "y"))
    assert.same({}, inside(r))
  end)

  it("without a page is over at once, with the target as it was written", function()
    local r = start_with_routes()
    r:send(r:format("MAINT_ENTER", "r1, /x") .. "\n" .. r:format("PING") .. "\n")
    assert.equal("ACK", r:try_line())
    assert.equal("MAINT_OK|r1, /x", r:try_line())
    assert.equal("PONG", r:try_line())
  end)

  it("carries a transaction id to its end", function()
    local r = start_with_routes()
    assert.equal("ACK|txn-1", r:call("MAINT_ENTER", "txn-1", "r1"))
    assert.equal("MAINT_OK|txn-1|r1", r:next_event())
    assert.equal("ACK|txn-2", r:call("MAINT_EXIT", "txn-2", "r1", "force"))
    assert.equal("MAINT_OK|txn-2|r1", r:next_event())
    assert.equal("ERROR|txn-3|route not found: r9", r:call("MAINT_EXIT", "txn-3", "r9"))
  end)

  it("takes ALL of a session without routes", function()
    local r = start()
    enter(r, "ALL")
    assert.same({}, inside(r))
    r:route { to = BACKEND }
    assert.same({ "r1" }, inside(r))
  end)
end)

describe("MAINT_STATUS", function()
  it("is empty before", function()
    local s = status(start_with_routes())
    local null = cjson.null
    assert.same({ in_maintenance = {}, maintenance_backend = null, entered_at = null, reason = null,
      expected_end = null, waiting = null }, s)
  end)

  it("tells all that is known", function()
    local r = start_with_routes { workers = 1, config = { maintenance = { check_interval = "10ms" } } }
    local page = require("spec.support.origin").start()
    enter(r, "r1", page.url .. "/base", "moving \"house\"", "1h")
    local s = status(r)
    assert.same({ "r1" }, s.in_maintenance)
    assert.equal(page.url .. "/base", s.maintenance_backend)
    assert.equal("moving \"house\"", s.reason)
    assert.is_truthy(s.entered_at:find("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$"))
    assert.is_true(s.expected_end > s.entered_at)
    assert.equal(cjson.null, s.waiting)
  end)

  it("comes compressed on demand", function()
    local r = start_with_routes()
    enter(r, "ALL")
    assert.same(status(r), conversation.unpack(r:call("MAINT_STATUS", "compressed"), "MAINT_STATUS_OK"))
    refused("invalid form: zip; use compressed", r:call("MAINT_STATUS", "zip"))
    refused("unexpected field: x", r:call("MAINT_STATUS", "compressed", "x"))
  end)
end)

describe("MAINT_EXIT", function()
  it("by force takes routes out at once", function()
    local r = start_with_routes()
    enter(r, "ALL")
    leave(r, "r2")
    assert.same({ "r1", "r3" }, inside(r))
    leave(r, "ALL")
    assert.same({}, inside(r))
    assert.equal(cjson.null, status(r).entered_at)
  end)

  it("is over at once where nothing is in maintenance", function()
    local r = start_with_routes()
    for _, target in ipairs({ "ALL", "r1", "/admin" }) do
      assert.equal("ACK", r:call("MAINT_EXIT", target))
      assert.equal("MAINT_OK|" .. target, r:next_event())
    end
    enter(r, "r2")
    assert.equal("ACK", r:call("MAINT_EXIT", "r1,r3"))
    assert.equal("MAINT_OK|r1,r3", r:next_event())
    assert.same({ "r2" }, inside(r))
  end)

  it("refuses what no live route has, and fields that are wrong", function()
    local r = start_with_routes()
    enter(r, "ALL")
    refused("route not found: r4", r:call("MAINT_EXIT", "r4"))
    refused("route not found: /nowhere", r:call("MAINT_EXIT", "r1,/nowhere", "force"))
    refused("missing field: target", r:call("MAINT_EXIT"))
    refused("invalid target: empty", r:call("MAINT_EXIT", "r1,"))
    refused("invalid mode: hard; use force", r:call("MAINT_EXIT", "r1", "hard"))
    refused("unexpected field: x", r:call("MAINT_EXIT", "r1", "force", "x"))
    assert.same({ "r1", "r2", "r3" }, inside(r))
  end)
end)

describe("targets", function()
  it("of the newest command win", function()
    local r = start_with_routes()
    enter(r, "ALL")
    leave(r, "/admin")
    enter(r, "b.example")
    assert.same({ "r1", "r2", "r3" }, inside(r))
    leave(r, "r2")
    assert.same({ "r1", "r3" }, inside(r))
    enter(r, "ALL")
    assert.same({ "r1", "r2", "r3" }, inside(r))
  end)

  it("add up, with the page of the newest", function()
    local r = start_with_routes()
    enter(r, "r1", "", "one")
    local entered = status(r).entered_at
    enter(r, "r2", "", "two")
    local s = status(r)
    assert.same({ "r1", "r2" }, s.in_maintenance)
    assert.same({ "two", entered }, { s.reason, s.entered_at })
    enter(r, "r1")
    assert.equal(cjson.null, status(r).reason)
  end)

  it("are each session's own", function()
    local r, p = start_with_routes()
    local other = p:registry()
    other:register("shop", "shop-2")
    other:route { to = BACKEND, host = "a.example" }
    enter(r, "ALL")
    assert.same({}, inside(other))
    enter(other, "a.example")
    leave(r, "ALL")
    assert.same({ "r1" }, inside(other))
  end)
end)
