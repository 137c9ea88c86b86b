local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local eventually = loop.eventually

local function answering(status)
  return function()
    return { status = status, body = "x" }
  end
end

describe("circuit breaker", function()
  it("answers 503 itself after as many failures as its threshold", function()
    local sick = origin.start(answering(500))
    local g = group.start({ sick.url }, { circuit = { 3, "30s", 1 } })

    for _ = 1, 3 do
      assert.equal(500, g:get("/").status)
    end
    local r = g:get("/")

    assert.equal(503, r.status)
    assert.equal("open", r.headers["X-Circuit-State"])
    assert.is_true(tonumber(r.headers["Retry-After"]) >= 29 and tonumber(r.headers["Retry-After"]) <= 30)
    assert.truthy(r.headers["Proxy-Status"]:find("destination_unavailable", 1, true))
    assert.equal(3, sick:count())
    loop.soon(function() assert.equal("open", g:circuit("r1").state) end)
    loop.soon(function() assert.equal(1, g:stats("r1").rejected.circuit) end)
  end)

  it("counts failures in a row only", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 3, "30s", 1 } })

    for _ = 1, 5 do
      g:get("/")
      g:get("/")
      o:respond(answering(200))
      assert.equal(200, g:get("/").status)
      o:respond(answering(500))
    end
    assert.equal("closed", g:circuit("r1").state)
  end)

  it("takes refused connections, broken ones and time-outs for failures", function()
    local cases = {
      [502] = origin.refusing_url(),
      [504] = origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
        stream:read_some()
      end).url,
      cut = origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
      end).url,
      garbage = origin.raw(function(stream)
        stream:read_until("\r\n\r\n")
        stream:write("no HTTP\r\n\r\n")
      end).url,
    }
    for name, url in pairs(cases) do
      local g = group.start({ url }, { circuit = { 2, "30s", 1 }, options = { timeout = "100ms", retries = "0" } })
      for _ = 1, 2 do
        local c = g.proxy:connect()
        c:send_request { path = "/" }
        c:try_receive()
        c:close()
      end
      eventually(function()
        return g:circuit("r1").state == "open"
      end)
      assert.equal(503, g:get("/").status, name)
    end
  end)

  it("does not blame a backend whose client goes away", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:read_some()
    end)
    local g = group.start({ o.url }, { circuit = { 1, "30s", 1 } })
    local c = g.proxy:connect()
    c:send_request { path = "/" }
    eventually(function()
      return g:status("r1").in_flight == 1
    end)
    c:close()
    eventually(function()
      return g:status("r1").in_flight == 0
    end)
    assert.equal("closed", g:circuit("r1").state)
    assert.equal(0, g:circuit("r1").failures)
  end)

  it("lets probes through after its time and closes when enough have passed", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 2, "500ms", 2 } })
    g:get("/")
    g:get("/")
    assert.equal(503, g:get("/").status)
    o:respond(answering(200))
    eventually(function()
      return g:circuit("r1").state == "half-open"
    end)

    assert.equal(200, g:get("/").status)
    assert.equal("half-open", g:circuit("r1").state)
    loop.soon(function() assert.equal(1, g:circuit("r1").successes) end)
    assert.equal(200, g:get("/").status)
    loop.soon(function() assert.equal("closed", g:circuit("r1").state) end)
    loop.soon(function() assert.equal(2, g:stats("r1").probes) end)
  end)

  it("opens again when a probe fails, for longer", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "500ms", 1 } })
    g.session:ok("SUBSCRIBE", "circuit_changed")
    g:get("/")
    g.session:wait_event('"to":"half%-open"')
    assert.equal(500, g:get("/").status)
    g.session:wait_event('"from":"half%-open","to":"open","cause":"a probe failed"')
    local opened = loop.now()
    g.session:wait_event('"to":"half%-open"')
    assert.is_true(loop.now() - opened > 0.6)
  end)

  it("lets no more probes through at a time than it may", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "1s", 2 } })
    g:get("/")
    local held, waiting = true, 0
    o:respond(function()
      waiting = waiting + 1
      eventually(function()
        return not held
      end)
      return { status = 200 }
    end)
    eventually(function()
      return g:circuit("r1").state == "half-open"
    end)
    local first, second = g.proxy:connect(), g.proxy:connect()
    first:send_request { path = "/" }
    second:send_request { path = "/" }
    eventually(function()
      return waiting == 2
    end)
    local r = g:get("/")
    assert.equal(503, r.status)
    assert.equal("half-open", r.headers["X-Circuit-State"])
    held = false
    assert.equal(200, first:receive().status)
    assert.equal(200, second:receive().status)
    loop.soon(function() assert.equal("closed", g:circuit("r1").state) end)
  end)

  it("lets others go when a probe takes for ever", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "600ms", 1 } })
    g:get("/")
    o:respond(function(request)
      if request.target == "/never" then
        request.stream:read_some()
      end
      return { status = 200 }
    end)
    eventually(function()
      return g:circuit("r1").state == "half-open"
    end)
    local stuck = g.proxy:connect()
    stuck:send_request { path = "/never" }
    eventually(function()
      return g:status("r1").in_flight == 1
    end)
    assert.equal(503, g:get("/").status)
    eventually(function()
      return g:get("/").status == 200
    end)
    loop.soon(function() assert.equal("closed", g:circuit("r1").state) end)
    stuck:close()
  end)

  it("sends a probe that fails to another member, so that its client sees none of it", function()
    local sick, well = origin.start(answering(500)), origin.start(answering(200))
    local g = group.start({ sick.url, well.url }, { circuit = { 1, "100ms", 1 }, options = { retries = "0" } })
    eventually(function()
      g:get("/")
      return g:circuit("r1").state == "open"
    end)
    local before = sick:count()
    eventually(function()
      assert.equal(200, g:get("/").status)
      return sick:count() > before + 1
    end)
    assert.is_true(g:stats("r1").probes >= 2)
  end)

  it("probes with requests that can be repeated, while another member can take the others", function()
    local sick, well = origin.start(answering(500)), origin.start(answering(200))
    local g = group.start({ sick.url, well.url }, { circuit = { 1, "100ms", 1 } })
    eventually(function()
      g:get("/")
      return g:circuit("r1").state == "open"
    end)
    local before = sick:count()
    eventually(function()
      return g:circuit("r1").state == "half-open"
    end)
    for _ = 1, 6 do
      assert.equal(200, g.proxy:request { method = "POST", path = "/", body = "x" }.status)
    end
    assert.equal(before, sick:count())
  end)

  it("skips an open member while another can serve", function()
    local sick, well = origin.start(answering(500)), origin.start(answering(200))
    local g = group.start({ sick.url, well.url }, { circuit = { 2, "30s", 1 } })
    for _ = 1, 8 do
      g:get("/")
    end
    assert.equal(2, sick:count())
    loop.soon(function() assert.equal("open", g:circuit("r1").state) end)
    assert.equal("closed", g:circuit("r2").state)
  end)

  it("that was never set reads closed, counts, and is not opened by traffic", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url })
    for _ = 1, 20 do
      assert.equal(500, g:get("/").status)
    end
    loop.soon(function()
      local status = g:circuit("r1")
      assert.same({ "closed", 20, 0 }, { status.state, status.failures, status.successes })
    end)
    o:respond(answering(200))
    g:get("/")
    g:get("/")
    loop.soon(function()
      local status = g:circuit("r1")
      assert.same({ 0, 2 }, { status.failures, status.successes })
    end)
  end)

  it("is shared by all workers", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 8, "30s", 1 }, workers = 4 })
    for _ = 1, 8 do
      assert.equal(500, g:get("/").status)
    end
    for _ = 1, 16 do
      assert.equal(503, g:get("/").status)
    end
    assert.equal(8, o:count())
  end)

  it("opens by the share of failures too", function()
    local n = 0
    local o = origin.start(function()
      n = n + 1
      return { status = n % 2 == 0 and 500 or 200 }
    end)
    local g = group.start({ o.url }, {
      circuit = { 100, "30s", 1 }, workers = 2,
      options = { circuit_failure_rate = "50", circuit_min_requests = "10", circuit_window = "30s" },
    })
    for i = 1, 10 do
      assert.is_not.equal(503, g:get("/").status)
      -- Success is known when the response has left, and the next may go to another worker.
      loop.soon(function() assert.equal(i, g:stats("r1").requests) end)
    end
    assert.equal(503, g:get("/").status)
    assert.truthy(g.proxy:wait_log('circuit changed.-cause="(share of failures)"'))
  end)

  it("reset closes at once and starts to count anew", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 2, "30s", 1 } })
    g:get("/")
    g:get("/")
    assert.equal(503, g:get("/").status)
    assert.equal("CIRCUIT_OK", g.session:call("CIRCUIT_BREAKER_RESET", "r1"))
    assert.equal("closed", g:circuit("r1").state)
    o:respond(answering(200))
    assert.equal(200, g:get("/").status)
  end)

  it("of a route that moved to another backend starts anew", function()
    local sick, well = origin.start(answering(500)), origin.start(answering(200))
    local g = group.start({ sick.url }, { circuit = { 1, "30s", 1 } })
    g:get("/")
    assert.equal(503, g:get("/").status)
    g.session:ok("ROUTE_UPDATE", "r1", "backend_url", well.url)
    g.session:ok("CONFIG_APPLY")
    assert.equal(200, g:get("/").status)
    assert.equal("closed", g:circuit("r1").state)
  end)

  it("gives a probe that cannot be repeated its backend's own answer", function()
    local a, b = origin.start(answering(500)), origin.start(answering(500))
    local g = group.start({ a.url, b.url }, { circuit = { 1, "100ms", 1 } })
    eventually(function()
      g:get("/")
      return g:circuit("r1").state == "open" and g:circuit("r2").state == "open"
    end)
    eventually(function()
      return g:circuit("r1").state == "half-open" and g:circuit("r2").state == "half-open"
    end)
    local r = g.proxy:request { method = "POST", path = "/", body = "x" }
    assert.same({ 500, "x" }, { r.status, r.body })
  end)

  it("remembers when it was open", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "30s", 1 } })
    assert.equal(require("cjson").null, g:circuit("r1").opened_at)
    g:get("/")
    local opened_at = g:circuit("r1").opened_at
    g.session:ok("CIRCUIT_BREAKER_RESET", "r1")
    assert.equal(opened_at, g:circuit("r1").opened_at)
  end)

  it("survives an apply", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "30s", 1 } })
    g:get("/")
    g.session:ok("ROUTE_ADD", "other.example", "/", o.url, 0)
    g.session:ok("CONFIG_APPLY")
    assert.equal(503, g:get("/").status)
  end)

  it("tells each change once, with its cause", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "100ms", 1 }, workers = 2 })
    g.session:ok("SUBSCRIBE", "circuit_changed")
    g:get("/")
    local line = g.session:next_event()
    assert.truthy(line:find('{"route_id":"r1","from":"closed","to":"open",'
      .. '"cause":"failures in a row","next_attempt":"20', 1, true), line)
    o:respond(answering(200))
    line = g.session:next_event()
    assert.truthy(line:find('"from":"open","to":"half-open","cause":"the open time is over"', 1, true), line)
    assert.equal(200, g:get("/").status)
    line = g.session:next_event()
    assert.truthy(line:find('"from":"half-open","to":"closed","cause":"probes passed"', 1, true), line)
    assert.same({}, g.session.events)
  end)
