--- Clients that go away in the middle of something, for spec/flow/vanish_*_spec.lua: what they send, how they end, and
-- how a proxy has to look when all of them have gone.
--
--   local place = vanish.place("h2c", backend)           -- a proxy with one worker and that backend; in setup()
--   place:serves(); place:calm()

local assert = require("luassert")
local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local pki = require("spec.support.pki")
local stream = require("spec.support.stream")
local web = require("spec.support.web")

local vanish = {}

local LINES = "POST /vanish HTTP/1.1\r\nHost: a.example\r\n"

local function frames(way, headers)
  local fields = h2.fields { method = "POST", path = "/vanish", authority = web.HOST, headers = headers,
    scheme = way.tls and "https" or "http" }
  return h2.PREFACE .. h2.frame("SETTINGS", 0, 0) .. h2.frame("HEADERS", h2.END_HEADERS, 1, h2.block(fields))
    .. h2.frame("DATA", 0, 1, "01234") .. h2.frame("DATA", h2.END_STREAM, 1, "56789")
end

--- The bytes of a request to /vanish with the body 0123456789, by kind of its body.
function vanish.requests(way)
  if way.version == 2 then
    return { length = frames(way, { { "content-length", "10" } }), unknown = frames(way) }
  end
  return {
    length = LINES .. "Content-Length: 10\r\n\r\n0123456789",
    chunked = LINES .. "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5;x=y\r\n56789\r\n0\r\nT: 1\r\n\r\n",
  }
end

--- Takes what has arrived: an end with unread bytes would be a reset.
local function take_all(bytes)
  repeat
    local piece = bytes:read_some(nil, 0)
  until not piece
end

--- Ways to go: closed (FIN, with TLS behind close_notify), cut (FIN alone), reset (RST).
vanish.ENDINGS = {
  closed = function(bytes)
    take_all(bytes)
    bytes:close()
  end,
  cut = function(bytes)
    take_all(bytes)
    stream.close(bytes)
  end,
  reset = function(bytes)
    if bytes.sock then
      bytes.sock:setoption("linger", { on = true, timeout = 0 })
      stream.close(bytes)
    end
  end,
}

--- The names of the endings that differ over a way.
function vanish.endings(way)
  return way.tls and { "closed", "cut", "reset" } or { "closed", "reset" }
end

local place = {}
place.__index = place

--- A backend over HTTP/2 that answers each request when all of it has come, whatever comes of others before it.
-- @param handler function(path), called for whole requests
function vanish.h2c(handler)
  return h2_origin.start(function(c)
    local open = {}
    while not c.closed do
      for s in pairs(open) do
        if s.reset or s.ended then
          open[s] = nil
        end
        if s.ended and not s.reset then
          handler(s.request[":path"])
          c:respond(s.id, { body = "ok" })
        end
      end
      c:step()
      for _, s in ipairs(c.requests) do
        open[s] = true
      end
      c.requests = {}
    end
  end)
end

--- A proxy with one worker, one backend, and a circuit that one failure opens.
-- @param o backend with url and connections()
function vanish.place(scheme, o)
  local options = web.listening { circuit = { 1, "1h", 1 }, options = { retries = "0" },
    config = { limits = { pool_size = 4 } } }
  if scheme == "https" then
    options.config.backend_tls = { authorities = { internal = pki.authority().certificate } }
    options.options.tls_ca = "internal"
  end
  local self = setmetatable({ group = group.start({ o.url }, options), backend = o }, place)
  self.proxy = self.group.proxy
  self.ping = self.proxy:connect()
  self:serves()
  self.descriptors = self.proxy:descriptors()
  return self
end

--- Round trips through the only worker: what was sent before has been read. The connection they take stays.
function place:serves()
  for _ = 1, 2 do
    assert.equal("ok", self.ping:request({ path = "/ping" }).body)
  end
end

--- A client's connection, of which every byte is the spec's.
function place:connect(way)
  return web.connect(self.proxy, way)
end

--- All is as if nobody had been there: no request in flight, no failure, no descriptor that was not there before, and
-- the next request is served.
function place:calm(way)
  loop.soon(function()
    assert.equal(0, self.group:status("r1").in_flight)
  end)
  local circuit = self.group:circuit("r1")
  assert.same({ "closed", 0 }, { circuit.state, circuit.failures })
  local c = web.client(self.proxy, way)
  assert.equal("ok", c:request({ method = "POST", path = "/next", body = "next" }).body)
  c:close()
  self:serves()
  loop.soon(function()
    assert.is_true(self.backend:connections() <= 2, "connections to the backend")
    assert.is_true(self.proxy:descriptors() <= self.descriptors + 1, "descriptors")
  end)
end

return vanish
