--- HTTP clients of the specs that don't care which version they speak: one interface for four ways to talk to the
-- proxy.
--
--   for _, way in ipairs(web.WAYS) do
--     local c = web.client(p, way)                         -- p: started with web.listening(options)
--     local r = c:request { method = "POST", path = "/", headers = { Accept = "text/html" }, body = "x" }
--     local first, second = c:start { path = "/a" }, c:start { path = "/b" }; second:response()
--
-- A request: method, path, headers (map, or list of pairs), body (string: of known length; list of strings: of
-- unknown), trailers, host. A response: status, headers (any case), body, trailers, interim (list of statuses),
-- cut = true: it did not come to its end; without a status not even its head came.

local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local message = require("spec.support.message")
local pki = require("spec.support.pki")
local stream = require("spec.support.stream")
local tls = require("spec.support.tls")

local web = { HOST = "a.example" }

local certificate -- made once

--- The ways, by name: version, and TLS or not.
web.WAYS = {
  { name = "HTTP/1.1", version = 1, tls = false },
  { name = "HTTP/1.1 over TLS", version = 1, tls = true },
  { name = "HTTP/2", version = 2, tls = false },
  { name = "HTTP/2 over TLS", version = 2, tls = true },
}

--- Options of proxy.start and group.start for a proxy that can be talked to in all ways.
function web.listening(options)
  certificate = certificate or pki.pair(pki.certificate { names = { web.HOST } })
  local own = { https = true, config = { tls = { certificates = { certificate } } } }
  for key, value in pairs(options or {}) do
    if key ~= "config" then
      own[key] = value
    end
  end
  for key, value in pairs(options and options.config or {}) do
    own.config[key] = value
  end
  return own
end

--- A stream of bytes to the proxy, as a way has it.
-- @param options source: own address
function web.connect(p, way, options)
  local address = way.tls and p.https_address or p.address
  local host, port = address:match("^(.*):(%d+)$")
  options = { source = options and options.source, name = web.HOST, alpn = { way.version == 2 and "h2" or "http/1.1" } }
  local bytes, err = (way.tls and tls.dial or stream.connect)(host, tonumber(port), options)
  if not bytes then
    error(("cannot connect for %s: %s"):format(way.name, err), 0)
  end
  return bytes
end

local function connect(self)
  return web.connect(self.proxy, self.way, self)
end

local client = {}
client.__index = client

local pending = {}
pending.__index = pending

--- HTTP/1: a connection is used again once its response has come whole.
local one = {}

function one.usable(connection)
  return not connection.busy and not connection:ended()
end

function one.connect(self)
  return http.over(connect(self), web.HOST)
end

function one.send(connection, request)
  connection.busy = true
  local text = connection:format {
    method = request.method, path = request.path, host = request.host, headers = request.headers, body = request.body,
    trailers = request.trailers,
  }
  -- Whoever is refused early need not be able to send all; the response says.
  local _ = connection.stream:write(text)
  return request.method or "GET"
end

function one.receive(connection, method)
  local r, _, part = connection:try_receive(method)
  local got = r or part or {}
  connection.busy = not r or message.lists(r.headers, "Connection", "close")
  local interim = {}
  for i, early in ipairs(got.informational or {}) do
    interim[i] = early.status
  end
  return { status = got.status, headers = got.headers, body = got.body, trailers = got.trailers, interim = interim,
    cut = not r }
end

function one.abort(connection)
  connection:close()
end

--- HTTP/2: all requests are streams of one connection, until it is left.
local two = {}

function two.usable(connection)
  return not connection.closed and not connection.goaway and not connection.stream:ended()
end

function two.connect(self)
  return h2.over(connect(self), { authority = web.HOST })
end

local function lower(headers)
  local list = {}
  for i, field in ipairs(message.fields(headers)) do
    list[i] = { field[1]:lower(), field[2] }
  end
  return list
end

function two.send(connection, request, way)
  local body, fields = request.body, lower(request.headers)
  if type(body) == "string" then
    fields[#fields + 1] = { "content-length", tostring(#body) }
  end
  local more -- nil: the head is all
  if body or request.trailers then
    more = false
  end
  local id = connection:open { method = request.method, path = request.path, authority = request.host,
    headers = fields, scheme = way.tls and "https" or "http", body = more }
  local pieces = type(body) == "table" and body or { body }
  for i, piece in ipairs(pieces) do
    local last = i == #pieces and not request.trailers
    if piece == "" then
      connection:data(id, "", last)
    elseif not connection:upload(id, piece, last) then
      return id
    end
  end
  if request.trailers then
    connection:headers(id, lower(request.trailers), h2.END_HEADERS + h2.END_STREAM)
  end
  return id
end

--- Fields of a list of pairs, without what h2.lua has added to it.
local function plain(fields)
  local list = {}
  for _, field in ipairs(fields or {}) do
    list[#list + 1] = field[1]:sub(1, 1) ~= ":" and field or nil
  end
  return fields and message.fields(list)
end

function two.receive(connection, id)
  local s = connection:response(id)
  local interim = {}
  for i, early in ipairs(s.informational) do
    interim[i] = early.status
  end
  return { status = s.status, headers = plain(s.headers), body = s.text, trailers = plain(s.trailers),
    interim = interim, cut = not s.ended }
end

function two.abort(connection, id)
  connection:reset(id)
end

local VERSIONS = { one, two }

--- @param p proxy
-- @param way one of web.WAYS
-- @param options source: own address
function web.client(p, way, options)
  return setmetatable({ proxy = p, way = way, source = options and options.source,
    version = VERSIONS[way.version] }, client)
end

--- Sends a request. Its response is waited for by response(); abort() gives it up.
function client:start(request)
  local connection = self.connection
  if not connection or not self.version.usable(connection) then
    connection = self.version.connect(self)
    self.connection = connection
  end
  local sent = self.version.send(connection, request or {}, self.way)
  return setmetatable({ version = self.version, connection = connection, sent = sent }, pending)
end

function client:request(request)
  return self:start(request):response()
end

--- Ends its connection.
function client:close()
  if self.connection then
    self.connection:close()
    self.connection = nil
  end
end

function pending:response()
  return self.version.receive(self.connection, self.sent)
end

function pending:abort()
  return self.version.abort(self.connection, self.sent)
end

return web
