--- Backends of the specs that don't care what they are spoken to with: one handler for all schemes.
--
--   local o = backends.start("h2c", function(request) return { status = 200, body = "hi" } end)
--   o.url, o:count(), o:respond(handler or response), o:stop()
--
-- A request: method, path, headers (any case), body, trailers. A response: status, headers (map), body (string),
-- trailers (the body is then of unknown length), interim (list of statuses); cut = true: it breaks off within the body;
-- drop = true: it breaks off before its head.

local h2_origin = require("spec.support.h2_origin")
local h2 = require("spec.support.h2")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local tls_origin = require("spec.support.tls_origin")

local backends = { SCHEMES = { "http", "https", "h2c" } }

local INTERNAL_ERROR = 2

local function answer_1(response)
  if response.drop then
    return { raw = "", close = true }
  elseif response.cut then
    return { raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", close = true }
  end
  local early = {}
  for i, status in ipairs(response.interim or {}) do
    early[i] = { status = status }
  end
  return { status = response.status, headers = response.headers, body = response.body, trailers = response.trailers,
    chunked = response.trailers ~= nil, informational = early }
end

local function handler_1(self)
  return function(request)
    request.path = request.target
    return answer_1(self.answer(request))
  end
end

local function lower(headers)
  local list = {}
  for i, field in ipairs(message.fields(headers)) do
    list[i] = { field[1]:lower(), field[2] }
  end
  return list
end

--- Sends the body as the windows allow, beside other streams.
local function send_body(c, id, body, last)
  if body == "" then
    c:data(id, "", last)
  else
    c:upload(id, body, last)
  end
end

local function respond_2(c, id, method, response)
  if response.drop then
    return c:reset(id, INTERNAL_ERROR)
  end
  for _, status in ipairs(response.interim or {}) do
    c:headers(id, { { ":status", tostring(status) } })
  end
  local status = response.status or 200
  local fields, body = lower(response.headers), response.cut and "short" or response.body or ""
  local bodyless = method == "HEAD" or status == 204 or status == 304
  table.insert(fields, 1, { ":status", tostring(status) })
  if not response.trailers and status ~= 204 and status ~= 304 then
    fields[#fields + 1] = { "content-length", tostring(response.cut and 10 or #body) }
  end
  c:headers(id, fields, h2.END_HEADERS + (bodyless and h2.END_STREAM or 0))
  if bodyless then
    return nil
  end
  send_body(c, id, body, not response.trailers and not response.cut)
  if response.cut then
    c:reset(id, INTERNAL_ERROR)
  elseif response.trailers then
    c:headers(id, lower(response.trailers), h2.END_HEADERS + h2.END_STREAM)
  end
  return nil
end

local function start_2(self)
  return h2_origin.start(function(c, _, o)
    for s in c.next_request, c do
      local body = c:body_of(s)
      if not s.reset then
        local headers = {}
        for i, field in ipairs(s.request) do
          headers[i] = { field[1], field[2] }
        end
        local request = { method = s.request[":method"], path = s.request[":path"], headers = message.fields(headers),
          body = body, trailers = s.trailers }
        o.requests[#o.requests + 1] = request
        respond_2(c, s.id, request.method, self.answer(request))
      end
    end
  end)
end

local backend = {}

--- How many requests it got.
function backend:count()
  return self.origin:count()
end

--- The last request it got.
function backend:received()
  return self.origin.requests[#self.origin.requests]
end

--- Answers by another handler (or a fixed response) from now on.
function backend:respond(handler)
  self.answer = type(handler) == "function" and handler or function()
    return handler
  end
end

function backend:stop()
  self.origin:stop()
end

--- @param scheme one of backends.SCHEMES
-- @param handler function(request) -> response, or a response; default: 200 with body "ok"
function backends.start(scheme, handler)
  local self = setmetatable({}, { __index = backend })
  self:respond(handler or { body = "ok" })
  if scheme == "h2c" then
    self.origin = start_2(self)
  else
    self.origin = (scheme == "https" and tls_origin or origin).start(handler_1(self))
  end
  self.url = self.origin.url
  return self
end

return backends
