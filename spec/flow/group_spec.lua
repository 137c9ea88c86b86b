local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local eventually = loop.eventually

describe("a group whose members differ", function()
  it("sends a large body to a member that takes it", function()
    local small, large = origin.start(), origin.start()
    local g = group.start({ small.url, large.url })
    g.session:ok("OPTIONS_SET", "r1", "max_body_size", "10")
    g.session:ok("CONFIG_APPLY")
    for _ = 1, 4 do
      assert.equal(200, g.proxy:request({ method = "POST", path = "/", body = ("x"):rep(100) }).status)
    end
    assert.same({ 0, 4 }, { small:count(), large:count() })
    g.session:ok("OPTIONS_SET", "ALL", "max_body_size", "10")
    g.session:ok("CONFIG_APPLY")
    assert.equal(413, g.proxy:request({ method = "POST", path = "/", body = ("x"):rep(100) }).status)
  end)

  it("finds the one good member among three that break", function()
    local function broken()
      return origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
      end)
    end
    local g = group.start({ broken().url, broken().url, origin.start().url })
    for _ = 1, 9 do
      assert.equal(200, g:get("/").status)
    end
  end)

  it("keeps a client at its member by its address, also behind a trusted proxy", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url },
      { options = { lb_policy = "ip_hash" }, config = { trusted_proxies = { "127.0.0.1" } } })
    for i = 1, 40 do
      for _ = 1, 2 do
        g:get("/", { headers = { ["X-Forwarded-For"] = "192.0.2." .. i } })
      end
    end
    assert.is_true(a:count() >= 16 and b:count() >= 16)
    assert.equal(0, a:count() % 2)
  end)

  it("counts a request that failed for a route that is gone when it ends", function()
    local release = false
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      eventually(function()
        return release
      end)
    end)
    local g = group.start({ o.url }, { options = { retries = "3" } })
    local c = g.proxy:connect()
    c:send_request { path = "/" }
    eventually(function()
      return g:status("r1").in_flight == 1
    end)
    g.session:ok("HEADERS_SET", "r1", "X-A", "b")
    g.session:ok("CONFIG_APPLY")
    release = true
    assert.equal(502, c:receive().status)
    loop.soon(function()
      local stats = g:stats("r1")
      assert.same({ 1, 1, 1 }, { stats.requests, stats.errors, stats.status_codes["502"] })
    end)
  end)

  it("shows the page to a request whose backend breaks when maintenance has begun", function()
    local release = false
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      eventually(function()
        return release
      end)
    end)
    local g = group.start({ o.url })
    local c = g.proxy:connect()
    c:send_request { path = "/" }
    eventually(function()
      return g:status("r1").in_flight == 1
    end)
    assert.equal("ACK", g.session:call("MAINT_ENTER", "ALL"))
    release = true
    assert.equal("true", c:receive().headers["X-Maintenance-Mode"])
  end)

  it("does not go round in circles for a page that leads back to the proxy", function()
    local g = group.start({ origin.start().url }, { config = { maintenance = { check_interval = "20ms" } } })
    g.session:ok("ROUTE_ADD", "127.0.0.1", "/", origin.start().url, 0)
    g.session:ok("CONFIG_APPLY")
    assert.equal("ACK", g.session:call("MAINT_ENTER", "r1", g.proxy.url))
    g.session:wait_event("^MAINT_OK|r1$")
    assert.equal("ACK", g.session:call("MAINT_ENTER", "ALL", g.proxy.url))
    local before = g.proxy:descriptors()
    assert.equal("true", g:get("/").headers["X-Maintenance-Mode"])
    assert.is_true(g.proxy:descriptors() < before + 20)
  end)
end)
