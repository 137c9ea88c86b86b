local group = require("spec.support.group")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local eventually = loop.eventually

local function enter(session, ...)
  assert.equal("ACK", session:call("MAINT_ENTER", ...))
end

local function exit(session, ...)
  assert.equal("ACK", session:call("MAINT_EXIT", ...))
end

describe("maintenance", function()
  it("shows the page as soon as ENTER is acknowledged, on every worker", function()
    local o = origin.start()
    local g = group.start({ o.url }, { workers = 4 })
    enter(g.session, "ALL", "", "moving house", "30m")
    for _ = 1, 12 do
      local r = g:get("/", { headers = { Accept = "text/html" } })
      assert.equal(503, r.status)
      assert.equal("300", r.headers["Retry-After"])
      assert.equal("true", r.headers["X-Maintenance-Mode"])
      assert.truthy(r.headers["Content-Type"]:find("^text/html"))
      assert.truthy(r.body:lower():find("maintenance", 1, true))
      assert.truthy(r.body:find("moving house", 1, true))
      assert.truthy(r.body:find("spec", 1, true))
    end
    assert.equal(0, o:count())
    assert.truthy(g.session:wait_event("^MAINT_OK|ALL$"))
    loop.soon(function() assert.equal(12, g:circuit("r1").maintenance_hits) end)
    assert.is_true(g:circuit("r1").in_maintenance)
    loop.soon(function() assert.equal(12, g:stats("r1").rejected.maintenance) end)
    assert.equal("maintenance", g:status("r1").effective.reason)
    assert.equal(g:json("MAINT_STATUS").expected_end, g:status("r1").effective["until"])
  end)

  it("speaks JSON and plain text to those who ask for it", function()
    local g = group.start({ origin.start().url })
    enter(g.session, "ALL", "", 'a "reason"')
    local r = g:get("/", { headers = { Accept = "application/json" } })
    local json = require("cjson").decode(r.body)
    assert.same({ "maintenance", 503, "spec", 'a "reason"' }, { json.error, json.status, json.service, json.reason })
    r = g:get("/", { headers = { Accept = "text/plain" } })
    assert.truthy(r.headers["Content-Type"]:find("^text/plain"))
    assert.truthy(r.body:find('a "reason"', 1, true))
  end)

  it("of one of two members leaves all to the other", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { apart = true })
    enter(g.session, "ALL")
    for _ = 1, 8 do
      assert.equal(200, g:get("/").status)
    end
    assert.same({ 0, 8 }, { a:count(), b:count() })
    enter(g.sessions[2], "ALL")
    assert.equal(503, g:get("/").status)
  end)

  it("shows the page when the other members cannot be used", function()
    local sick = origin.start { status = 500 }
    local g = group.start({ origin.start().url, sick.url }, { circuit = { 1, "30s", 1 } })
    enter(g.session, "r1")
    assert.equal(500, g:get("/").status)
    assert.equal("true", g:get("/").headers["X-Maintenance-Mode"])
  end)

  it("holds for a path and for a domain alone", function()
    local o = origin.start()
    local g = group.start({ o.url })
    g.session:ok("ROUTE_ADD", "*", "/admin", o.url, 0)
    g.session:ok("ROUTE_ADD", "a.example", "/", o.url, 0)
    g.session:ok("CONFIG_APPLY")
    enter(g.session, "/admin")
    assert.equal(503, g:get("/admin/x").status)
    assert.equal(200, g:get("/").status)
    enter(g.session, "a.example")
    assert.equal(503, g:get("/", { host = "a.example" }).status)
    assert.equal(200, g:get("/").status)
  end)

  it("ends when the backend answers: the page until then, traffic before MAINT_OK", function()
    local o = origin.start { status = 503 }
    local g = group.start({ o.url }, { config = { maintenance = { check_interval = "50ms" } } })
    enter(g.session, "ALL")
    g.session:wait_event("^MAINT_OK|ALL$")
    exit(g.session, "ALL")
    assert.equal("true", g:get("/").headers["X-Maintenance-Mode"])
    o:respond { body = "back" }
    g.session:wait_event("^MAINT_OK|ALL$")
    assert.equal("back", g:get("/").body)
  end)

  it("stays when the backend does not answer in time", function()
    local g = group.start({ origin.refusing_url() },
      { config = { maintenance = { check_interval = "20ms", timeout = "150ms" } } })
    enter(g.session, "ALL")
    g.session:wait_event("^MAINT_OK|ALL$")
    exit(g.session, "ALL")
    g.session:wait_event("^ERROR|timeout waiting for backend to become reachable$")
    assert.equal("true", g:get("/").headers["X-Maintenance-Mode"])
    exit(g.session, "ALL", "force")
    g.session:wait_event("^MAINT_OK|ALL$")
    assert.equal(502, g:get("/").status)
  end)

  it("ends with traffic although the health check had found the backend down", function()
    local well = true
    local o = origin.start(function()
      return { status = well and 200 or 500 }
    end)
    local g = group.start({ o.url }, {
      config = { health_checks = true, maintenance = { check_interval = "20ms" } },
      health = { "/health", "50ms", "1s" },
    })
    local function await(state)
      eventually(function()
        return g:status("r1").health.state == state
      end)
    end
    await("healthy")
    enter(g.session, "ALL")
    g.session:wait_event("^MAINT_OK|ALL$")
    well = false
    await("down")
    g.session:ok("HEALTH_SET", "r1", "/health", "1h", "1s") -- no check comes by itself any more
    g.session:ok("CONFIG_APPLY")
    well = true
    exit(g.session, "ALL")
    g.session:wait_event("^MAINT_OK|ALL$")
    assert.equal(200, g:get("/").status)
  end)

  it("says by itself what a service would say otherwise in its headers", function()
    local g = group.start({ origin.start().url })
    g.session:ok("HEADERS_SET", "ALL", "Cache-Control", "public, max-age=3600")
    g.session:ok("HEADERS_SET", "ALL", "Retry-After", "1")
    g.session:ok("HEADERS_SET", "ALL", "X-Own", "yes")
    g.session:ok("CONFIG_APPLY")
    enter(g.session, "ALL")
    local c = g.proxy:connect()
    local r = c:request { path = "/" }
    assert.same({ "no-store", "300", "yes" },
      { r.headers["Cache-Control"], r.headers["Retry-After"], r.headers["X-Own"] })
  end)

  it("loses no request of a group when one member goes into it and comes back under load", function()
    local a, b = origin.process { name = "a" }, origin.process { name = "b" }
    local g = group.start({ a.url, b.url }, { apart = true, workers = 2, host = "a.example" })
    local l = load.start { url = g.proxy.url, host = "a.example", connections = 16 }
    for _ = 1, 3 do
      enter(g.session, "ALL")
      g.session:wait_event("^MAINT_OK|ALL$")
      l:run_for(0.05)
      exit(g.session, "ALL")
      g.session:wait_event("^MAINT_OK|ALL$")
    end
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.same({ ["200"] = result.requests }, result.statuses)
  end)
