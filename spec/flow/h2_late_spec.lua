-- Bodies over HTTP/2 that are late, too large, cut or sent again.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local MIB = 1024 * 1024

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
  it("that waits for its turn among many is not taken for late", function()
    local o = origin.start(function()
      return { body = pattern(400000) }
    end)
    local c = start(o, { config = { timeouts = { send = "500ms" } }, client = { windows = false } })
    local ids = {}
    for i = 1, 40 do
      ids[i] = c:open({})
      c:window(ids[i], 2 ^ 30)
    end
    local from, last = loop.now(), 0
    while loop.now() - from < 2 do -- 16 KiB for all of them every 20 ms: a turn in 800 ms for each
      c:window(0, 16384)
      last = last + 1
      loop.delay(0.02)
    end
    c:window(0, 2 ^ 30)
    for _, id in ipairs(ids) do
      local r = c:response(id)
      assert.same({ 400000 }, { r.received }, r.reset)
    end
  end)

  it("without a length ends, and its request with it, when a full window opens again", function()
    local o = origin.start(function()
      return { body = { "0123456789" } }
    end)
    local c, p = start(o, { config = { access_log = { format = "text", file = "-" } },
      client = { windows = false, settings = { INITIAL_WINDOW_SIZE = 10 } } })
    local id = c:open({})
    c:wait(function()
      return c:stream_of(id).received == 10
    end)
    c:window(id, 1)
    assert.equal("0123456789", c:response(id).text)
    loop.eventually(function()
      return #p:access_log() == 1
    end)
  end)

  it("that is not taken for too long is refused, the connection goes on", function()
    local o = origin.start(function()
      return { body = pattern(MIB) }
    end)
    local c = start(o, { config = { timeouts = { send = "300ms" } }, client = { windows = false } })

    assert.equal("INTERNAL_ERROR", c:response(c:open({})).reset)
    c:window(0, 2 * MIB)
    assert.equal("", c:request({ method = "HEAD" }).text)
  end)

  it("that does not come is answered with 408, the connection goes on", function()
    local c = start(echo(), { config = { timeouts = { body = "300ms" } } })

    local r = c:request({ method = "POST", body = false, headers = { { "content-length", "5" } } })
    assert.equal(408, r.status)
    assert.equal(200, c:request({ method = "POST", body = "x" }).status)
  end)

  it("too large is answered with 413, and ends with NO_ERROR once its window is used up", function()
    local c = start(echo(), { config = { limits = { body_size = 10 } } })

    local id = c:open({ method = "POST", body = false })
    c:upload(id, "12345678901")
    local r = c:response(id)
    assert.equal(413, r.status)
    assert.is_false(c:upload(id, ("x"):rep(100000)))
    assert.equal("NO_ERROR", r.reset)
    assert.equal(200, c:request({ method = "POST", body = "1234567890" }).status)
  end)

  it("that is answered early may end in its own time, without a reset", function()
    local c = start(echo(), { config = { limits = { body_size = 10 }, http2 = { max_streams = 2 } } })

    for _ = 1, 5 do
      local id = c:open({ method = "POST", body = false })
      c:upload(id, "12345678901")
      local r = c:response(id)
      assert.equal(413, r.status)
      assert.is_true(c:upload(id, ("x"):rep(40000), true))
      assert.equal(200, c:request({ method = "POST", body = "1234567890" }).status)
      assert.is_nil(r.reset)
    end
  end)

  it("is sent again to another member, with its trailers", function()
    local broken = origin.raw(function(stream)
      stream:read_until("trailer-sent: 1\r\n\r\n")
    end)
    local good = echo()
    local g = group.start({ broken.url, good.url }, { host = "a.test" })

    for _ = 1, 4 do
      local c = h2.connect(g.proxy.url)
      local id = c:open({ method = "PUT", body = false })
      c:data(id, pattern(10000))
      c:headers(id, { { "trailer-sent", "1" } }, h2.END_HEADERS + h2.END_STREAM)
      assert.is_true(pattern(10000) == c:response(id).text)
      assert.equal("1", good.requests[#good.requests].trailers["Trailer-Sent"])
    end
    assert.is_true(broken.accepted > 0)
  end)
end)
