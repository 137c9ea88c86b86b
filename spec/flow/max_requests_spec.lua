-- The option max_requests: how many requests a member has in progress at a time.

local group = require("spec.support.group")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

--- A backend that answers /held when its gate is opened, and says how many it has at a time.
local function holder()
  local o = { held = 0, most = 0 }
  local server = origin.start(function(request)
    if request.target:find("^/held") then
      o.held = o.held + 1
      o.most = math.max(o.most, o.held)
      loop.eventually(function() return o.open end)
      o.held = o.held - 1
    end
    return { body = o.name or "ok" }
  end)
  o.url = server.url
  return o
end

local function hold(g, count)
  local tasks = {}
  for i = 1, count do
    tasks[i] = loop.spawn(function() return g:get("/held") end)
  end
  return tasks
end

local function statuses(tasks)
  local seen = {}
  for _, task in ipairs(tasks) do
    local status = loop.join(task).status
    seen[status] = (seen[status] or 0) + 1
  end
  return seen
end

describe("the option max_requests", function()
  it("refuses one more with 503 and when to come again, over all workers, and counts it", function()
    local o = holder()
    local g = group.start({ o.url }, { workers = 2, options = { max_requests = "3" } })
    local held = hold(g, 3)
    loop.eventually(function() return o.held == 3 end)
    for _ = 1, 8 do -- on either worker
      local r = g:get("/")
      assert.equal(503, r.status)
      assert.equal("1", r.headers["Retry-After"])
      assert.equal('tidelock; error=connection_limit_reached; details="member_full"', r.headers["Proxy-Status"])
    end
    loop.soon(function() assert.equal(8, g:stats("r1").rejected.requests) end)
    assert.equal(8, g.proxy:status().refused.member_full)
    local effective = g:status("r1").effective
    assert.same({ "none", "member_full" }, { effective.use, effective.reason })

    o.open = true
    assert.same({ [200] = 3 }, statuses(held))
    loop.eventually(function() return g:get("/").status == 200 end)
    assert.equal(3, o.most)
  end)

  it("is never passed under load from many sides", function()
    local now, most = 0, 0
    local o = origin.start(function()
      now = now + 1
      most = math.max(most, now)
      loop.delay(0.005)
      now = now - 1
      return { body = "ok" }
    end)
    local g = group.start({ o.url }, { workers = 2, options = { max_requests = "2" } })
    local l = load.start { url = g.proxy.url, connections = 12 }
    loop.eventually(function() return g:stats("r1").requests > 500 end)
    local r = l:stop()
    assert.equal(0, r.failed)
    assert.is_true(r.statuses["200"] > 0)
    assert.is_true(r.statuses["503"] > 0)
    assert.equal(2, most)
    for _ = 1, 20 do -- no place was lost
      local function status() return g:get("/").status end
      assert.same({ 200, 200 }, loop.all { status, status })
    end
  end)

  it("sends what is too much for one member to another", function()
    local a, b = holder(), holder()
    a.name, b.name = "a", "b"
    local g = group.start({ a.url, b.url }, { options = { max_requests = "2" } })
    local held = hold(g, 4)
    loop.eventually(function() return a.held + b.held == 4 end)
    assert.same({ 2, 2 }, { a.held, b.held })
    assert.equal(503, g:get("/").status)
    a.open = true
    loop.eventually(function() return a.held == 0 end)
    loop.soon(function() assert.equal("a", g:get("/").body) end)
    b.open = true
    assert.same({ [200] = 4 }, statuses(held))
  end)

  it("gives a place back whose request failed, or whose client went away", function()
    local dead = origin.refusing_url()
    local g = group.start({ dead }, { options = { max_requests = "1" } })
    for _ = 1, 5 do
      assert.equal(502, g:get("/").status)
    end
    local o = holder()
    g = group.start({ o.url }, { options = { max_requests = "1" } })
    local c = g.proxy:connect()
    c:send_request { path = "/held" }
    loop.eventually(function() return o.held == 1 end)
    assert.equal(503, g:get("/").status)
    c:close()
    loop.eventually(function() return g:get("/").status == 200 end)
    o.open = true
  end)

  it("gives it back while a slow client still reads the proxy's own answer", function()
    local g = group.start({ origin.refusing_url() }, { options = { max_requests = "1" } })
    local slow = g.proxy:connect { receive_buffer = 2048 }
    local text = slow:format { headers = { Accept = "text/html" } }
    loop.spawn(function() slow.stream:write(text:rep(8000)) end)
    local function answered() return g:stats("r1").status_codes["502"] or 0 end
    -- Answers that nobody reads fill the way to the client.
    loop.eventually(function()
      local before = answered()
      loop.delay(0.2)
      return before > 0 and answered() == before
    end)
    loop.soon(function()
      for _ = 1, 3 do
        assert.equal(502, g:get("/").status)
      end
    end)
    assert.is_true(answered() < 8000)
    slow:reset()
  end)

  it("does not count tunnels once they are open", function()
    local o = origin.start(websocket.handler())
    local g = group.start({ o.url }, { options = { max_requests = "1" } })
    local first = assert(websocket.connect(g.proxy))
    local second = assert(websocket.connect(g.proxy))
    for _, ws in ipairs { first, second } do
      ws:send("hello")
      assert.equal("hello", ws:receive_message())
    end
  end)

  it("is followed when it changes while requests are in progress", function()
    local o = holder()
    local g = group.start({ o.url }, { options = { max_requests = "3" } })
    local held = hold(g, 2)
    loop.eventually(function() return o.held == 2 end)
    assert.equal(200, g:get("/").status)
    g.session:ok("OPTIONS_SET", "r1", "max_requests", "2")
    g.session:ok("CONFIG_APPLY")
    assert.equal(503, g:get("/").status)
    g.session:ok("OPTIONS_SET", "r1", "max_requests", "0")
    g.session:ok("CONFIG_APPLY")
    assert.equal(200, g:get("/").status)
    o.open = true
    assert.same({ [200] = 2 }, statuses(held))
  end)
end)
