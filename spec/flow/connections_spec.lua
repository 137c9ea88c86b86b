-- How many connections clients may have, in all and from one address, and what becomes of the others.

local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function start(limits, options)
  options = options or {}
  local o = origin.start(options.handler)
  local config = { limits = limits, trusted_proxies = options.trusted }
  local p = proxy.start { workers = options.workers or 1, config = config, route = { to = o.url, host = "a.test" } }
  return p, o
end

--- A connection that has had a request, idle since.
local function idle(p, source)
  local c = p:connect { source = source }
  assert.equal(200, c:get("/").status)
  return c
end

--- Is one more connection reset before anything was sent? The kernel may say so as soon as it is made.
local function is_reset(p, source)
  local ok, c = pcall(p.connect, p, { source = source })
  return not ok and c:find("closed") ~= nil or ok and c:wait_closed() == "reset"
end

describe("limits.connections", function()
  it("closes the longest idle client for one more", function()
    local p = start { connections = 3 }
    local first, second, third = idle(p), idle(p), idle(p)
    assert.equal(200, first:get("/").status) -- now second is idle for longest
    local fourth = idle(p)
    assert.equal("closed", second:wait_closed())
    local fifth = idle(p)
    assert.equal("closed", third:wait_closed())
    for _, c in ipairs { first, fourth, fifth } do
      assert.equal(200, c:get("/").status)
    end
    assert.equal(2, p:status().closed.made_room)
  end)

  it("counts over all workers, and has them close each other's idle clients", function()
    local p = start({ connections = 8 }, { workers = 3 })
    local all = {}
    for i = 1, 20 do
      all[i] = idle(p)
    end
    loop.soon(function() assert.is_true(http.count_open(all) <= 8) end)
    assert.is_true(http.count_open(all) >= 1)
  end)

  it("lets others wait while all have a request, and loses none of them", function()
    local gate = { held = 0 }
    local p = start({ connections = 2 }, { handler = function(request)
      if request.target == "/held" then
        gate.held = gate.held + 1
        loop.eventually(function() return gate.open end)
      end
      return { body = request.target }
    end })
    local function get(path)
      return function()
        local r = p:get(path)
        return r.body
      end
    end
    local held = { loop.spawn(get("/held")), loop.spawn(get("/held")) }
    loop.eventually(function() return gate.held == 2 end)
    local others = {}
    for i = 1, 6 do
      others[i] = loop.spawn(get("/" .. i))
    end
    p:wait_log('accepting pauses" worker=%d error="as many connections as may be" clients=2()')
    local cpu, from = p:cpu_seconds(), loop.now()
    loop.delay(1)
    assert.is_true(p:cpu_seconds() - cpu < 0.5 * (loop.now() - from)) -- it does not spin
    assert.is_true(p:status().connections.accept_pauses > 0)
    gate.open = true
    for _, task in ipairs(held) do
      assert.equal("/held", loop.join(task))
    end
    for i, task in ipairs(others) do
      assert.equal("/" .. i, loop.join(task))
    end
  end)

  it("closes an idle session of HTTP/2 for one more, and tells it which requests were served", function()
    local p = start { connections = 2 }
    local first = h2.connect(p.url, { authority = "a.test" })
    local second = h2.connect(p.url, { authority = "a.test" })
    assert.equal(200, first:request().status)
    assert.equal(200, second:request().status)
    assert.equal(200, first:request().status) -- second is idle for longest
    local third = idle(p)
    second:wait(function() end)
    assert.equal("closed", second.closed)
    assert.same({ last = 1, code = "NO_ERROR" }, second.goaway)
    assert.equal(200, first:request().status)
    assert.equal(200, third:get("/").status)
  end)

  it("closes a client whose head has been arriving for a second, where nobody is idle", function()
    local p = start { connections = 2 }
    local slow = { p:connect(), p:connect() }
    for _, c in ipairs(slow) do
      c:send("GET / HTTP/1.1\r\n")
    end
    assert.equal(200, p:get("/").status)
    assert.equal(1, http.count_open(slow))
  end)

  it("serves every request of clients that come and go at the limit", function()
    local o = origin.process {}
    local p = proxy.start { workers = 2, config = { limits = { connections = 6 } }, route = { to = o.url } }
    for _ = 1, 6 do
      p:connect()
    end
    local l = load.start { url = p.url, connections = 4, close = true, rate = 300, seconds = 2 }
    local r = l:wait()
    assert.equal(0, r.failed)
    assert.equal(r.requests, r.statuses["200"])
  end)

  it("holds from a reload on", function()
    local p = start { connections = 2 }
    local c = { idle(p), idle(p) }
    p:write_config { limits = { connections = 3 } }
    p:reload()
    p:wait_log("configuration reloaded()")
    c[3] = idle(p)
    assert.equal(3, http.count_open(c))
    idle(p)
    loop.soon(function() assert.equal(2, http.count_open(c)) end)
  end)
end)

