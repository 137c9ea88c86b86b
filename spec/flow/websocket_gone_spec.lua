local group = require("spec.support.group")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local share = require("spec.support.share")
local websocket = require("spec.support.websocket")
local websockets = require("spec.flow.websockets")

local eventually = loop.eventually
local SANITIZED = loop.SLOWNESS > 1 -- such a program keeps freed memory for a while

local function config()
  return { timeouts = { tunnel_close = "2s" } }
end

--- Wall clock ms of the newest line in the log like a pattern.
local function logged(g, pattern)
  return log_line.wall_ms(g.proxy:wait_log("time=(%S+) level=info msg=\"[^\"]*" .. pattern))
end

describe("the WebSockets of a route that is removed", function()
  it("are closed evenly within timeouts.tunnel_close, with 1001 at both ends", function()
    local g, frames = websockets.open(40, { workers = 2, config = config() })
    g.session:ok("ROUTE_REMOVE", "r1")
    g.session:ok("CONFIG_APPLY")
    local start_ms = logged(g, 'Configuration applied" [^\n]* removed=1')
    local times, whys = websockets.wait_ended(g, 40)

    assert.same({ removed = 40 }, whys)
    websockets.assert_frames(frames, 40, "the service is gone from here")
    websockets.assert_even(times, start_ms, 2000, 2)
  end)

  it("are closed when the session goes, too", function()
    local g, frames = websockets.open(5, { config = { timeouts = { tunnel_close = "300ms" } } })
    g.session:ok("CLIENT_SHUTDOWN")
    local _, whys = websockets.wait_ended(g, 5)
    assert.same({ removed = 5 }, whys)
    websockets.assert_frames(frames, 5, "the service is gone from here")
  end)

  it("are closed when it gets another backend, while new ones go there", function()
    local g, frames = websockets.open(5, { config = { timeouts = { tunnel_close = "300ms" } } })
    local other = origin.start(websocket.handler())
    g.session:ok("ROUTE_UPDATE", "r1", "backend_url", other.url)
    g.session:ok("CONFIG_APPLY")
    local ws = assert(websocket.connect(g.proxy))
    ws:send("new")
    assert.equal("new", ws:receive().payload)

    local _, whys = websockets.wait_ended(g, 5)
    assert.same({ removed = 5 }, whys)
    websockets.assert_frames(frames, 5, "the service is gone from here")
    loop.delay(0.5) -- longer than the old ones had
    ws:send("still there?")
    assert.equal("still there?", ws:receive().payload)
    assert.equal(1, g:stats("r1").tunnels_open)
  end)
end)

describe("maintenance", function()
  it("closes WebSockets evenly within timeouts.tunnel_close, with 1001 at both ends", function()
    local g, frames = websockets.open(40, { workers = 2, config = config() })
    local start_ms = share.now_ms()
    g.session:ok("MAINT_ENTER", "ALL", "")
    local times, whys = websockets.wait_ended(g, 40)

    assert.same({ maintenance = 40 }, whys)
    websockets.assert_frames(frames, 40, "the service is under maintenance")
    websockets.assert_even(times, start_ms, 2000, 2)
  end)

  it("that ends leaves the rest alone", function()
    local g, frames = websockets.open(10, { config = { timeouts = { tunnel_close = "4s" } } })
    g.session:ok("MAINT_ENTER", "ALL", "")
    eventually(function()
      return #frames.client >= 2
    end)
    g.session:ok("MAINT_EXIT", "ALL", "force")
    eventually(function()
      return g.proxy:get("/").status ~= 503
    end)
    local ended = #websockets.ends(g)
    loop.delay(1)
    assert.is_true(#websockets.ends(g) <= ended + 1)
    assert.is_true(#websockets.ends(g) < 8)
  end)

  it("leaves those of operators alone", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ o.url }, { config = {
      maintenance = { bypass_header = "X-Operator", bypass_secret = "secret" },
      timeouts = { tunnel_close = "100ms" },
    } })
    local client = assert(websocket.connect(g.proxy))
    g.session:ok("MAINT_ENTER", "ALL", "")
    local operator = assert(websocket.connect(g.proxy, { headers = { ["X-Operator"] = "secret" } }))
    assert.equal(1001, client:await_close().code)
    loop.delay(0.4)
    operator:send("still there?")
    assert.equal("still there?", operator:receive().payload)
  end)
end)

describe("an apply", function()
  it("leaves WebSockets alone whose member stays, and its options hold for them at once", function()
    local g, frames = websockets.open(3, {})
    for i = 1, 5 do
      g.session:ok("ROUTE_ADD", ("h%d.example"):format(i), "/", "http://127.0.0.1:9", 0)
      g.session:ok("CONFIG_APPLY")
    end
    loop.delay(0.3)
    assert.same({ 3, 0 }, { g:stats("r1").tunnels_open, #frames.client })

    g.session:ok("OPTIONS_SET", "r1", "websocket_idle", "100ms")
    g.session:ok("CONFIG_APPLY")
    local _, whys = websockets.wait_ended(g, 3)
    assert.same({ idle = 3 }, whys)
  end)

  it("after another leaves no old configurations behind, however old the WebSockets are", function()
    local g = websockets.open(1, {})
    for i = 1, 400 do
      g.session:ok("ROUTE_ADD", ("h%d.example"):format(i), "/some/path", "http://127.0.0.1:9", 0)
    end
    local function change(count)
      for i = 1, count do
        g.session:ok("ROUTE_UPDATE", "r2", "priority", i)
        g.session:ok("CONFIG_APPLY")
        assert(websocket.connect(g.proxy))
      end
    end
    change(20)
    local before = g.proxy:rss()
    change(120)
    -- 120 configurations of 400 routes are more than 25 MB, 120 tunnels less than 2.
    local grown = g.proxy:rss() - before
    assert.is_true(SANITIZED or grown < 8 * 1024 * 1024, ("%d KiB more"):format(grown / 1024))
    assert.equal(141, g:stats("r1").tunnels_open)
  end)
end)
