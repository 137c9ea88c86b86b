local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function serve(p, service, instance, url)
  local s = p:registry()
  s:register(service, instance)
  s:route { to = url, host = "a.example" }
  return s
end

local function assert_all_served(result)
  assert.equal(0, result.failed)
  assert.same({ ["200"] = result.requests }, result.statuses)
  assert.is_true(result.requests > 0)
end

describe("under load no request fails", function()
  it("when one of two backends is killed, comes back, and is killed again", function()
    local a, b = origin.process { name = "a" }, origin.process { name = "b" }
    local p = proxy.start { workers = 2 }
    serve(p, "shop", "a", a.url)
    serve(p, "shop", "b", b.url)
    local l = load.start { url = p.url, host = "a.example", connections = 16 }

    for _ = 1, 3 do
      l:run_for(0.3)
      a:kill()
      l:run_for(0.3)
      a:restart()
    end
    local result = l:stop()
    assert_all_served(result)
    assert.is_true(result.origins.a > 0 and result.origins.b > 0)
  end)

  it("when a service is restarted with the same names", function()
    local old, new = origin.process { name = "old" }, origin.process { name = "new" }
    local p = proxy.start { workers = 2 }
    local first = serve(p, "shop", "a", old.url)
    local l = load.start { url = p.url, host = "a.example", connections = 8 }
    l:run_for(0.2)
    local second = p:registry()
    second:register("shop", "a")
    l:run_for(0.2)
    assert.equal("closed", first:wait_closed())
    second:route { to = new.url, host = "a.example" }
    old:kill()
    l:run_for(0.2)

    local result = l:stop()
    assert_all_served(result)
    assert.is_true(result.origins.old > 0 and result.origins.new > 0)
  end)

  it("when a session loses its connection and comes back", function()
    local a = origin.process { name = "a" }
    local p = proxy.start { workers = 2 }
    local s = serve(p, "shop", "a", a.url)
    local l = load.start { url = p.url, host = "a.example", connections = 8 }
    for _ = 1, 5 do
      s:reset()
      l:run_for(0.05)
      local again = p:registry()
      assert.equal("OK", again:reconnect(s.session))
      s = again
    end

    assert_all_served(l:stop())
  end)

  it("when sessions come, apply and go", function()
    local a = origin.process { name = "a" }
    local p = proxy.start { workers = 2 }
    serve(p, "shop", "a", a.url)
    local l = load.start { url = p.url, host = "a.example", connections = 8 }
    for i = 1, 100 do
      local s = p:registry()
      s:register("other" .. i, "one")
      s:route { to = a.url, host = ("h%d.example"):format(i) }
      if i % 2 == 0 then
        assert.equal("SHUTDOWN_OK", s:call("CLIENT_SHUTDOWN"))
      else
        s:close()
      end
    end

    assert_all_served(l:stop())
  end)
end)

describe("a session's routes", function()
  it("go at once with CLIENT_SHUTDOWN, and its requests in flight finish", function()
    local o = origin.start { body = "slow", delay = 0.3 }
    local p = proxy.start { route = { to = o.url } }
    local c = p:connect()
    c:send_request {}
    loop.eventually(function()
      return o:count() == 1
    end)
    assert.equal("SHUTDOWN_OK", p.session:call("CLIENT_SHUTDOWN"))

    assert.equal(404, p:get("/").status)
    assert.equal("slow", c:receive().body)
  end)

  it("end with its grace period", function()
    local o = origin.start()
    local p = proxy.start { config = { timeouts = { grace = "300ms" } }, route = { to = o.url } }
    p.session:close()
    assert.equal(200, p:get("/").status)

    loop.eventually(function()
      return p:get("/").status == 404
    end)
  end)
end)

describe("SIGTERM", function()
  it("tells services, finishes requests in flight and ends with 0", function()
    local o = origin.start { body = "slow", delay = 0.3 }
    local p = proxy.start { route = { to = o.url } }
    local busy, idle = p:connect(), p:connect()
    idle:get("/")
    busy:send_request {}
    loop.eventually(function()
      return o:count() == 2
    end)
    p:signal("TERM")

    assert.equal("SHUTDOWN", p.session:next_event())
    local r = busy:receive()
    assert.equal("slow", r.body)
    assert.equal("close", r.headers.Connection)
    assert.equal("closed", idle:wait_closed())
    assert.equal(0, p:wait_exit())
  end)

  it("ends what takes longer than shutdown_timeout", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:read_some()
    end)
    local p = proxy.start { config = { timeouts = { shutdown = "200ms" } }, route = { to = o.url } }
    local c = p:connect()
    c:send_request {}
    loop.eventually(function()
      return o.accepted == 1
    end)
    p:signal("TERM")

    assert.equal(0, p:wait_exit())
  end)
end)

describe("SIGHUP", function()
  it("puts a changed configuration in force, static routes and all", function()
    local o = origin.start()
    local config = { unknown_host = 503, routes = { { domains = "a.example", path = "/", backend_url = o.url } } }
    local p = proxy.start { config = config }
    assert.equal(200, p:get("/", { host = "a.example" }).status)
    assert.equal(503, p:get("/", { host = "b.example" }).status)

    config.unknown_host = 404
    config.routes[1].domains = "b.example"
    config.response_headers = { ["X-New"] = "yes" }
    p:write_config(config)
    p:reload()
    p:wait_log("configuration reloaded") -- by all workers
    assert.equal(200, p:get("/", { host = "b.example" }).status)
    assert.equal(404, p:get("/", { host = "a.example" }).status)
    assert.equal("yes", p:get("/", { host = "b.example" }).headers["X-New"])
  end)

  it("refuses a bad one with the reason, and nothing is disturbed", function()
    local o = origin.start()
    local p = proxy.start { config = { retries = 1 }, route = { to = o.url } }
    p:write_config('timeout = { head = "1s" }\n')
    p:reload()

    p:wait_log("tidelock%.lua:1: unknown key .-timeout.- did you mean .-timeouts")
    assert.equal(200, p:get("/").status)
    assert.equal("PONG", p.session:call("PING"))
  end)

  it("tells subscribers that the configuration changed", function()
    local p = proxy.start { config = {} }
    local s = p:registry()
    s:register("spec", "one")
    assert.equal("SUBSCRIBE_OK", s:call("SUBSCRIBE", "global_config_changed"))
    p:reload()

    assert.truthy(s:next_event():find('^EVENT|global_config_changed|{.*"generation":%s*%d+'))
  end)
end)