end)

describe("a group with panic=fail_open", function()
  it("goes on when all its members are down, and says so, until one is back", function()
    local a, b = origin.start(answering(500)), origin.start(answering(500))
    local g = group.start({ a.url, b.url }, { circuit = { 1, "300ms", 1 }, options = { panic = "fail_open" } })
    g.session:ok("SUBSCRIBE", "backend_health_changed")
    eventually(function()
      g:get("/")
      return g:circuit("r1").state == "open" and g:circuit("r2").state == "open"
    end)
    assert.is_true(g:status("r1").effective.panic)
    a:respond(answering(200))
    b:respond(answering(200))
    assert.equal(200, g:get("/").status)
    assert.is_true(g:stats("r1").panicked + g:stats("r2").panicked >= 1)
    assert.truthy(g.session:wait_event('"healthy":false,"panic":true'))
    g.proxy:wait_log("panic: all members are down")

    eventually(function()
      return g:get("/").status == 200 and g:circuit("r1").state == "closed" and g:circuit("r2").state == "closed"
    end)
    assert.truthy(g.session:wait_event('"healthy":true,"panic":false'))
    assert.is_false(g:status("r1").effective.panic)
  end)

  it("is refused like any other without the option", function()
    local o = origin.start(answering(500))
    local g = group.start({ o.url }, { circuit = { 1, "30s", 1 }, options = { panic = "none" } })
    g:get("/")
    assert.equal(503, g:get("/").status)
    assert.equal(0, g:stats("r1").panicked)
  end)
end)