describe("limits.connections_per_address", function()
  it("resets one more at once, says so in the log, and serves other addresses", function()
    local p = start { connections_per_address = 3 }
    local mine = { idle(p, "127.0.0.2"), idle(p, "127.0.0.2"), idle(p, "127.0.0.2") }
    for _ = 1, 4 do
      assert.is_true(is_reset(p, "127.0.0.2"))
    end
    assert.equal(200, idle(p, "127.0.0.3"):get("/").status)
    assert.equal(3, http.count_open(mine))
    assert.equal(4, p:status().closed.address_full)
    local client, limit = p:wait_log('msg="connections of an address are refused" client=(%S+):%d+ limit=(%d+)')
    assert.same({ "127.0.0.2", "3" }, { client, limit })

    mine[1]:close()
    loop.eventually(function()
      return pcall(idle, p, "127.0.0.2")
    end)
  end)

  it("is exact over all workers", function()
    local p = start({ connections_per_address = 5 }, { workers = 3 })
    local mine = {}
    for _ = 1, 30 do
      local ok, c = pcall(p.connect, p, { source = "127.0.0.2" })
      mine[#mine + 1] = ok and c or nil
    end
    loop.soon(function() assert.equal(5, http.count_open(mine)) end)
    for _, c in ipairs(mine) do
      c:close()
    end
    loop.soon(function()
      local again = {}
      for i = 1, 5 do
        again[i] = idle(p, "127.0.0.2")
      end
      for _, c in ipairs(again) do
        assert.equal(200, c:get("/").status)
        c:close()
      end
    end)
  end)

  it("does not hold for trusted proxies", function()
    local p = start({ connections_per_address = 1 }, { trusted = { "127.0.0.2" } })
    for _ = 1, 5 do
      idle(p, "127.0.0.2")
    end
    idle(p, "127.0.0.3")
    assert.is_true(is_reset(p, "127.0.0.3"))
  end)

  it("takes any number when it is 0, and counts again when that changes", function()
    local p = start { connections_per_address = 0 }
    local c = idle(p, "127.0.0.2")
    idle(p, "127.0.0.2")
    p:write_config { limits = { connections_per_address = 1 } }
    p:reload()
    p:wait_log("configuration reloaded()")
    local counted = idle(p, "127.0.0.2")
    assert.is_true(is_reset(p, "127.0.0.2"))
    c:close() -- was not counted: nothing goes back
    loop.delay(0.05)
    assert.is_true(is_reset(p, "127.0.0.2"))
    assert.equal(200, counted:get("/").status)
  end)

  it("counts connections with HTTP/2 and TLS once each, however many requests they carry", function()
    local p = start { connections_per_address = 1 }
    local c = h2.connect(p.url, { authority = "a.test" })
    for _ = 1, 20 do
      assert.equal(200, c:request().status)
    end
    assert.is_true(is_reset(p))
    c:close()
    loop.eventually(function() return pcall(idle, p) end)
  end)
end)
