local cjson = require("cjson")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function status(r)
  return cjson.decode((r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$")))
end

--- Waits until a part of what PROXY_STATUS says is like expected: counters come after answers.
local function soon(r, expected, part)
  loop.soon(function()
    assert.same(expected, part(status(r)))
  end)
end

describe("PROXY_STATUS", function()
  it("counts each answer of the proxy itself by its reason, with a route or without", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url, host = "a.example", options = { max_body_size = "4" } } }
    local r = p:registry()
    assert.same({}, status(r).refused)
    for _ = 1, 3 do
      assert.equal(200, p:get("/").status)
    end
    assert.equal(404, p:get("/", { host = "b.example" }).status)
    assert.equal(413, p:request({ method = "POST", body = "12345" }).status)
    for _ = 1, 2 do
      local c = p:connect()
      c:send("GET / HTTP/1.1\r\nHost : a.example\r\n\r\n")
      assert.equal(400, c:receive().status)
    end
    soon(r, { no_route = 1, body_too_big = 1, bad_request = 2 }, function(s) return s.refused end)
    soon(r, 7, function(s) return s.requests end)
  end)

  it("counts requests whose client went away as broken off, not as refused", function()
    local o = origin.start(function() return { delay = 60 } end)
    local p = proxy.start { route = { to = o.url } }
    local r = p:registry()
    local c = p:connect()
    c:send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    loop.eventually(function() return o:count() == 1 end)
    c:close()
    soon(r, { client_gone = 1 }, function(s) return s.broken_off end)
    assert.same({}, status(r).refused)
    soon(r, 1, function(s) return s.closed.client_gone end)
  end)

  it("tells connections that are open from those that were, and which speak HTTP/2", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url } }
    local r = p:registry()
    local one, two = p:connect(), h2.connect(p.url)
    assert.equal(200, one:get("/").status)
    assert.equal(200, two:request({ path = "/", authority = "a.example" }).status)
    soon(r, { open = 2, open_tls = 0, open_http2 = 1, accepted = 2, accept_pauses = 0, http2 = 1,
      http2_streams = 1 },
      function(s) return s.connections end)
    one:close()
    two:close()
    soon(r, { open = 0, open_tls = 0, open_http2 = 0, accepted = 2, accept_pauses = 0, http2 = 1,
      http2_streams = 1 },
      function(s) return s.connections end)
    assert.equal(1, status(r).closed.stream_done)
  end)

  it("counts the registry's connections, lines, sessions, routes and ends", function()
    local p = proxy.start { config = { registry_token = "secret" } }
    local r, other = p:registry(), p:registry()
    assert.equal("ERROR|unauthorized", r:ask("PROXY_STATUS"))
    assert.equal("ERROR|unauthorized", other:ask("AUTH|guess"))
    r:ok("AUTH", "secret")
    r:register("shop", "one")
    r:ok("ROUTE_ADD", "a.example", "/", "http://127.0.0.1:9", 0)
    assert.equal("ERROR|invalid character", r:ask("\1"))
    other:close()
    soon(r, { done = 1 }, function(s) return s.registry.closed end)
    local registry = status(r).registry
    assert.same({ 1, 2, 1, 1 },
      { registry.connections, registry.accepted, registry.bad_lines, registry.auth_failures })
    assert.same({ connected = 1, disconnected = 0, superseded = 0 }, registry.sessions)
    assert.same({ live = 0, staged = 1 }, registry.routes)
    local lines = registry.lines
    assert.equal(lines + 1, status(r).registry.lines)
  end)

  it("says how near a limit is, and how often it was met", function()
    local p = proxy.start { config = { limits = { registry_connections = 2 } } }
    local r = p:registry()
    assert.same({ used = 1, limit = 2, refused = 0 }, status(r).limits.registry_connections)
    local second = p:registry()
    r:register("shop", "one")
    second:register("shop", "two")
    local third = p:registry()
    assert.equal("ERROR|too many connections: limits.registry_connections = 2", third:receive())
    third:wait_closed()
    assert.equal(1, status(r).limits.registry_connections.refused)
  end)

  it("says so of the limits of workers, too", function()
    local p = proxy.start { config = {
      limits = { connections = 7, connections_per_address = 1, buffer_memory = "1m" } } }
    local r = p:registry()
    local first = p:connect()
    first:send("GET ")
    loop.soon(function()
      assert.same({ used = 1, limit = 7, refused = 0 }, status(r).limits.connections)
    end)
    pcall(p.connect, p) -- which is reset
    loop.soon(function()
      assert.same({ used = cjson.null, limit = 1, refused = 1 }, status(r).limits.connections_per_address)
      assert.is_true(status(r).limits.buffer_memory.used > 0)
    end)
    assert.equal(2 * 1024 * 1024, status(r).limits.buffer_memory.limit)
    assert.is_true(status(r).limits.descriptors.used >= 1)
    first:close()
  end)

  it("says who runs: version, workers, scripts, uptime", function()
    local p = proxy.start { workers = 3 }
    local s = status(p:registry())
    assert.equal(3, s.workers)
    assert.equal(1, s.scripts_generation)
    assert.equal(0, s.log_lines_dropped)
    assert.truthy(s.version:find("^%d"))
    assert.is_true(s.uptime_seconds >= 0 and s.uptime_seconds < 600)
  end)

  it("takes a session id for what it is not asked for", function()
    local p = proxy.start()
    local r = p:registry()
    r:register("shop", "one")
    assert.truthy(r:call("PROXY_STATUS"):find("^PROXY_STATUS_OK|{"))
  end)
end)
