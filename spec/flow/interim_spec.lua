-- The option timeout holds from the request's last byte to the final head, whatever comes before that.

local http = require("spec.support.http")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local PIECE = 0.02

local function start(url, timeout)
  return proxy.start { workers = 1, route = { to = url, options = { timeout = timeout, retries = "0" } } }
end

--- A backend that writes a text over and over instead of answering.
local function endless(text, pause)
  return origin.raw(function(stream)
    if not stream:read_until("\r\n\r\n") then
      return
    end
    while stream:write(text) do
      loop.delay(pause)
    end
  end)
end

local function is_late(url)
  local p = start(url, "400ms")
  local c = p:connect()
  c:send_request { path = "/" }
  local response = c:receive()
  assert.equal(504, response.status)
  return response
end

describe("the wait for a head", function()
  it("ends in time, though interim responses come without end", function()
    local response = is_late(endless("HTTP/1.1 102 Processing\r\n\r\n", PIECE).url)
    assert.is_true(#response.informational > 1)
  end)

  it("ends in time, though they come as fast as they can", function()
    is_late(endless(("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"):rep(50), 0).url)
  end)

  it("ends in time for a client that reads none of them", function()
    local o = endless(("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"):rep(200), 0)
    local p = start(o.url, "400ms")
    local c = http.connect(p.url, { receive_buffer = 4096 })
    c.stream:write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    loop.eventually(function() return o.accepted == 1 end)
    loop.eventually(function() return o:connections() == 0 end)
  end)

  it("ends in time, though a head comes byte by byte", function()
    local o = origin.raw(function(stream)
      if stream:read_until("\r\n\r\n") and stream:write("HTTP/1.1 200 OK\r\nX-Slow: ") then
        while stream:write("x") do
          loop.delay(PIECE)
        end
      end
    end)
    is_late(o.url)
  end)

  it("ends in time over HTTP/2, too", function()
    local o = h2_origin.start(function(c)
      local s = c:next_request()
      while s and c:headers(s.id, { { ":status", "103" } }) ~= false and not s.reset do
        loop.delay(PIECE)
      end
    end)
    is_late(o.url)
  end)

  it("begins with the last byte of the request: a slow upload costs none of it", function()
    local o = origin.raw(function(stream)
      local head = stream:read_until("\r\n\r\n")
      for _ = 1, 6 do
        stream:read(1)
        stream:write("HTTP/1.1 102 Processing\r\n\r\n")
      end
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
      return head
    end)
    local c = start(o.url, "1s"):connect()
    c:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for _ = 1, 6 do
      loop.delay(0.3)
      c:send("x")
    end
    local response = c:receive("POST")
    assert.equal("done", response.body)
    assert.equal(6, #response.informational)
  end)

  it("is over with the head: a body may take longer, piece by piece", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
      for _ = 1, 6 do
        loop.delay(0.3)
        stream:write("x")
      end
      stream:read_some()
    end)
    assert.equal("xxxxxx", start(o.url, "1s"):get("/").body)
  end)
end)
