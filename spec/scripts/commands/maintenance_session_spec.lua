local cjson = require("cjson")
local conversation = require("spec.scripts.conversation")
local dns = require("spec.support.dns")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local refused, json = conversation.refused, conversation.json

local BACKEND = "http://127.0.0.1:1" -- nobody listens there

local function start(config)
  local settings = config or {}
  settings.maintenance = settings.maintenance or { check_interval = "10ms", timeout = "1h" }
  return conversation.start { workers = 1, config = settings }
end

local function status(r)
  return json(r:call("MAINT_STATUS"), "MAINT_STATUS_OK")
end

local function enter(r, target, ...)
  assert.equal("ACK", r:call("MAINT_ENTER", target, ...))
  assert.equal("MAINT_OK|" .. target, r:wait_event("^MAINT_OK"))
end

local function changed(r)
  local line = r:wait_event("^EVENT|maintenance_changed|")
  return cjson.decode(line:match("^EVENT|maintenance_changed|(.*)$"))
end

--- A session that waits for a backend to come back, and that backend.
local function start_waiting()
  local backend = origin.start { status = 503 }
  local r, p = start()
  r:route { to = backend.url }
  enter(r, "ALL")
  assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
  loop.eventually(function() return backend:count() > 0 end)
  return r, p, backend
end

--- No request comes any more.
local function asked_no_more(p, backend)
  local before = backend:count()
  local other = p:registry()
  other:register("witness", "one")
  local witness = origin.start { status = 503 }
  other:route { to = witness.url, host = "witness.example" }
  enter(other, "ALL")
  assert.equal("ACK", other:call("MAINT_EXIT", "ALL"))
  loop.eventually(function() return witness:count() > 5 end)
  assert.is_true(backend:count() <= before + 1)
end

