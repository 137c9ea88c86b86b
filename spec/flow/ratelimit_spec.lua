local behind = require("spec.scripts.policies.behind")
local cjson = require("cjson")
local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

--- Requests from one source address on connections of their own.
-- @return how many passed, the last response
local function send(g, count, from, request)
  local passed, last = 0, nil
  for _ = 1, count do
    local own = { source = from, headers = request and request.headers }
    last = g:get("/", own)
    passed = passed + (last.status == 200 and 1 or 0)
  end
  return passed, last
end

describe("rate limit", function()
  it("lets exactly its number of requests through, over all workers, and says so", function()
    local o = origin.start()
    local g = group.start({ o.url }, { ratelimit = { 10, "1h" }, workers = 4 })
    local passed, last = send(g, 30, "127.0.0.2")

    assert.equal(10, passed)
    assert.equal(10, o:count())
    assert.equal(429, last.status)
    assert.equal('"tidelock";q=10;w=3600', last.headers["RateLimit-Policy"])
    assert.equal('"tidelock";r=0;t=3600', last.headers["RateLimit"])
    assert.is_true(tonumber(last.headers["Retry-After"]) >= 350 and tonumber(last.headers["Retry-After"]) <= 360)
    assert.truthy(last.headers["Proxy-Status"]:find("http_request_denied", 1, true))
    loop.soon(function() assert.equal(20, g:stats("r1").rejected.ratelimit) end)
  end)

  it("counts every source address by itself", function()
    local g = group.start({ origin.start().url }, { ratelimit = { 3, "1h" }, workers = 2 })
    for i = 1, 40 do
      local passed = send(g, 5, ("127.0.%d.%d"):format(i % 4, 10 + i))
      assert.equal(3, passed)
    end
  end)

  it("counts the sources that it had to forget, for whoever looks at STATS_GET", function()
    local b = behind.asked('req:rate_key(req:header("X-Key"))', nil,
      { config = { limits = { ratelimit_sources = 1000 } } })
    b.session:ok("RATELIMIT_SET", "r1", 10, "1h")
    b.session:ok("CONFIG_APPLY")
    local function evicted() return cjson.decode((b.session:ok("STATS_GET", "r1"))).ratelimit_evicted end
    assert.equal(0, evicted())
    local c = b.proxy:connect()
    for i = 1, 3000 do
      c:request { path = "/", headers = { ["X-Key"] = "k" .. i } }
    end
    assert.is_true(evicted() > 500, evicted())
  end)

  it("tells on every response what is left", function()
    local g = group.start({ origin.start().url }, { ratelimit = { 3, "1h" } })
    assert.equal('"tidelock";r=2;t=1200', g:get("/").headers["RateLimit"])
    assert.equal('"tidelock";r=1;t=2400', g:get("/").headers["RateLimit"])
  end)

  it("lets one more through as time passes", function()
    local g = group.start({ origin.start().url }, { ratelimit = { 4, "4s" } })
    assert.equal(4, (send(g, 4, "127.0.0.1")))
    assert.equal(429, g:get("/").status)
    local from = loop.now()
    loop.eventually(function()
      return g:get("/").status == 200
    end)
    assert.is_true(loop.now() - from < 3) -- not the whole period
    assert.equal(429, g:get("/").status)
  end)

  it("holds for a group, whichever member answers", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { ratelimit = { 6, "1h" }, apart = true })
    assert.equal(6, (send(g, 12, "127.0.0.1")))
    assert.equal(6, a:count() + b:count())
  end)

  it("counts all domains of a route together, and each route of ALL by itself", function()
    local o = origin.start()
    local g = group.start({ o.url })
    g.session:ok("ROUTE_ADD", "a.example,b.example", "/", o.url, 0)
    g.session:ok("ROUTE_ADD", "*", "/other", o.url, 0)
    g.session:ok("RATE_LIMIT_SET", "ALL", 2, "1h")
    g.session:ok("CONFIG_APPLY")
    assert.equal(200, g:get("/").status)
    assert.equal(200, g:get("/").status)
    assert.equal(429, g:get("/").status)
    assert.equal(200, g:get("/other").status)
    assert.equal(200, g:get("/", { host = "a.example" }).status)
    assert.equal(200, g:get("/", { host = "b.example" }).status)
    assert.equal(429, g:get("/", { host = "a.example" }).status)
  end)

  it("goes on counting through an apply", function()
    local o = origin.start()
    local g = group.start({ o.url }, { ratelimit = { 2, "1h" } })
    send(g, 2, "127.0.0.1")
    g.session:ok("ROUTE_ADD", "other.example", "/", o.url, 0)
    g.session:ok("CONFIG_APPLY")
    assert.equal(429, g:get("/").status)
  end)

  it("in the shadow only counts", function()
    local o = origin.start()
    local g = group.start({ o.url }, { ratelimit = { 2, "1h" }, options = { ratelimit_shadow = "true" } })
    local passed, last = send(g, 7, "127.0.0.1")
    assert.equal(7, passed)
    assert.is_nil(last.headers["RateLimit"])
    loop.soon(function() assert.equal(5, g:stats("r1").ratelimit_shadowed) end)
    assert.equal(0, g:stats("r1").rejected.ratelimit)
  end)

  it("behind a trusted proxy goes by the address that it forwards", function()
    local config = { trusted_proxies = { "127.0.0.0/8" } }
    local g = group.start({ origin.start().url }, { ratelimit = { 2, "1h" }, config = config })
    local function forwarded(text)
      return { headers = { ["X-Forwarded-For"] = text } }
    end
    assert.equal(2, (send(g, 3, "127.0.0.1", forwarded("192.0.2.1"))))
    assert.equal(2, (send(g, 3, "127.0.0.1", forwarded("192.0.2.2, 127.0.0.9"))))
    assert.equal(0, (send(g, 1, "127.0.0.1", forwarded("203.0.113.9, 192.0.2.1"))))
    assert.equal(2, (send(g, 3, "127.0.0.1", forwarded("192.0.2.77:5000"))))
    assert.equal(0, (send(g, 1, "127.0.0.1", forwarded("192.0.2.77:5001"))))
    assert.equal(2, (send(g, 3, "127.0.0.1", forwarded("not an address"))))
  end)

  it("does not believe a stranger's X-Forwarded-For", function()
    local g = group.start({ origin.start().url }, { ratelimit = { 2, "1h" } })
    local passed = 0
    for i = 1, 5 do
      passed = passed + send(g, 1, "127.0.0.1", { headers = { ["X-Forwarded-For"] = "192.0.2." .. i } })
    end
    assert.equal(2, passed)
  end)

  it("counts a request that is tried again once", function()
    local well = origin.start()
    local g = group.start({ origin.refusing_url(), well.url }, { ratelimit = { 4, "1h" } })
    assert.equal(4, (send(g, 4, "127.0.0.1")))
    assert.equal(429, g:get("/").status)
  end)
end)
