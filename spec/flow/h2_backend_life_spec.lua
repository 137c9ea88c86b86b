-- Connections to h2c backends over time: idle, shared by the slow and the quick, and at the proxy's end.

local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")

local function start(url, options, config)
  return proxy.start { workers = 1, config = config, route = { to = url, host = "a.test", options = options } }
end

local function answer_all(c, body)
  for s in c.next_request, c do
    c:body_of(s)
    c:respond(s.id, { body = body or "ok" })
  end
end

-- Answers /quick at once, and all else with size bytes, as fast as they are taken.
local function sending(size)
  return h2_origin.start(function(c, _, self)
    local rests = {}
    while c:step() do
      for _, s in ipairs(c.requests) do
        local quick = s.request[":path"] == "/quick"
        c:respond(s.id, { body = quick and "quick" })
        rests[s.id] = not quick and size or nil
      end
      c.requests = {}
      c:pump(rests)
      self.stuck, self.taken = next(rests) ~= nil, c.taken[0] or 0
    end
  end)
end

describe("an idle connection", function()
  it("is ended with GOAWAY after the pool's time-out", function()
    local o = h2_origin.start(function(c, _, self)
      answer_all(c)
      self.goodbye = c.goaway and c.goaway.code
    end)
    local p = start(o.url, nil, { timeouts = { pool = "100ms" } })
    assert.equal(200, p:get("/").status)
    loop.eventually(function() return o.goodbye end)
    assert.equal("NO_ERROR", o.goodbye)
    assert.equal(200, p:get("/").status)
    assert.equal(2, o.accepted)
  end)

  it("that the backend closes costs no request, a POST neither", function()
    local o = h2_origin.start(function(c)
      local s = c:next_request()
      c:respond(s.id, { body = "ok" })
    end)
    local p = start(o.url, { retries = "0" })
    for i = 1, 100 do
      assert.equal(200, p:request({ method = i % 2 == 0 and "POST" or "GET", body = i % 2 == 0 and "x" or nil }).status)
    end
  end)

  it("answers PING and takes new SETTINGS", function()
    local o = h2_origin.start(function(c, _, self)
      local s = c:next_request()
      c:send(h2.frame("PING", 0, 0, "12345678"))
      c:send(h2.frame("SETTINGS", 0, 0, h2.settings { MAX_CONCURRENT_STREAMS = 0 }))
      c:wait(function() return c.pongs[1] end)
      c:respond(s.id, { body = "ok" })
      self.pong = c.pongs[1]
      c:next_request()
    end)
    local p = start(o.url, { connect_timeout = "3s" })
    assert.equal(200, p:get("/").status)
    assert.equal("12345678", o.pong)
    o.handler = nil
    local c = p:connect()
    c:send_request { path = "/second" }
    loop.eventually(function() return o.accepted == 2 end) -- no places any more: another connection
  end)
end)

describe("a shared connection", function()
  it("is not held up by a client that reads nothing", function()
    local size = 3 * 1024 * 1024
    local o = sending(size)
    local p = start(o.url)
    local slow = {}
    for i = 1, 40 do
      slow[i] = p:connect({ receive_buffer = 4096 })
      slow[i]:send_request { path = "/slow" }
    end
    for _ = 1, 20 do
      assert.equal("quick", p:get("/quick").body)
    end
    assert.equal(1, o.accepted)
    assert.equal(size, #slow[1]:receive().body)
  end)

  it("takes little memory for bodies that nobody reads", function()
    local o = sending(64 * 1024 * 1024)
    local p = start(o.url)
    local before = p:rss()
    local slow = p:connect({ receive_buffer = 4096 })
    slow:send_request { path = "/" }
    loop.eventually(function() return o.stuck end)
    for _ = 1, 50 do -- time enough to take more
      assert.equal("quick", p:get("/quick").body)
    end
    assert.is_true(p:rss() - before < 8 * 1024 * 1024)
    assert.is_true(o.taken < 16 * 1024 * 1024) -- most of it in the kernel's buffers
  end)
end)

describe("two that talk", function()
  it("may be silent as long as the route's time-out, whoever it is that waits", function()
    local o = h2_origin.start(function(c, _, self)
      local s = c:next_request()
      c:respond(s.id, { body = false })
      c:data(s.id, "hello")
      c:wait(function() return s.reset end)
      self.reset = s.reset
      answer_all(c)
    end)
    local p = start(o.url, { timeout = "300ms" }, { timeouts = { body = "20ms" } })
    local c = h2.connect(p.url, { authority = "a.test" })
    local began = loop.now()
    local id = c:open { method = "POST", body = false }
    c:wait(function() return c:stream_of(id).received == 5 end)
    local r = c:response(id)
    assert.equal("INTERNAL_ERROR", r.reset)
    assert.is_true(loop.now() - began >= 0.25)
    loop.eventually(function() return o.reset end)
    assert.equal("CANCEL", o.reset)
  end)
end)

describe("a proxy that stops", function()
  it("lets a stream end, then says GOAWAY", function()
    local finish = false
    local o = h2_origin.start(function(c, _, self)
      local s = c:next_request()
      self.seen = true
      loop.eventually(function() return finish end)
      c:respond(s.id, { body = "whole" })
      c:next_request()
      self.goodbye = c.goaway and c.goaway.code
    end)
    local p = start(o.url)
    local c = p:connect()
    c:send_request { path = "/" }
    loop.eventually(function() return o.seen end)
    p:signal("TERM")
    p:wait_log('msg="stopping"')
    finish = true
    assert.equal("whole", c:receive().body)
    assert.equal(0, p:wait_exit())
    loop.eventually(function() return o.goodbye end)
    assert.equal("NO_ERROR", o.goodbye)
  end)

  it("ends idle connections, and those that are being made", function()
    local o = h2_origin.serve()
    local silent = h2_origin.start(function(c) c:next_request() end, { settings = false })
    local p = start(o.url)
    assert.equal(200, p:get("/").status)
    p.session:ok("ROUTE_ADD", "b.test", "/", silent.url, 0)
    p.session:ok("CONFIG_APPLY")
    local c = p:connect()
    c.authority = "b.test"
    c:send_request { path = "/" }
    loop.eventually(function() return silent.accepted == 1 end)
    c:close()
    p:signal("TERM")
    assert.equal(0, p:wait_exit())
  end)
end)
