local cjson = require("cjson")
local conversation = require("spec.scripts.conversation")
local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local json = conversation.json

local PAGE_TIMEOUT = "ERROR|timeout waiting for maintenance page to become reachable"
local BACKEND_TIMEOUT = "ERROR|timeout waiting for backend to become reachable"

local function status(r)
  return json(r:call("MAINT_STATUS"), "MAINT_STATUS_OK")
end

--- @param maintenance settings: how often and how long is waited
local function start(maintenance)
  local settings = { check_interval = "10ms", timeout = "1h" }
  for key, value in pairs(maintenance or {}) do
    settings[key] = value
  end
  return conversation.start { workers = 1, config = { maintenance = settings } }
end

--- A server that answers 503 until it is told to answer 200.
local function sick_origin()
  return origin.start { status = 503 }
end

local function said_nothing(r)
  assert.equal("PONG", r:call("PING"))
  assert.same({}, r.events)
end

--- Waits until a server was asked n times more.
local function asked_again(o, n)
  local before = o:count()
  loop.eventually(function() return o:count() >= before + n end)
end

describe("MAINT_ENTER with a page URL", function()
  it("is in force at once, and over when the URL answers below 500", function()
    local r = start()
    local page = sick_origin()
    r:route { to = "http://127.0.0.1:1" }
    assert.equal("ACK", r:call("MAINT_ENTER", "ALL", page.url .. "/down/now"))
    local s = status(r)
    assert.same({ "r1" }, s.in_maintenance)
    assert.same({ page.url .. "/down/now", "page" }, { s.maintenance_backend, s.waiting })
    asked_again(page, 2)
    said_nothing(r)
    page:respond { status = 404 }
    assert.equal("MAINT_OK|ALL", r:next_event())
    assert.equal(cjson.null, status(r).waiting)
    assert.equal("/down/now", page.requests[1].target)
  end)

  it("says so when the URL does not answer in time, and stays in maintenance", function()
    local r, p = start { timeout = "60ms" }
    local page = sick_origin()
    r:route { to = "http://127.0.0.1:1" }
    assert.equal("ACK|txn-1", r:call("MAINT_ENTER", "txn-1", "r1", page.url))
    assert.equal((PAGE_TIMEOUT:gsub("ERROR", "ERROR|txn-1")), r:next_event())
    local s = status(r)
    assert.same({ "r1" }, s.in_maintenance)
    assert.same({ page.url, cjson.null }, { s.maintenance_backend, s.waiting })
    p:wait_log('Maintenance page not reachable" .* reason="answered 503"')
  end)

  it("tries a page server that refuses connections or does not answer", function()
    local r = start { timeout = "60ms" }
    local silent = origin.start { delay = 1 }
    r:route { to = "http://127.0.0.1:1" }
    for _, url in ipairs({ origin.refusing_url(), silent.url }) do
      assert.equal("ACK", r:call("MAINT_ENTER", "r1", url))
      assert.equal(PAGE_TIMEOUT, r:next_event())
    end
  end)

  it("takes a name that does not resolve", function()
    local r = conversation.start { workers = 1, config = {
      maintenance = { check_interval = "10ms", timeout = "50ms" },
      timeouts = { resolve = "20ms" }, resolver = { servers = "127.0.0.1:1" },
    } }
    r:route { to = "http://127.0.0.1:1" }
    assert.equal("ACK", r:call("MAINT_ENTER", "r1", "http://pages.invalid/"))
    assert.same({ "r1" }, status(r).in_maintenance)
    assert.equal(PAGE_TIMEOUT, r:next_event())
  end)

  it("takes a name", function()
    local r = start()
    local page = origin.start()
    r:route { to = "http://127.0.0.1:1" }
    assert.equal("ACK", r:call("MAINT_ENTER", "r1", ("http://localhost:%d"):format(page.port)))
    assert.equal("MAINT_OK|r1", r:next_event())
  end)
end)

