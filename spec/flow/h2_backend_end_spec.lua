-- How streams and connections to h2c backends end, and what becomes of their requests.

local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")

local function start(url, options, config)
  return proxy.start { workers = 1, config = config, route = { to = url, host = "a.test", options = options } }
end

local function parallel(p, count, request)
  local requests = {}
  request = request or {}
  for i = 1, count do
    requests[i] = { path = "/" .. i, host = "a.test", method = request.method, body = request.body }
  end
  return http.parallel(p.url, requests)
end

-- Answers all that comes on a connection.
local function answer_all(c, body)
  for s in c.next_request, c do
    c:body_of(s)
    c:respond(s.id, { body = body or "ok" })
  end
end

describe("streams of a connection", function()
  it("are as many at a time as the backend allows: the next connection is made then", function()
    local o = h2_origin.start(function(c, _, self)
      for s in c.next_request, c do
        self.busy = (self.busy or 0) + 1
        loop.eventually(function() return self.busy >= 4 end)
        assert(#c.requests == 0, "a second stream at the same time")
        c:respond(s.id, { body = "ok" })
      end
    end, { settings = { MAX_CONCURRENT_STREAMS = 1 } })
    local p = start(o.url)
    for _, r in ipairs(parallel(p, 4)) do
      assert.equal(200, r.status)
    end
    assert.equal(4, o.accepted)
  end)

  it("wait for a place when there may be no further connection", function()
    local most = 0
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        loop.delay(0.005)
        most = math.max(most, #c.requests + 1)
        c:respond(s.id, { body = s.request[":path"] })
      end
    end, { settings = { MAX_CONCURRENT_STREAMS = 2 } })
    local p = start(o.url, nil, { limits = { pool_size = 1 } })
    for i, r in ipairs(parallel(p, 20)) do
      assert.equal("/" .. i, r.body)
    end
    assert.equal(1, o.accepted)
    assert.is_true(most <= 2)
  end)

  it("that get no place in the time for connecting are given up", function()
    local o = h2_origin.start(function(c) c:next_request() end, { settings = { MAX_CONCURRENT_STREAMS = 0 } })
    local r = start(o.url, { connect_timeout = "200ms" }):get("/")
    assert.equal(504, r.status)
    assert.truthy(r.headers["Proxy-Status"]:find("connect_timeout", 1, true))
  end)

  it("are not opened before the backend has said that it speaks HTTP/2", function()
    local o = h2_origin.start(function(c) c:next_request() end, { settings = false })
    local r = start(o.url, { connect_timeout = "200ms" }):get("/")
    assert.equal(504, r.status)
    assert.truthy(r.headers["Proxy-Status"]:find("connect_timeout", 1, true))
  end)
end)

describe("a request that the backend has not looked at", function()
  it("is sent again, POST too, when its stream is refused", function()
    local o = h2_origin.start(function(c, number)
      if number == 1 then
        local s = c:next_request()
        c:reset(s.id, 7) -- REFUSED_STREAM
      end
      answer_all(c, "second")
    end)
    local r = start(o.url, { retries = "0" }):request { method = "POST", body = "x" }
    assert.same({ 200, "second" }, { r.status, r.body })
  end)

  it("is sent elsewhere when its connection takes fewer than it says", function()
    local o = h2_origin.start(function(c)
      local busy = 0
      while c:step() do
        for _, s in ipairs(c.requests) do
          busy = busy + 1
          if busy > 3 then
            c:reset(s.id, 7)
          end
        end
        c.requests = {}
      end
    end)
    local p = start(o.url, { retries = "0", timeout = "2s" })
    local clients = {}
    for i = 1, 12 do
      clients[i] = p:connect()
      clients[i]:send_request { path = "/", method = "POST", body = "x" }
    end
    loop.eventually(function() return o.accepted >= 2 end)
    for i = 1, 12 do
      clients[i]:close()
    end
  end)

  it("is sent again, POST too, when GOAWAY leaves it out; the others are answered", function()
    local o = h2_origin.start(function(c, number)
      if number > 1 then
        return answer_all(c, "second")
      end
      local first, second = c:next_request(), c:next_request()
      c:leave(first.id)
      c:respond(first.id, { body = "first" })
      c:next_request()
      return second
    end)
    local p = start(o.url, { retries = "0" })
    local got = {}
    for _, r in ipairs(parallel(p, 2, { method = "POST", body = "x" })) do
      got[#got + 1] = r.body
    end
    table.sort(got)
    assert.same({ "first", "second" }, got)
    assert.equal(2, o.accepted)
  end)

  it("is refused after the second time, as any failed try", function()
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        c:reset(s.id, 7)
      end
    end)
    local r = start(o.url, { retries = "0" }):request { method = "POST", body = "x" }
    assert.equal(502, r.status)
    assert.truthy(r.headers["Proxy-Status"]:find("backend_broke", 1, true))
  end)
end)

describe("a backend that says GOAWAY", function()
  it("gets what comes next on another connection, and the old one ends with its last stream", function()
    local finish = false
    local o = h2_origin.start(function(c, number, self)
      if number > 1 then
        return answer_all(c, "new")
      end
      local s = c:next_request()
      self.left = c:leave(s.id)
      loop.eventually(function() return finish end)
      c:respond(s.id, { body = "old" })
      c:wait(function() end)
      self.first_ended = c.closed
    end)
    local p = start(o.url)
    local old = p:connect()
    old:send_request { path = "/old" }
    loop.eventually(function() return o.left end)
    loop.eventually(function() return p:get("/new").body == "new" end)
    finish = true
    assert.equal("old", old:receive().body)
    loop.eventually(function() return o.first_ended == "closed" end)
  end)
end)

describe("a stream that is reset", function()
  for name, method in pairs { GET = "GET", POST = "POST" } do
    it(("before the head of an answer is a broken connection to a %s"):format(name), function()
      local o = h2_origin.start(function(c, _, self)
        for s in c.next_request, c do
          self.seen = (self.seen or 0) + 1
          if self.seen == 1 then
            c:reset(s.id, 2)
          else
            c:respond(s.id, { body = "ok" })
          end
        end
      end)
      local r = start(o.url, { retries = "1" }):request { method = method, body = method == "POST" and "x" or nil }
      -- One member only, and it was tried: nobody else can take it.
      assert.equal(502, r.status)
      assert.equal(1, o.seen)
    end)
  end

  it("after the head cuts the answer, for both kinds of clients", function()
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        c:respond(s.id, { body = false, headers = { { "content-length", "10" } } })
        c:data(s.id, "01234")
        c:reset(s.id, 2)
      end
    end)
    local p = start(o.url)
    local c = p:connect()
    c:send_request { path = "/" }
    assert.is_nil((c:try_receive()))
    local r = h2.connect(p.url, { authority = "a.test" }):request {}
    assert.equal("INTERNAL_ERROR", r.reset)
  end)

  it("by NO_ERROR behind a whole answer, before the request has ended, ends it well", function()
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        c:respond(s.id, { status = 413, body = "too much" })
        c:reset(s.id, 0)
      end
    end)
    local c = h2.connect(start(o.url).url, { authority = "a.test" })
    local id = c:open { method = "POST", body = false }
    c:data(id, "x")
    local r = c:response(id)
    assert.same({ 413, "too much" }, { r.status, r.text })
  end)

  it("by the client is cancelled at the backend", function()
    local o = h2_origin.start(function(c, _, self)
      local s = c:next_request()
      self.seen = true
      c:wait(function() return s.reset end)
      self.reset = s.reset
      answer_all(c)
    end)
    local p = start(o.url)
    local c = h2.connect(p.url, { authority = "a.test" })
    local id = c:open { body = false, method = "POST" }
    loop.eventually(function() return o.seen end)
    c:reset(id, 8)
    loop.eventually(function() return o.reset end)
    assert.equal("CANCEL", o.reset)
    assert.equal(200, p:get("/").status) -- and its connection goes on
    assert.equal(1, o.accepted)
  end)
end)
