-- h2c backends that break the rules, or the connection.

local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local HEAD, END = h2.END_HEADERS, h2.END_STREAM

local function start(url, options, config)
  return proxy.start { workers = 1, config = config, route = { to = url, host = "a.test", options = options } }
end

local function details(r)
  return r.headers["Proxy-Status"] and r.headers["Proxy-Status"]:match('details="([%w_]+)')
end

-- A backend that sends frames as its answer to /bad, and a proper one to all else; /bad has stream 1 of its connection.
local function bad(frames)
  return h2_origin.start(function(c)
    for s in c.next_request, c do
      if s.request[":path"] == "/bad" then
        c:send(frames(s.id))
      else
        c:respond(s.id, { body = "ok" })
      end
    end
  end)
end

local function head(id, fields, flags)
  return h2.frame("HEADERS", flags or HEAD + END, id, h2.block(fields))
end

local OK = { ":status", "200" }

-- Each: name, the fields of the head, what is found wrong.
local HEADS = {
  { "without a status", { { "a", "b" } } },
  { "with a status that is none", { { ":status", "20" } } },
  { "with a status that is no number", { { ":status", "abc" } } },
  { "with two", { OK, OK } },
  { "with a pseudo-header field that nobody knows", { OK, { ":x", "y" } } },
  { "with a pseudo-header field of requests", { OK, { ":path", "/" } } },
  { "with a pseudo-header field behind others", { { "a", "b" }, OK } },
  { "with upper case in a name", { OK, { "X-A", "b" } } },
  { "with a blank in a name", { OK, { "x a", "b" } } },
  { "with an empty name", { OK, { "", "b" } } },
  { "with a line end in a value", { OK, { "a", "b\r\nc: d" } } },
  { "with a NUL in a value", { OK, { "a", "b\0c" } } },
  { "with white space around a value", { OK, { "a", " b" } } },
  { "with Connection", { OK, { "connection", "close" } } },
  { "with Transfer-Encoding", { OK, { "transfer-encoding", "chunked" } } },
  { "with Upgrade", { OK, { "upgrade", "websocket" } } },
  { "with a length that is no number", { OK, { "content-length", "x" } } },
  { "with two lengths", { OK, { "content-length", "0" }, { "content-length", "0" } } },
  { "with a length, and no body", { OK, { "content-length", "5" } } },
  { "that switches protocols", { { ":status", "101" } } },
}

