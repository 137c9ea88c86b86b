-- A proxy whose process may have few descriptors: clients use up what is theirs, all are served, control goes on.

local cjson = require("cjson")
local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local FEW = 72

local function start(options)
  options = options or {}
  options.workers = options.workers or 1
  options.descriptors = options.descriptors or FEW
  options.config = options.config or {}
  options.config.defer_accept = false -- connections that say nothing are to be there
  return proxy.start(options)
end

--- Opens connections until the proxy has closed one of them, or takes no more.
local function use_up(p, send)
  local all = {}
  for i = 1, FEW do
    all[i] = p:connect()
    if send then
      all[i]:send(send)
    end
  end
  return all
end

describe("a proxy with few descriptors", function()
  it("serves new clients by closing idle ones", function()
    local o = origin.start()
    local p = start { route = { to = o.url } }
    local idle = use_up(p)
    for _ = 1, 20 do
      assert.equal(200, p:get("/").status)
    end
    assert.is_true(http.count_open(idle) < FEW)
    assert.is_true(p:descriptors() < FEW)
  end)

  it("goes on with registry, scripts and log while clients have taken all that is theirs", function()
    local o = origin.start()
    local p = start { route = { to = o.url }, config = { access_log = { format = "text", file = "-" } } }
    use_up(p, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
    local session = p:registry()
    session:register("other", "one")
    session:ok("ROUTE_ADD", "new.test", "/", o.url, 0)
    session:ok("CONFIG_APPLY")
    p:reload()
    p:wait_log("configuration reloaded()")
    assert.truthy(session:call("SCRIPTS_RELOAD"):find("^SCRIPTS_RELOAD_OK"))
    assert.is_true(p:descriptors() < FEW)
  end)

  it("waits without spinning, and loses nobody, while all of them are in use", function()
    local gate = { held = 0 }
    local o = origin.start(function(request)
      if request.target == "/held" then
        gate.held = gate.held + 1
        loop.eventually(function() return gate.open end)
      end
      return { body = request.target }
    end)
    local p = start { route = { to = o.url } }
    local tasks = {}
    for i = 1, FEW do
      tasks[i] = loop.spawn(function() return p:get("/held").body end)
    end
    p:wait_log('accepting pauses"()')
    local cpu, from = p:cpu_seconds(), loop.now()
    loop.delay(1)
    assert.is_true(p:cpu_seconds() - cpu < 0.5 * (loop.now() - from))
    assert.is_true(p:descriptors() < FEW)
    gate.open = true
    for _, task in ipairs(tasks) do
      assert.equal("/held", loop.join(task))
    end
  end)

  it("answers 503, and no worse, where a backend's connection is one too many", function()
    local gate = {}
    local o = origin.start(function(request)
      if request.target == "/held" then
        loop.eventually(function() return gate.open end, 600)
      end
      return { body = "ok" }
    end)
    -- The requests of one client are enough.
    local p = start { route = { to = o.url }, config = { limits = { connections = 1000 } } }
    p:wait_log('limits ask for more descriptors than there are" needs=%d+ limit=' .. FEW .. "()")
    local c, streams, statuses = h2.connect(p.url), {}, {}
    for i = 1, FEW do
      streams[i] = c:open { path = "/held" }
    end
    c:wait(function() return c:stream_of(streams[FEW]).status end)
    gate.open = true
    for i = 1, FEW do
      local r = c:response(streams[i])
      statuses[r.status] = (statuses[r.status] or 0) + 1
      if r.status == 503 then
        assert.equal('tidelock; error=proxy_internal_error; details="no_descriptor"', r.headers["proxy-status"])
      end
    end
    assert.is_true(statuses[200] > 10)
    assert.equal(FEW, statuses[200] + statuses[503])
    loop.soon(function() assert.equal(statuses[503], p:status().refused.no_descriptor) end)
    assert.equal(200, c:request().status)
  end)

  it("uses idle connections to one backend for another", function()
    local few = origin.start()
    local p = start { route = { to = few.url, host = "few.test" } }
    loop.all((function() -- fills the pool with idle connections
      local list = {}
      for i = 1, 12 do
        list[i] = function() return p:get("/") end
      end
      return list
    end)())
    local others = {}
    local session = p:registry()
    session:register("others", "one")
    for i = 1, 30 do
      others[i] = origin.start { body = "other " .. i }
      session:ok("ROUTE_ADD", i .. ".test", "/", others[i].url, 0)
    end
    session:ok("CONFIG_APPLY")
    for _ = 1, 2 do
      for i = 1, 30 do
        assert.equal("other " .. i, p:get("/", { host = i .. ".test" }).body)
      end
    end
    assert.is_true(p:descriptors() < FEW)
  end)

  it("serves all of a load with connections of its own beside idle ones, on two workers", function()
    local o = origin.process {}
    local p = start { workers = 2, route = { to = o.url }, descriptors = FEW + 16 }
    use_up(p)
    local l = load.start { url = p.url, connections = 3, close = true, rate = 200, seconds = 2 }
    local r = l:wait()
    assert.equal(0, r.failed)
    assert.equal(r.requests, r.statuses["200"])
  end)
end)

describe("a limit of descriptors that falls while the proxy runs", function()
  it("is survived: the kernel refuses, idle ones make room, nothing spins", function()
    local o = origin.start()
    local p = proxy.start { workers = 1, route = { to = o.url } }
    local idle = {}
    for i = 1, 20 do
      idle[i] = p:connect()
      assert.equal(200, idle[i]:get("/").status)
    end
    local now = p:descriptors()
    assert.equal(0, os.execute(("prlimit --pid %d --nofile=%d:%d"):format(p.pid, now, now)))
    for _ = 1, 5 do
      assert.equal(200, p:get("/").status)
    end
    local cpu, from = p:cpu_seconds(), loop.now()
    loop.delay(0.5)
    assert.is_true(p:cpu_seconds() - cpu < 0.5 * (loop.now() - from))
    assert.is_true(http.count_open(idle) < 20)
  end)
end)

describe("the start", function()
  it("takes as many descriptors as it may have", function()
    local p = proxy.start { workers = 1 }
    local limits = sys.read_file(("/proc/%d/limits"):format(p.pid))
    local soft, hard = limits:match("Max open files%s+(%d+)%s+(%d+)")
    assert.equal(hard, soft)
  end)
end)

describe("a registry with few descriptors", function()
  local PLACES = 12 -- of 128 descriptors control keeps 32: 16 are for probes, 4 for files and the like

  local function registry_status(r)
    local status = cjson.decode((r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$")))
    return status.limits.registry_connections, status.registry.closed
  end

  local function flood(p, count, fn)
    local all = {}
    for i = 1, count do
      all[i] = p:registry()
      if fn then
        fn(all[i], i)
      end
    end
    return all
  end

  it("has strangers make room, and leaves clients what is theirs", function()
    local o = origin.start()
    local p = start { descriptors = 128, route = { to = o.url } }
    flood(p, 150)
    local clients = {}
    for i = 1, 40 do
      clients[i] = p:connect()
      clients[i]:send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
      assert.equal(200, clients[i]:receive().status)
    end
    loop.soon(function()
      local places, closed = registry_status(p.session)
      assert.equal(PLACES, places.limit)
      assert.equal(PLACES, places.used)
      assert.is_true(closed.made_room >= 150 - PLACES)
    end)
  end)

  it("says that there is no place when all that it may have speak for sessions", function()
    local p = start { descriptors = 128, route = { to = origin.start().url } }
    flood(p, PLACES - 1, function(r, i)
      r:register("service", "i" .. i)
    end)
    assert.equal("ERROR|too many connections: limits.registry_connections = " .. PLACES, p:registry():receive())
    assert.equal(200, p:get("/").status)
    assert.equal("PONG", p.session:call("PING"))
  end)
end)
