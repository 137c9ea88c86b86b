--- Backends of the specs that speak HTTP/2, frame by frame: they do what they are told, be it forbidden.
--
--   local o = h2_origin.start(function(c, number, o)   -- for each connection; preface and SETTINGS are done
--     local s = c:next_request()                       -- s.id, s.request[":path"]; its body: c:body_of(s)
--     c:respond(s.id, { status = 200, headers = { { "x-a", "b" } }, body = "hi", trailers = { { "x-t", "1" } } })
--   end)
--   o.url is h2c://...; o.accepted, o:stop() and so on as of spec/support/origin.lua
--
-- h2_origin.serve(handler): a backend that answers every request: handler(s, c, number) returns what respond takes.

local h2 = require("spec.support.h2")
local origin = require("spec.support.origin")

local h2_origin = {}

local server = {}

--- The next frame, as h2.lua takes it; heads of requests are queued.
local function step(c)
  local frame, err = c.base_step(c)
  if frame and frame.type == "HEADERS" and frame.fields[":method"] then
    local s = c:stream_of(frame.id)
    s.request, s.trailers = frame.fields, nil
    table.insert(c.requests, s)
  end
  return frame, err
end

--- The next request whose head has come; nil: the connection has ended.
function server:next_request()
  self:wait(function()
    return self.requests[1]
  end)
  return table.remove(self.requests, 1)
end

--- Waits for the end of a request's body; the whole of it.
function server:body_of(s)
  self:wait(function()
    return s.ended or s.reset
  end)
  return table.concat(s.body)
end

--- Answers. body nil: END_STREAM with the head; false: DATA will follow.
function server:respond(id, answer)
  local fields = { { ":status", tostring(answer.status or 200) } }
  for _, field in ipairs(answer.headers or {}) do
    fields[#fields + 1] = field
  end
  local trailers, body = answer.trailers, answer.body
  local last = body == nil and not trailers
  self:headers(id, fields, h2.END_HEADERS + (last and h2.END_STREAM or 0))
  if body then
    self:data(id, body, not trailers)
  end
  if trailers then
    self:headers(id, trailers, h2.END_HEADERS + h2.END_STREAM)
  end
end

local PIECE = ("x"):rep(16384)

--- Sends of each stream's rest (a table from ids to numbers of bytes) as much as the windows allow.
function server:pump(rests)
  for id, rest in pairs(rests) do
    local n = math.min(rest, self:sendable(id), #PIECE)
    while n > 0 do
      rest = rest - n
      self.taken[0], self.taken[id] = (self.taken[0] or 0) + n, (self.taken[id] or 0) + n
      self:data(id, PIECE:sub(1, n), rest == 0)
      n = math.min(rest, self:sendable(id), #PIECE)
    end
    rests[id] = rest > 0 and rest or nil
  end
end

--- GOAWAY: streams above last were not looked at.
function server:leave(last, code)
  return self:send(h2.frame("GOAWAY", 0, 0, h2.bytes(last, 4) .. h2.bytes(code or 0, 4)))
end

local function accept(bytes, options)
  local c = h2.wrap(bytes, options)
  local base = getmetatable(c).__index
  c.base_step = base.step
  c.requests = {}
  c.acknowledge = options.settings
  setmetatable(c, { __index = function(_, key)
    return key == "step" and step or server[key] or base[key]
  end })
  if bytes:read(#h2.PREFACE) ~= h2.PREFACE then
    return nil
  end
  if options.settings ~= false then
    c:send(h2.frame("SETTINGS", 0, 0, h2.settings(options.settings or {})))
  end
  return c
end

--- @param script function(c, number, origin), run once for each connection; it is closed at its end
-- @param options settings: as h2.settings takes them, false: none are sent; windows = false: no window is given back;
--   and those of origin.raw
function h2_origin.start(script, options)
  options = options or {}
  local o = origin.raw(function(bytes, number, self)
    local c = accept(bytes, options)
    if c then
      script(c, number, self)
    end
  end, options)
  o.url = "h2c://127.0.0.1:" .. o.port
  return o
end

--- A backend that answers each request when its body has come.
function h2_origin.serve(handler, options)
  return h2_origin.start(function(c, number, self)
    for s in c.next_request, c do
      s.text = c:body_of(s)
      self.requests[#self.requests + 1] = s
      if not s.reset then
        c:respond(s.id, handler and handler(s, c, number) or { body = "ok" })
      end
    end
  end, options)
end

return h2_origin
