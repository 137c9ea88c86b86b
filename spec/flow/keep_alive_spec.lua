-- How many requests a client's connection may have, and how old it may get.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function start(config, handler)
  local o = origin.start(handler)
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }, o
end

--- What the responses of a connection say about its end, and how it ended.
local function ends_of(c, count)
  local said = {}
  for i = 1, count do
    said[i] = c:get("/").headers.Connection or "stays"
  end
  return said
end

local function until_closed(c)
  c:wait(function() end)
  return c.closed
end

describe("limits.keep_alive_requests over HTTP/1.1", function()
  it("makes the last response say close, and ends the connection in order", function()
    local p = start { limits = { keep_alive_requests = 3 } }
    local c = p:connect()
    assert.same({ "stays", "stays", "close" }, ends_of(c, 3))
    assert.equal("closed", c:wait_closed())
    assert.equal(200, p:get("/").status)
    loop.soon(function() assert.equal(1, p:status().closed.client_served) end)
  end)

  it("counts the proxy's own answers", function()
    local p = start { limits = { keep_alive_requests = 2 } }
    local c = p:connect()
    assert.equal(404, c:get("/", { host = "nobody.test" }).status)
    assert.same({ "close" }, ends_of(c, 1))
    assert.equal("closed", c:wait_closed())
  end)

  it("answers what was sent before the last response, whole, when more requests were pipelined behind it", function()
    local big = ("x"):rep(300000)
    local p = start({ limits = { keep_alive_requests = 2 } }, function() return { body = big } end)
    local c = p:connect()
    for _ = 1, 4 do
      c:send_request {}
    end
    assert.equal(big, c:receive().body)
    local last = c:receive()
    assert.equal("close", last.headers.Connection)
    assert.equal(big, last.body)
    assert.equal("closed", c:wait_closed())
  end)

  it("takes any number when it is 0", function()
    local p = start { limits = { keep_alive_requests = 0 } }
    local c = p:connect()
    assert.same({ "stays", "stays", "stays", "stays" }, ends_of(c, 4))
  end)

  it("holds from a reload on, for connections that are there, too", function()
    local p = start { limits = { keep_alive_requests = 0 } }
    local c = p:connect()
    assert.same({ "stays", "stays", "stays" }, ends_of(c, 3))
    p:write_config { limits = { keep_alive_requests = 2 } }
    p:reload()
    loop.eventually(function()
      return c:get("/").headers.Connection == "close"
    end)
    assert.equal("closed", c:wait_closed())
  end)
end)

describe("timeouts.keep_alive_age over HTTP/1.1", function()
  it("lets a response that comes late enough be the last, whatever came before", function()
    local p = start { timeouts = { keep_alive_age = "1s" } }
    local c, began, count = p:connect(), loop.now(), 0
    local last
    repeat
      last = c:get("/").headers.Connection
      count = count + 1
    until last == "close"
    assert.is_true(loop.now() - began >= 0.9)
    assert.is_true(count > 1)
    assert.equal("closed", c:wait_closed())
    loop.soon(function() assert.equal(1, p:status().closed.client_aged) end)
  end)

  it("does not touch a request in progress", function()
    local p = start({ timeouts = { keep_alive_age = "1s" } }, function() return { body = "late", delay = 1.3 } end)
    local c = p:connect()
    local r = c:get("/")
    assert.equal("late", r.body)
    assert.is_nil(r.headers.Connection)
    assert.equal("close", c:get("/").headers.Connection)
  end)
end)

describe("the same over HTTP/2", function()
  it("is GOAWAY after that many requests, with all that are in progress answered", function()
    local gate = {}
    local p = start({ limits = { keep_alive_requests = 3 } }, function(request)
      if request.target == "/held" then
        loop.eventually(function() return gate.open end)
      end
      return { body = request.target }
    end)
    local c = h2.connect(p.url, { authority = "a.test" })
    local held = { c:open { path = "/held" }, c:open { path = "/held" }, c:open { path = "/held" } }
    c:wait(function() return c.goaways == 2 end)
    assert.same({ last = held[3], code = "NO_ERROR" }, c.goaway)
    gate.open = true
    for _, id in ipairs(held) do
      assert.equal("/held", c:response(id).text)
    end
    assert.equal("closed", until_closed(c))
    c:close()
    loop.soon(function() assert.equal(1, p:status().closed.client_served) end)
  end)

  it("still serves what a client sends before it knows", function()
    local p = start { limits = { keep_alive_requests = 1 } }
    local c = h2.connect(p.url, { authority = "a.test" })
    c.answer_pings = false
    assert.equal(200, c:request().status)
    c:wait(function() return c.goaway end)
    assert.equal(200, c:request().status)
    assert.equal("closed", until_closed(c))
  end)

  it("is GOAWAY with the first request past its age", function()
    local p = start { timeouts = { keep_alive_age = "500ms" } }
    local c = h2.connect(p.url, { authority = "a.test" })
    loop.eventually(function()
      assert.equal(200, c:request().status)
      return c.goaway
    end)
    assert.equal("NO_ERROR", c.goaway.code)
    assert.equal("closed", until_closed(c))
  end)
end)