end)

describe("a maintenance page from a page server", function()
  local FAST = { maintenance = { check_interval = "20ms", timeout = "300ms" } }

  local function page_server()
    return origin.start(function(request)
      if request.target:find("%.css$") then
        return { headers = { ["Content-Type"] = "text/css", ETag = '"c"' }, body = "body{}" }
      end
      return { headers = { ["Content-Type"] = "text/html; charset=utf-8", ["Cache-Control"] = "max-age=999" },
        body = "<p>" .. request.method .. " " .. request.target }
    end)
  end

  it("is sent with status 503, its own files as they are", function()
    local o, pages = origin.start(), page_server()
    local g = group.start({ o.url }, { config = FAST })
    enter(g.session, "ALL", pages.url .. "/closed/")
    g.session:wait_event("^MAINT_OK|ALL$")
    local r = g:get("/shop/x?y=1", { headers = { ["If-None-Match"] = '"c"', Range = "bytes=0-1" } })
    assert.equal(503, r.status)
    assert.equal("<p>GET /closed/shop/x?y=1", r.body)
    assert.equal("300", r.headers["Retry-After"])
    assert.equal("true", r.headers["X-Maintenance-Mode"])
    assert.equal("no-store", r.headers["Cache-Control"])
    local got = pages.requests[#pages.requests]
    assert.is_nil(got.headers["If-None-Match"])
    assert.is_nil(got.headers["Range"])
    assert.equal(pages.authority, got.headers["Host"])

    r = g:get("/style.css")
    assert.same({ 200, "body{}", '"c"' }, { r.status, r.body, r.headers["ETag"] })
    assert.is_nil(r.headers["X-Maintenance-Mode"])
    assert.equal(0, o:count())
  end)

  it("is the built-in one before the server has answered once, and when it answers without a body", function()
    local pages = page_server()
    pages:respond { status = 500 }
    local g = group.start({ origin.start().url }, { config = FAST })
    enter(g.session, "ALL", pages.url)
    assert.truthy(g:get("/").body:lower():find("maintenance", 1, true))
    pages:respond { headers = { ["Content-Type"] = "text/html" }, body = "ours" }
    g.session:wait_event("^MAINT_OK|ALL$")
    assert.equal("ours", g:get("/").body)
    for _, status in ipairs { 204, 304 } do
      pages:respond { status = status, headers = { ["Content-Type"] = "text/html", ETag = '"x"' } }
      local c = g.proxy:connect()
      for _ = 1, 2 do
        local r = c:request { path = "/" }
        assert.equal(503, r.status)
        assert.truthy(r.body:lower():find("maintenance", 1, true), status)
      end
    end
  end)

  it("counts as an answer for the route that it stands for", function()
    local g = group.start({ origin.start().url }, { config = FAST })
    enter(g.session, "ALL", page_server().url)
    g.session:wait_event("^MAINT_OK|ALL$")
    for _ = 1, 3 do
      g:get("/")
    end
    loop.soon(function()
      local stats = g:stats("r1")
      assert.same({ 3, 3, 3 }, { stats.requests, stats.status_codes["503"], stats.rejected.maintenance })
    end)
  end)

  it("is the built-in one for other methods, and their connection goes on", function()
    local pages = page_server()
    local g = group.start({ origin.start().url }, { config = FAST })
    enter(g.session, "ALL", pages.url)
    g.session:wait_event("^MAINT_OK|ALL$")
    local before = pages:count()
    local r = g.proxy:request { method = "POST", path = "/", body = "x" }
    assert.same({ 503, "true" }, { r.status, r.headers["X-Maintenance-Mode"] })
    assert.equal(before, pages:count())
    assert.equal(503, g.proxy:request({ method = "HEAD", path = "/" }).status)
    assert.equal(before + 1, pages:count())
  end)

  it("is the built-in one while the server is gone, breaks off or talks nonsense", function()
    local pages = page_server()
    local g = group.start({ origin.start().url }, { config = FAST })
    enter(g.session, "ALL", pages.url)
    g.session:wait_event("^MAINT_OK|ALL$")
    pages:respond { raw = "no HTTP at all\r\n\r\n", close = true }
    assert.truthy(g:get("/").body:lower():find("maintenance", 1, true))
    pages:respond { raw = "HTTP/1.1 200 OK\r\nContent-Le", close = true }
    assert.truthy(g:get("/").body:lower():find("maintenance", 1, true))
    pages:stop()
    local r = g:get("/")
    assert.same({ 503, "300", "true" }, { r.status, r.headers["Retry-After"], r.headers["X-Maintenance-Mode"] })
    assert.truthy(r.body:lower():find("maintenance", 1, true))
    pages:restart()
    pages:respond { headers = { ["Content-Type"] = "text/html" }, body = "back" }
    assert.equal("back", g:get("/").body)
  end)

  it("that never answers leaves the built-in page, and says so", function()
    local g = group.start({ origin.start().url }, { config = FAST })
    enter(g.session, "ALL", origin.refusing_url())
    g.session:wait_event("^ERROR|timeout waiting for maintenance page to become reachable$")
    assert.equal("true", g:get("/").headers["X-Maintenance-Mode"])
  end)
end)

describe("operators", function()
  it("see the backend during maintenance by a secret that no backend sees", function()
    local o = origin.start()
    local config = { maintenance = { bypass_header = "X-Peek", bypass_secret = "open-sesame" } }
    local g = group.start({ o.url }, { config = config })
    enter(g.session, "ALL")
    assert.equal(503, g:get("/").status)
    assert.equal(503, g:get("/", { headers = { ["X-Peek"] = "open-sesamf" } }).status)
    assert.equal(503, g:get("/", { headers = { ["X-Peek"] = "" } }).status)
    assert.equal(200, g:get("/", { headers = { ["x-peek"] = "open-sesame" } }).status)
    assert.is_nil(o.requests[1].headers["X-Peek"])
  end)

  it("keep a secret in a header that the proxy knows otherwise, too", function()
    local o = origin.start()
    local config = { maintenance = { bypass_header = "Max-Forwards", bypass_secret = "open-sesame" } }
    local g = group.start({ o.url }, { config = config })
    assert.equal(200, g:get("/", { headers = { ["Max-Forwards"] = "open-sesame" } }).status)
    assert.is_nil(o.requests[1].headers["Max-Forwards"])
  end)

  it("see it from their addresses", function()
    local config = { maintenance = { bypass_addresses = { "127.0.0.5" } } }
    local g = group.start({ origin.start().url }, { config = config })
    enter(g.session, "ALL")
    assert.equal(503, g:get("/").status)
    assert.equal(200, g:get("/", { source = "127.0.0.5" }).status)
    assert.equal(503, g:get("/", { source = "127.0.0.6" }).status)
  end)

  it("do not pass a drain that way", function()
    local config = { maintenance = { bypass_addresses = { "127.0.0.1" } } }
    local g = group.start({ origin.start().url }, { config = config })
    g.session:ok("DRAIN_START", "0")
    assert.equal("Draining", g:get("/").body)
  end)

  it("get the page late rather than never when a page server has to be found first", function()
    local g = group.start({ origin.start().url })
    assert.truthy(g.session:call("MAINT_ENTER", "ALL", "http://no-such-host.invalid/"):find("^ACK"))
    eventually(function()
      return g:get("/").headers["X-Maintenance-Mode"] == "true"
    end)
  end)
end)