describe("MAINT_EXIT", function()
  --- A session in maintenance with one route for each backend.
  local function start_inside(settings, ...)
    local r, p = start(settings)
    for i, backend in ipairs({ ... }) do
      r:route { to = backend.url, host = ("h%d.example"):format(i) }
    end
    assert.equal("ACK", r:call("MAINT_ENTER", "ALL"))
    assert.equal("MAINT_OK|ALL", r:next_event())
    return r, p
  end

  it("keeps the page until all backends concerned answer below 500", function()
    local a, b, c = sick_origin(), sick_origin(), sick_origin()
    local r = start_inside(nil, a, b, c)
    assert.equal("ACK", r:call("MAINT_EXIT", "r1,h2.example"))
    assert.equal("backend", status(r).waiting)
    a:respond { status = 404 }
    asked_again(b, 2)
    assert.same({ "r1", "r2", "r3" }, status(r).in_maintenance)
    said_nothing(r)
    b:respond { status = 200 }
    assert.equal("MAINT_OK|r1,h2.example", r:next_event())
    local s = status(r)
    assert.same({ { "r3" }, cjson.null }, { s.in_maintenance, s.waiting })
    assert.equal(0, c:count())
  end)

  it("asks one URL once for all its routes", function()
    local a = origin.start()
    local r = start_inside({ check_interval = "1h" }, a, a, a)
    assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
    assert.equal("MAINT_OK|ALL", r:next_event())
    assert.equal(1, a:count())
  end)

  it("asks more backends than it asks at a time", function()
    local backends = {}
    for i = 1, 40 do
      backends[i] = origin.start()
    end
    local r = start_inside(nil, unpack(backends))
    assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
    assert.equal("MAINT_OK|ALL", r:next_event())
    for _, backend in ipairs(backends) do
      assert.equal(1, backend:count())
    end
  end)

  it("says so when one does not answer in time, and stays in maintenance", function()
    local a, b = origin.start(), sick_origin()
    local r, p = start_inside({ timeout = "80ms" }, a, b)
    assert.equal("ACK|txn_9", r:call("MAINT_EXIT", "txn_9", "ALL"))
    assert.equal((BACKEND_TIMEOUT:gsub("ERROR", "ERROR|txn_9")), r:next_event())
    local s = status(r)
    assert.same({ { "r1", "r2" }, cjson.null }, { s.in_maintenance, s.waiting })
    p:wait_log("(Backend not reachable, maintenance stays)")
  end)

  it("does not wait for the time between two tries before the first", function()
    local r = start_inside({ check_interval = "1h" }, origin.start())
    assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
    assert.equal("MAINT_OK|ALL", r:next_event())
  end)

  it("asks the backend that is live, when an apply changes it meanwhile", function()
    local r = start_inside(nil, sick_origin())
    local new = origin.start()
    assert.equal("ACK", r:call("MAINT_EXIT", "r1"))
    r:ok("ROUTE_UPDATE", "r1", "backend_url", new.url)
    r:ok("CONFIG_APPLY")
    assert.equal("MAINT_OK|r1", r:next_event())
    assert.is_true(new:count() > 0)
    assert.same({}, status(r).in_maintenance)
  end)

  it("is over when the routes it waits for are removed", function()
    local r = start_inside(nil, sick_origin(), origin.start())
    assert.equal("ACK", r:call("MAINT_EXIT", "r1"))
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    assert.equal("MAINT_OK|r1", r:next_event())
    assert.same({ "r2" }, status(r).in_maintenance)
  end)
end)

describe("a newer command", function()
  it("ends the one that waits, of which no more is heard", function()
    local page, backend = sick_origin(), sick_origin()
    local r = start()
    r:route { to = backend.url }
    assert.equal("ACK", r:call("MAINT_ENTER", "r1", page.url))
    asked_again(page, 1)
    assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
    asked_again(backend, 1)
    assert.equal("ACK", r:call("MAINT_ENTER", "/", "", "stay"))
    assert.equal("MAINT_OK|/", r:next_event())
    page:respond { status = 200 }
    backend:respond { status = 200 }
    assert.equal(cjson.null, status(r).waiting)
    assert.same({ "r1" }, status(r).in_maintenance)
    assert.equal("ACK", r:call("MAINT_EXIT", "r1"))
    assert.equal("MAINT_OK|r1", r:next_event())
    said_nothing(r)
  end)

  it("that is refused does not", function()
    local page = sick_origin()
    local r = start()
    r:route { to = "http://127.0.0.1:1" }
    assert.equal("ACK", r:call("MAINT_ENTER", "r1", page.url))
    conversation.refused("route not found: r2", r:call("MAINT_EXIT", "r2"))
    page:respond { status = 200 }
    assert.equal("MAINT_OK|r1", r:next_event())
  end)

  it("of another session does not", function()
    local page = sick_origin()
    local r, p = start()
    r:route { to = "http://127.0.0.1:1" }
    local other = p:registry()
    other:register("shop", "shop-2")
    assert.equal("ACK", r:call("MAINT_ENTER", "r1", page.url))
    assert.equal("ACK", other:call("MAINT_ENTER", "ALL"))
    assert.equal("MAINT_OK|ALL", other:next_event())
    assert.equal("page", status(r).waiting)
    page:respond { status = 200 }
    assert.equal("MAINT_OK|r1", r:next_event())
    said_nothing(other)
  end)

  it("takes effect after one that still waits for its page's name", function()
    local d = dns.start {}
    d.mute = true
    local r, p = conversation.start { workers = 1, config = {
      timeouts = { resolve = "10m" }, resolver = { servers = { d.address } },
    } }
    local third = p:registry()
    r:route { to = "http://127.0.0.1:1" }
    r:send(r:format("MAINT_ENTER", "r1", "http://pages.test/", "old") .. "\n")
    loop.eventually(function() return d.heard > 0 end)
    assert.equal("ACK", third:ask(("MAINT_ENTER|%s|ALL||new"):format(r.session)))
    assert.equal("ACK", r:receive())
    assert.equal("MAINT_OK|ALL", third:next_event())
    assert.same({ "new", cjson.null }, { status(r).reason, status(r).maintenance_backend })
    said_nothing(r)
  end)
end)
