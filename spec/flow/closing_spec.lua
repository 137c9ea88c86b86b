-- The answer after which a connection ends: whole, in order, and its end costs no packet of its own.

local ffi = require("ffi")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

ffi.cdef [[ int getsockopt(int fd, int level, int name, void *value, unsigned *length); ]]

local IPPROTO_TCP, TCP_INFO, SEGMENTS_IN = 6, 11, 140 -- the last: where tcpi_segs_in is

local function segments(c)
  local info, size = ffi.new("uint8_t[256]"), ffi.new("unsigned[1]", 256)
  assert.equal(0, ffi.C.getsockopt(c.stream.fd, IPPROTO_TCP, TCP_INFO, info, size))
  return tonumber(ffi.cast("uint32_t *", info + SEGMENTS_IN)[0])
end

--- Packets that a client gets for one request on a connection of its own; the fewest of some tries, as a busy machine
-- repeats some.
local function packets(p, request, closes)
  local fewest = math.huge
  for _ = 1, 5 do
    local c = p:connect()
    request.headers = { Connection = closes and "close" or "keep-alive" }
    c:request(request)
    if closes then
      assert.equal("closed", c:wait_closed())
    end
    fewest = math.min(fewest, segments(c))
    c:close()
  end
  return fewest
end

describe("an answer after which the connection ends", function()
  local o, p

  before_each(function()
    o = origin.start(function(request)
      local kind = request.target:match("%a+")
      if kind == "chunks" then
        return { body = { "one", "two" } }
      elseif kind == "empty" then
        return { status = 204 }
      end
      return { body = ("x"):rep(1024) }
    end)
    p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
  end)

  for _, request in ipairs {
    { path = "/length" }, { path = "/chunks" }, { path = "/empty" }, { path = "/length", method = "HEAD" },
    { path = "/", host = "nobody.test" },
  } do
    local name = (request.method or "GET") .. " " .. (request.host or request.path)

    it("takes no more packets than one after which it stays: " .. name, function()
      assert.equal(packets(p, request, false), packets(p, request, true))
    end)
  end

  it("arrives whole when it is larger than what the client's buffer takes, of a client that is slow", function()
    local big = ("0123456789abcdef"):rep(512 * 1024)
    o:respond(function() return { body = big } end)
    local c = p:connect { receive_buffer = 4096 }
    c:send_request { headers = { Connection = "close" } }
    loop.eventually(function() return p:status().buffer_bytes > 0 end)
    assert.equal(big, c:receive().body)
    assert.equal("closed", c:wait_closed())
  end)

  it("arrives whole although the rest of the request still comes", function()
    o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
      stream:read_until("never")
    end)
    p = proxy.start { workers = 1, route = { to = o.url } }
    local c = p:connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" .. ("x"):rep(500))
    local r = c:receive("POST")
    assert.equal("early", r.body)
    assert.equal("close", r.headers.Connection)
    c:send(("x"):rep(500))
    c:shutdown()
    assert.equal("closed", c:wait_closed())
  end)

  it("arrives whole over HTTP/1.0, whatever the backend says of its length", function()
    local c = http.connect(p.url)
    c:send("GET /chunks HTTP/1.0\r\nHost: a.test\r\n\r\n")
    local text = c.stream:read_all()
    assert.equal("onetwo", text:match("\r\n\r\n(.*)$"))
  end)
end)

describe("a client that sends something behind its last request", function()
  it("gets its answer all the same, though nobody reads what it sent", function()
    local c
    local o = origin.start(function()
      c:send("\r\n") -- the proxy has read the request, and does not look again before it answers
      return { body = "ok" }
    end)
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
    for _ = 1, 40 do
      c = p:connect()
      c:send_request { headers = { Connection = "close" } }
      assert.equal("ok", c:receive().body)
      assert.equal("closed", c:wait_closed())
      c:close()
    end
  end)
end)
