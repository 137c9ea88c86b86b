-- How HTTP/2 connections are left by the proxy: shutdown and drains; and
-- what backends, logs and options see of it.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function start(handler, config)
  local o = origin.start(handler)
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }, o
end

local function hold()
  local gate = { waiting = 0 }
  return gate, function(request)
    if request.target == "/held" then
      gate.waiting = gate.waiting + 1
      loop.eventually(function()
        return gate.open
      end)
    end
    return { body = "ok" }
  end
end

local function until_closed(c)
  c:wait(function() end)
  return c.closed
end

describe("shutdown", function()
  it("lets streams in flight end, takes what comes before the client knows, then closes", function()
    local gate, handler = hold()
    local p = start(handler)
    local c = h2.connect(p.url)
    c.answer_pings = false -- the notice has not reached us yet
    local held = c:open({ path = "/held" })
    loop.eventually(function() return gate.waiting == 1 end)
    p:signal("TERM")
    c:wait(function() return c.goaway end)
    assert.same({ last = 2147483647, code = "NO_ERROR" }, c.goaway)
    assert.equal(200, c:request().status) -- still taken
    c:wait(function() return c.goaways == 2 end)
    assert.same({ last = 3, code = "NO_ERROR" }, c.goaway)
    c:open({ path = "/late" }) -- ignored
    gate.open = true
    assert.equal(200, c:response(held).status)
    assert.equal("closed", until_closed(c))
    assert.is_nil(c:stream_of(5).status)
    c:close()
    assert.equal(0, (p:wait_exit()))
  end)

  it("ends idle connections as soon as they have answered", function()
    local p = start()
    local c = h2.connect(p.url)
    assert.equal(200, c:request().status)
    p:signal("TERM")
    assert.equal("closed", until_closed(c))
    assert.equal(2, c.goaways)
    c:close()
    assert.equal(0, (p:wait_exit()))
  end)

  it("cuts what is still there after its time", function()
    local gate, handler = hold()
    local p = start(handler, { timeouts = { shutdown = "300ms" } })
    local c = h2.connect(p.url)
    local id = c:open({ path = "/held" })
    loop.eventually(function() return gate.waiting == 1 end)
    p:signal("TERM")
    until_closed(c)
    assert.is_nil(c:stream_of(id).status)
    assert.equal(0, (p:wait_exit()))
    gate.open = true
  end)
end)

describe("a drain", function()
  it("sends HTTP/2 clients elsewhere with GOAWAY, and serves what is in flight", function()
    local gate, handler = hold()
    local o = origin.start(handler)
    local g = group.start({ o.url }, { host = "a.test" })
    local c = h2.connect(g.proxy.url)
    local held = c:open({ path = "/held" })
    loop.eventually(function() return gate.waiting == 1 end)
    g.session:call("DRAIN_START", "3600")
    local r = c:request({ path = "/now" })
    assert.equal(200, r.status) -- at the start of an hour nobody is turned away
    c:wait(function() return c.goaways == 2 end)
    assert.equal("NO_ERROR", c.goaway.code)
    gate.open = true
    assert.equal(200, c:response(held).status)
    assert.equal("closed", until_closed(c))
  end)

  it("of one member of two sends nobody away", function()
    local a, b = origin.start(), origin.start()
    local g = group.start({ a.url, b.url }, { host = "a.test", apart = true })
    local c = h2.connect(g.proxy.url)
    g.sessions[1]:call("DRAIN_START", "3600")
    for _ = 1, 20 do
      assert.equal(200, c:request().status)
    end
    assert.is_nil(c.goaway)
  end)
end)

describe("the route option http2=false", function()
  it("has requests over HTTP/2 answered with 421, over HTTP/1 served", function()
    local o = origin.start()
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test", options = { http2 = "false" } } }
    local r = h2.connect(p.url):request({ headers = { { "accept", "text/plain" } } })
    assert.equal(421, r.status)
    assert.matches("no_http2", r.headers["proxy-status"])
    assert.equal(200, p:get("/").status)
  end)
end)

describe("a request over HTTP/2", function()
  it("is known to backends by Via, and to the access log by its protocol", function()
    local p, o = start(nil, { access_log = { format = "text", file = "-" } })
    local c = h2.connect(p.url)
    c:request({ path = "/x?y" })
    p:get("/")
    assert.equal("2.0 tidelock", o.requests[1].headers.Via)
    assert.equal("1.1 tidelock", o.requests[2].headers.Via)
    assert.equal("a.test", o.requests[1].headers.Host)
    assert.equal("/x?y", o.requests[1].target)
    loop.eventually(function() return #p:access_log() == 2 end)
    assert.equal("HTTP/2", p:access_log()[1].protocol)
    assert.equal("HTTP/1.1", p:access_log()[2].protocol)
  end)
end)