describe("maintenance", function()
  it("catches routes that are applied later, by path, domain and ALL, but not by id", function()
    local r = start()
    r:route { to = BACKEND, host = "a.example", path = "/one" }
    enter(r, "r1")
    r:route { to = BACKEND, host = "a.example", path = "/two" }
    assert.same({ "r1" }, status(r).in_maintenance)
    enter(r, "/two")
    r:route { to = BACKEND, host = "b.example", path = "/two" }
    assert.same({ "r1", "r2", "r3" }, status(r).in_maintenance)
    enter(r, "a.example")
    r:route { to = BACKEND, host = "a.example", path = "/four" }
    r:route { to = BACKEND, host = "c.example", path = "/five" }
    assert.same({ "r1", "r2", "r3", "r4" }, status(r).in_maintenance)
  end)

  it("follows a route that moves to another path", function()
    local r = start()
    r:route { to = BACKEND, path = "/down" }
    r:route { to = BACKEND, path = "/up" }
    enter(r, "/down")
    r:ok("ROUTE_UPDATE", "r1", "path", "/aside")
    r:ok("ROUTE_UPDATE", "r2", "path", "/down")
    r:ok("CONFIG_APPLY")
    assert.same({ "r2" }, status(r).in_maintenance)
  end)

  it("ends with the last route that was meant by its id", function()
    local r = start()
    r:route { to = BACKEND }
    enter(r, "r1")
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    assert.equal(cjson.null, status(r).entered_at)
    refused("route not found: r1", r:call("MAINT_EXIT", "r1"))
  end)

  it("stays through a lost connection and RECONNECT", function()
    local r, p = start()
    r:route { to = BACKEND }
    enter(r, "ALL", "", "moving")
    r:close()
    p:wait_log("(Session disconnected)")
    local back = p:registry()
    assert.equal("OK", back:reconnect(r.session))
    assert.same({ "moving", "r1" }, { status(back).reason, status(back).in_maintenance[1] })
  end)

  it("is not inherited by a session that supersedes this one", function()
    local r, p = start()
    r:route { to = BACKEND }
    enter(r, "ALL")
    local new = p:registry()
    new:register("shop", "shop-1")
    assert.equal(cjson.null, status(new).entered_at)
    new:route { to = BACKEND }
    assert.same({}, status(new).in_maintenance)
  end)

  it("is told to subscribers with each change, and logged", function()
    local r, p = start()
    local other = p:registry() -- bound to no session: it watches this one
    other.session = r.session
    other:ok("SUBSCRIBE", "maintenance_changed")
    r:route { to = BACKEND, path = "/one" }
    r:route { to = BACKEND, path = "/two" }
    enter(r, "ALL", "", 'moving "house"')
    assert.same({ route_ids = { "r1", "r2" }, in_maintenance = true, service = "shop", instance = "shop-1",
      reason = 'moving "house"' }, changed(other))
    r:route { to = BACKEND, path = "/three" }
    assert.same({ "r3" }, changed(other).route_ids)
    enter(r, "r1")
    assert.equal("ACK", r:call("MAINT_EXIT", "r2,r3", "force"))
    local event = changed(other)
    assert.same({ { "r2", "r3" }, false, cjson.null }, { event.route_ids, event.in_maintenance, event.reason })
    assert.equal("PONG", other:call("PING"))
    assert.same({}, other.events)
    p:wait_log('msg="%[registry%-v2%] Maintenance entered" session=%x+ service=shop instance=shop%-1 routes=2 '
      .. 'ids=r1,r2')
    p:wait_log('Maintenance left" .* routes=2 ids=r2,r3')
  end)

  it("is told in several events when the ids do not fit into one line", function()
    local r = start()
    local one, size = '{"domains":["h%d"],"path":"/%d","backend_url":"http://127.0.0.1:1"}', 200
    for batch = 1, 11 do
      local list = {}
      for i = 1, size do
        list[i] = one:format(batch, i)
      end
      r:ok("ROUTE_ADD_BULK", "[" .. table.concat(list, ",") .. "]")
    end
    r:ok("CONFIG_APPLY")
    r:ok("SUBSCRIBE", "all")
    assert.equal("ACK", r:call("MAINT_ENTER", "ALL"))
    local first, second = changed(r), changed(r)
    assert.equal(11 * size, #first.route_ids + #second.route_ids)
    assert.equal("r2200", second.route_ids[#second.route_ids])
    assert.equal("MAINT_OK|ALL", r:next_event())
  end)
end)

describe("a command that waits", function()
  it("goes on when its connection is lost, and is heard on the one that reconnects", function()
    local r, p, backend = start_waiting()
    r:close()
    p:wait_log("(Session disconnected)")
    local back = p:registry()
    assert.equal("OK", back:reconnect(r.session))
    assert.equal("backend", status(back).waiting)
    backend:respond { status = 200 }
    assert.equal("MAINT_OK|ALL", back:next_event())
  end)

  it("takes effect while its session has no connection, and nobody hears of it", function()
    local r, p, backend = start_waiting()
    r:close()
    p:wait_log("(Session disconnected)")
    backend:respond { status = 200 }
    p:wait_log("(Maintenance left)")
    local back = p:registry()
    assert.equal("OK", back:reconnect(r.session))
    assert.same({}, status(back).in_maintenance)
    assert.same({}, back.events)
  end)

  it("ends with CLIENT_SHUTDOWN, of which no more is heard", function()
    local r, p, backend = start_waiting()
    assert.equal("SHUTDOWN_OK", r:call("CLIENT_SHUTDOWN"))
    r:wait_closed()
    assert.same({}, r.events)
    asked_no_more(p, backend)
  end)

  it("ends when its session is superseded", function()
    local r, p, backend = start_waiting()
    local new = p:registry()
    new:register("shop", "shop-1")
    r:wait_closed()
    asked_no_more(p, backend)
    assert.same({}, new.events)
  end)

  it("is heard on the unbound connection that it came over", function()
    local r, p, backend = start_waiting()
    local third = p:registry()
    assert.equal("ACK|txn-1", third:ask(("MAINT_EXIT|%s|txn-1|r1"):format(r.session)))
    backend:respond { status = 200 }
    assert.equal("MAINT_OK|txn-1|r1", third:next_event())
    assert.equal("PONG", r:call("PING"))
    assert.same({}, r.events)
  end)

  it("goes on when that connection is closed", function()
    local r, p, backend = start_waiting()
    local third = p:registry()
    assert.equal("ACK", third:ask(("MAINT_EXIT|%s|r1"):format(r.session)))
    third:close()
    backend:respond { status = 200 }
    p:wait_log("(Maintenance left)")
    assert.same({}, status(r).in_maintenance)
    assert.same({}, r.events)
  end)

  it("harms nobody when the proxy stops meanwhile", function()
    local _, p = start_waiting()
    p:stop()
  end)
end)

describe("an ENTER that still waits for its page's name", function()
  local function start_naming()
    local d = dns.start {}
    d.mute = true
    local r, p = start { timeouts = { resolve = "10m" }, resolver = { servers = { d.address } } }
    r:route { to = BACKEND }
    local third = p:registry()
    third:send(("MAINT_ENTER|%s|r1|http://pages.test/\n"):format(r.session))
    loop.eventually(function() return d.heard > 0 end)
    return r, p, third
  end

  it("has no effect yet", function()
    local r = start_naming()
    assert.same({}, status(r).in_maintenance)
  end)

  it("is refused when the session goes", function()
    local r, _, third = start_naming()
    assert.equal("SHUTDOWN_OK", r:call("CLIENT_SHUTDOWN"))
    refused("session is gone", third:receive())
  end)

  it("takes effect although its connection is gone", function()
    local r, _, third = start_naming()
    third:close()
    assert.equal("ACK", r:call("MAINT_EXIT", "ALL"))
    assert.same({ { "r1" }, "backend" }, { status(r).in_maintenance, status(r).waiting })
  end)

  it("harms nobody when the proxy stops meanwhile", function()
    local _, p = start_naming()
    p:stop()
  end)
end)