describe("a head", function()
  for _, case in ipairs(HEADS) do
    it(("%s is a bad answer, and the connection goes on"):format(case[1]), function()
      local o = bad(function(id) return head(id, case[2]) end)
      local p = start(o.url, { retries = "0" })
      local r = p:get("/bad")
      assert.same({ 502, "bad_response" }, { r.status, details(r) })
      assert.equal("ok", p:get("/").body)
      assert.equal(1, o.accepted)
    end)
  end

  it("that is too large is refused, and the connection goes on", function()
    local o = bad(function(id) return head(id, { OK, { "a", ("x"):rep(8000) }, { "b", ("x"):rep(8200) } }) end)
    local p = start(o.url, nil, { limits = { head_size = 8192 } })
    local r = p:get("/bad")
    assert.same({ 502, "response_head_too_big" }, { r.status, details(r) })
    assert.equal("ok", p:get("/").body)
  end)

  it("that does not end is not collected for ever", function()
    local o = bad(function(id)
      local piece = h2.block({ { "a", ("x"):rep(16000) } })
      local frames = { h2.frame("HEADERS", 0, id, h2.block({ OK })) }
      for _ = 1, 2000 do
        frames[#frames + 1] = h2.frame("CONTINUATION", 0, id, piece)
      end
      return table.concat(frames)
    end)
    local p = start(o.url)
    local before = p:rss()
    assert.equal(502, p:get("/bad").status)
    assert.equal("ok", p:get("/").body)
    assert.is_true(p:rss() - before < 8 * 1024 * 1024)
  end)
end)

describe("a body", function()
  -- Each: name, frames behind a head that says 10 bytes.
  local BODIES = {
    { "shorter than its length", function(id) return h2.frame("DATA", END, id, "01234") end },
    { "longer than its length", function(id)
      return h2.frame("DATA", 0, id, "01234") .. h2.frame("DATA", END, id, "0123456789")
    end },
    { "larger than its window", function(id)
      return h2.frame("DATA", 0, id, ("x"):rep(16384)):rep(100)
    end },
    { "that ends with malformed trailers", function(id)
      return h2.frame("DATA", 0, id, "0123456789") .. head(id, { { "X", "y" } })
    end },
  }
  for _, case in ipairs(BODIES) do
    it(("%s is never taken for whole, and the connection goes on"):format(case[1]), function()
      local o = bad(function(id) return head(id, { OK, { "content-length", "10" } }, HEAD) .. case[2](id) end)
      local p = start(o.url)
      local r = h2.connect(p.url, { authority = "a.test" }):request { path = "/bad" }
      assert.is_true(r.status == 502 or r.reset == "INTERNAL_ERROR") -- by whether its head had left already
      assert.equal("ok", p:get("/").body)
      assert.equal(1, o.accepted)
    end)
  end
end)

describe("a connection", function()
  -- Each: name, bytes that are no HTTP/2.
  local GARBAGE = {
    { "of garbage", function() return ("garbage"):rep(10) end },
    { "with a pushed request", function(id)
      return h2.frame("PUSH_PROMISE", HEAD, id, h2.bytes(2, 4) .. h2.block(h2.fields({})))
    end },
    { "with data for a stream that nobody opened", function(id) return h2.frame("DATA", 0, id + 100, "x") end },
    { "with a frame that is too large", function(id) return h2.frame("DATA", 0, id, ("x"):rep(17000)) end },
    { "with a header block that is none", function(id) return h2.frame("HEADERS", HEAD, id, ("\255"):rep(7)) end },
  }
  for _, case in ipairs(GARBAGE) do
    it(("%s is ended, and the next request has another"):format(case[1]), function()
      local o = bad(case[2])
      local p = start(o.url, { retries = "0" })
      local c = p:connect()
      c:send_request { path = "/bad", method = "POST" }
      local r = c:try_receive()
      assert.is_true(r == nil or r.status == 502)
      assert.equal("ok", p:get("/").body)
      assert.equal(2, o.accepted)
    end)
  end

  for _, ending in ipairs { "closed", "reset" } do
    it(("%s at every byte of an answer never makes it whole"):format(ending), function()
      local cut
      local text
      local o = h2_origin.start(function(c)
        local s = c:next_request()
        text = head(s.id, { OK, { "content-length", "10" } }, HEAD) .. h2.frame("DATA", 0, s.id, "0123456789")
          .. head(s.id, { { "x-t", "1" } })
        c:send(text:sub(1, cut or #text))
        if ending == "reset" then
          c.stream:reset()
        end
      end)
      local p = start(o.url, { retries = "0" })
      assert.equal("0123456789", p:request({ method = "POST", body = "x" }).body)
      for at = 0, #text - 1 do
        cut = at
        local r = h2.connect(p.url, { authority = "a.test" }):request { method = "POST", body = "x" }
        assert.is_true(r.status == 502 or r.reset == "INTERNAL_ERROR",
          ("cut at %d: %s %s"):format(at, r.status or "-", r.reset or "-"))
      end
    end)
  end

  it("that is no HTTP/2 is told from one that nobody accepts", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
      stream:read_all()
    end)
    local r = start((o.url:gsub("^http", "h2c"))):get("/")
    assert.same({ 502, "backend_no_http2" }, { r.status, details(r) })
    r = start((origin.refusing_url():gsub("^http", "h2c"))):get("/")
    assert.same({ 502, "connect_refused" }, { r.status, details(r) })
  end)

  it("that goes silent gets no further request once a stream of it has timed out", function()
    local o = h2_origin.start(function(c, number)
      if number == 1 then
        c:next_request()
        loop.delay(30) -- reads nothing more: no answer to PING
        return
      end
      for s in c.next_request, c do
        c:respond(s.id, { body = "second" })
      end
    end)
    local p = start(o.url, { timeout = "1200ms", connect_timeout = "1s", retries = "0" })
    assert.equal(504, p:get("/").status)
    loop.eventually(function() return p:get("/").body == "second" end)
    assert.equal(2, o.accepted)
  end)

  it("whose window stays closed makes a request late, and others pass", function()
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        if s.request[":path"] == "/" then
          c:respond(s.id, { body = "ok" })
        end
      end
    end, { windows = false, settings = { INITIAL_WINDOW_SIZE = 0 } })
    local p = start(o.url, { timeout = "300ms" })
    local r = p:request { path = "/upload", method = "POST", body = "x" }
    assert.same({ 504, "backend_late" }, { r.status, details(r) })
    assert.equal("ok", p:get("/").body)
    assert.equal(1, o.accepted)
  end)
end)
