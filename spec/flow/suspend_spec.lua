local backends = require("spec.support.backends")
local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")
local web = require("spec.support.web")

local TIMEOUT_S, SUSPENDED_S = 2.8, 3
local TIMEOUT = TIMEOUT_S .. "s"
local MANY = 90 -- more than the loop hears of in one turn

--- A backend that answers when the gate is open; "/silent" never.
local function holding(scheme, gate)
  return backends.start(scheme, function(request)
    while not gate.open or (request.path == "/silent" and not gate.ended) do
      loop.delay(0.01)
    end
    return { status = 200, body = "late" }
  end)
end

--- Suspends a proxy for longer than its time-outs.
-- @param meanwhile function: what the others do
local function suspend(p, meanwhile)
  local from = loop.now()
  p:signal("STOP")
  meanwhile()
  loop.eventually(function() return loop.now() >= from + SUSPENDED_S end)
  p:signal("CONT")
end

local HTTP, H2C = "a.example", "two.example"

--- A proxy with time-outs that are shorter than the suspension, one host for each kind of backend.
local function started()
  local gate, timeouts = {}, {}
  local one, two = holding("http", gate), holding("h2c", gate)
  for _, name in ipairs { "head", "handshake", "keep_alive", "body", "send", "connect", "response", "registry_idle" } do
    timeouts[name] = TIMEOUT
  end
  local p = proxy.start(web.listening { workers = 1, host = HTTP, config = { timeouts = timeouts } })
  local s = p:registry()
  s:register("spec", "one")
  for host, o in pairs { [HTTP] = one, [H2C] = two } do
    local id = s:ok("ROUTE_ADD", host, "/", o.url, 0)
    s:ok("OPTIONS_SET", id, "retries", "0")
  end
  s:ok("CONFIG_APPLY")
  return p, gate, one, two
end

describe("a proxy that was suspended for longer than its time-outs", function()
  it("serves what came meanwhile, of all versions, and gives up what nothing came for", function()
    local p, gate, one, two = started()
    local requests = {}
    local function start(way, count, host)
      for _ = 1, count do
        requests[#requests + 1] = web.client(p, way):start { path = "/", host = host }
      end
    end
    for _, way in ipairs(web.WAYS) do
      start(way, 3, HTTP)
      start(way, 3, H2C)
    end
    start(web.WAYS[1], MANY, HTTP)
    start(web.WAYS[1], MANY, H2C)
    local silent, half = p:connect(), p:connect()
    silent:send_request { path = "/silent" }
    half:send("GET / HT")
    -- HTTP/2 has one connection, whose requests this backend takes one by one.
    loop.eventually(function() return one:count() == 12 + MANY + 1 and two:count() >= 1 end)
    suspend(p, function() gate.open = true end)

    for i, request in ipairs(requests) do
      local r = request:response()
      assert.equal(200, r.status, "request " .. i)
      assert.equal("late", r.body)
    end
    assert.equal(504, silent:receive().status)
    assert.equal(408, half:receive().status)
    gate.ended = true
  end)

  it("takes the requests of clients that went on, and lines of the registry", function()
    local p, gate = started()
    gate.open = true
    local idle, halves, fresh = {}, {}, {}
    local registry = p:registry()
    for i = 1, MANY do
      halves[i] = p:connect()
      halves[i]:send("GET / HTTP/1.1\r\nHost: a.exam")
      idle[i] = p:connect()
    end
    for i = 1, 10 do
      assert.equal(200, idle[i]:get("/").status)
    end
    suspend(p, function()
      registry:send("PROXY_STATUS\n")
      for i = 1, MANY do
        halves[i]:send("ple\r\n\r\n")
        idle[i]:send_request { path = "/" }
        fresh[i] = p:connect()
        fresh[i]:send_request { path = "/" }
      end
    end)

    for i = 1, MANY do
      assert.equal(200, halves[i]:receive().status)
      assert.equal(200, idle[i]:receive().status)
      assert.equal(200, fresh[i]:receive().status)
    end
    local line = registry:try_line()
    assert.truthy(line and line:find("^PROXY_STATUS_OK"), line)
  end)

  it("takes the answers to its health checks", function()
    local gate = {}
    local o = holding("http", gate)
    local p, r = checks.start()
    for i = 1, MANY do
      r:ok("HEALTH_SET", r:ok("ROUTE_ADD", i .. ".example", "/", o.url, 0), "/health", "1h", TIMEOUT)
    end
    r:ok("CONFIG_APPLY")
    loop.eventually(function() return o:count() == MANY end)
    suspend(p, function() gate.open = true end)

    for i = 1, MANY do
      local function health() return checks.health(r, "r" .. i) end
      loop.eventually(function() return health().checks == 1 end)
      assert.equal("healthy", health().state)
      assert.equal(0, health().failures)
    end
  end)
end)
