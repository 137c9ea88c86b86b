-- Bodies over HTTP/2: whole both ways, many at once, none held up by another, bounded memory.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local MIB = 1024 * 1024
local SLACK = loop.SLOWNESS > 1 and 8 or 1 -- what sanitizers add to memory

local function pattern(size)
  return ("0123456789abcdef"):rep(math.ceil(size / 16)):sub(1, size)
end

local function echo()
  return origin.start(function(request)
    return { body = request.body, chunked = request.target == "/chunked", trailers = { ["X-Sum"] = "42" } }
  end)
end

local function start(o, options)
  local p = proxy.start { workers = 1, config = options and options.config, route = { to = o.url, host = "a.test",
    options = options and options.route } }
  return h2.connect(p.url, options and options.client), p
end

describe("a body over HTTP/2", function()
  for _, size in ipairs({ 0, 1, 1000, 16384, 16385, 32768, 65535, 65536, 70000, 1000000 }) do
    it(("of %d bytes passes exactly, with and without a length, both ways"):format(size), function()
      local body, o = pattern(size), echo()
      local c = start(o)

      for _, path in ipairs({ "/plain", "/chunked" }) do
        for _, length in ipairs({ true, false }) do
          local id = c:open({ method = "POST", path = path, body = size == 0 and "" or false,
            headers = length and { { "content-length", tostring(size) } } or nil })
          if size > 0 then
            assert.is_true(c:upload(id, body, true))
          end
          local r = c:response(id)
          assert.equal(200, r.status)
          assert.is_true(body == r.text)
          assert.equal(path == "/plain" and tostring(size) or nil, r.headers["content-length"])
          local seen = o.requests[#o.requests].headers
          assert.equal(length and tostring(size) or nil, seen["Content-Length"])
          assert.equal(not length and "chunked" or nil, seen["Transfer-Encoding"])
        end
      end
    end)
  end

  it("keeps its trailers both ways, without those that would steer", function()
    local o = echo()
    local c = start(o)

    local id = c:open({ method = "POST", path = "/chunked", body = false })
    c:data(id, "abc")
    c:headers(id, { { "x-t", "1" }, { "authorization", "x" } }, h2.END_HEADERS + h2.END_STREAM)
    local r = c:response(id)
    assert.equal("abc", r.text)
    assert.equal("42", r.trailers["x-sum"])
    assert.equal("1", o.requests[1].trailers["X-T"])
    assert.is_nil(o.requests[1].trailers.Authorization)
  end)

  it("is not there with HEAD, 204 and 304, whose heads end the stream", function()
    local o = origin.start(function(request)
      return { status = tonumber(request.target:match("%d+")), body = "12345",
        headers = request.target == "/304" and { ["Content-Length"] = "5" } or nil }
    end)
    local c = start(o)

    local r = c:request({ method = "HEAD", path = "/200" })
    assert.same({ 200, "", "5" }, { r.status, r.text, r.headers["content-length"] })
    r = c:request({ path = "/304" })
    assert.same({ 304, "", "5" }, { r.status, r.text, r.headers["content-length"] })
    r = c:request({ path = "/204" })
    assert.equal(204, r.status)
    assert.is_nil(r.headers["content-length"])
    for _, kind in ipairs(c.frames) do
      assert.not_equal("DATA", kind)
    end
  end)

  it("may come after 100 Continue, and responses after early hints", function()
    local o = origin.start(function(request)
      return { body = request.body, informational = { { status = 103, headers = { Link = "<a>" } } } }
    end)
    local c = start(o)

    local id = c:open({ method = "POST", body = false, headers = { { "expect", "100-continue" } } })
    c:wait(function()
      return #c:stream_of(id).informational == 1
    end)
    c:data(id, "now", true)
    local r = c:response(id)
    assert.equal("now", r.text)
    assert.equal(100, r.informational[1].status)
    assert.equal(103, r.informational[2].status)
    assert.equal("<a>", r.informational[2].headers.link)
  end)

  it("is one of a hundred at once, each its own", function()
    local waiting = {}
    local o = origin.start(function(request)
      waiting[#waiting + 1] = true
      loop.eventually(function()
        return #waiting == 100
      end)
      return { body = request.target .. request.body }
    end)
    local c = start(o)
    local ids = {}

    for i = 1, 100 do
      ids[i] = c:open({ method = "POST", path = "/" .. i, body = "body" .. i })
    end
    for i = 1, 100 do
      assert.equal("/" .. i .. "body" .. i, c:response(ids[i]).text)
    end
    assert.equal(100, #waiting)
  end)

  it("that its client does not take holds up no other, and not its own end", function()
    local o = origin.start(function(request)
      return { body = pattern(request.target == "/large" and 3 * MIB or 10) }
    end)
    local c = start(o, { client = { windows = false } })

    c:window(0, 100 * MIB)
    local large = c:open({ path = "/large" })
    c:wait(function()
      return c:stream_of(large).received == 65535
    end)
    for _ = 1, 10 do
      assert.equal(10, #c:request({ path = "/small" }).text)
    end
    c:window(large, 3 * MIB)
    assert.is_true(pattern(3 * MIB) == c:response(large).text)
  end)

  for _, step in ipairs({ 16384, 20000, 32768 }) do
    it(("gets its share of a window for all that opens by %d, whoever came first"):format(step), function()
      local o = origin.start(function()
        return { body = pattern(MIB) }
      end)
      local c = start(o, { client = { windows = false, settings = { INITIAL_WINDOW_SIZE = 2 * MIB } } })
      local ids = {}

      for i = 1, 4 do
        ids[i] = c:open({})
      end
      local given, taken = 65535, 0
      while taken < MIB do
        taken = 0
        for _, id in ipairs(ids) do
          taken = taken + c:stream_of(id).received
        end
        if taken == given then
          c:window(0, step)
          given = given + step
        elseif not c:step() then
          break
        end
      end
      for _, id in ipairs(ids) do -- a quarter, but for what went out before the others had come
        local got = c:stream_of(id).received
        assert.is_true(got > 130000 and got < 450000, "a stream got " .. got .. " of " .. taken)
      end
      c:window(0, 4 * MIB)
      for _, id in ipairs(ids) do
        assert.equal(MIB, #c:response(id).text)
      end
    end)
  end

  it("waits for a client that reads nothing, in bounded memory", function()
    local o = origin.start(function()
      return { body = function(write)
        for _ = 1, 64 do
          if not write(pattern(MIB)) then
            return false
          end
        end
      end, headers = { ["Content-Length"] = tostring(64 * MIB) } }
    end)
    local c, p = start(o, { client = { windows = false, receive_buffer = 65536,
      settings = { INITIAL_WINDOW_SIZE = 2 ^ 31 - 1 } } })
    local before = p:rss()

    c:window(0, 2 ^ 30)
    local ids = {}
    for i = 1, 8 do
      ids[i] = c:open({})
    end
    loop.eventually(function()
      return o.accepted == 8
    end)
    loop.delay(0.3) -- time to take too much, if it were taken
    assert.is_true(p:rss() - before < 8 * MIB * SLACK, "memory grew by " .. p:rss() - before)
    for i = 2, 8 do
      c:reset(ids[i])
    end
    assert.equal(64 * MIB, c:response(ids[1]).received)
  end)

  it("that a backend does not take stops its client, in bounded memory, and holds up no other", function()
    local TOTAL = 16 * MIB -- more than the kernel's buffers take
    local go
    local o = origin.start(function(request)
      if request.target == "/slow" then
        loop.eventually(function()
          return go
        end)
        local count = 0
        while count < TOTAL do
          count = count + #assert(request.stream:read_some())
        end
        return { body = tostring(count) }
      end
      return { body = "quick" }
    end, { stream = true, receive_buffer = 65536 })
    local c, p = start(o)
    local id = c:open({ method = "POST", path = "/slow", body = false,
      headers = { { "content-length", tostring(TOTAL) } } })
    local before, sent = p:rss(), 0

    -- until no window comes any more: what the proxy and the kernel's buffers hold
    repeat
      local n = math.min(16384, c:sendable(id))
      c.taken[0], c.taken[id] = (c.taken[0] or 0) + n, (c.taken[id] or 0) + n
      c:data(id, pattern(n))
      sent = sent + n
      local tick = ("%08d"):format(sent % 1e8)
      c:send(h2.frame("PING", 0, 0, tick))
      c:wait(function()
        return c.pongs[#c.pongs] == tick
      end)
    until c:sendable(id) == 0 or sent >= TOTAL
    assert.is_true(sent < TOTAL)
    assert.is_true(p:rss() - before < 2 * MIB * SLACK)
    assert.equal("quick", c:request({ path = "/quick" }).text)
    go = true
    c:upload(id, pattern(TOTAL - sent), true)
    assert.equal(tostring(TOTAL), c:response(id).text)
  end)
end)
