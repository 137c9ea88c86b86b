--- HTTP/1 client of the specs.
--
--   http.get("http://127.0.0.1:8080/x", { headers = { Host = "a.example" } }).status
--   local c = http.connect(url)                          -- a kept connection:
--   c:request { path = "/a" }; c:request { path = "/b" }
--   c:send("GET / HTT"); c:send("P/1.1\r\n..."); c:receive()   -- bytes as they are
--
-- A response: status, reason, version, headers (any case; several values joined), body,
-- trailers, chunks, raw (head), informational (1xx responses before it), values(name) (all
-- values of a field).

local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local stream = require("spec.support.stream")

local http = {}

local response_methods = {}
response_methods.__index = response_methods

--- All values of a header field, in order.
function response_methods:values(name)
  return message.values(self.headers, name)
end

local connection = {}
connection.__index = connection

local function parse_url(url)
  local host, port, path = url:match("^http://%[?([%x:.]+)%]?:(%d+)(.*)$")
  if not host then
    error("not an http URL with an address and a port: " .. tostring(url), 0)
  end
  return host, tonumber(port), path ~= "" and path or "/"
end

--- Connects.
-- @param url http://ADDRESS:PORT
-- @param options of stream.connect; timeout of each operation in seconds
-- @return connection; an error is raised
function http.connect(url, options)
  local host, port = parse_url(url)
  local bytes, err = stream.connect(host, port, options)
  if not bytes then
    error(("cannot connect to %s: %s"):format(url, err), 0)
  end
  bytes.timeout = options and options.timeout or bytes.timeout
  local authority = host:find(":") and ("[%s]:%d"):format(host, port) or ("%s:%d"):format(host, port)
  return cleanup.add(setmetatable({ stream = bytes, authority = authority, methods = {} }, connection))
end

--- A connection over a stream that is there already.
function http.over(bytes, authority)
  return cleanup.add(setmetatable({ stream = bytes, authority = authority, methods = {} }, connection))
end

--- Text of a request.
-- @param request method, path, version ("1.1"), headers, body, chunked (true, or body is a list
--   of chunks), trailers; host = false leaves Host out
function connection:format(request)
  local fields = message.fields(request.headers)
  if request.host ~= false and not fields.Host then
    table.insert(fields, 1, { "Host", request.host or self.authority })
  end
  local body = request.body
  if request.chunked or type(body) == "table" then
    fields[#fields + 1] = { "Transfer-Encoding", "chunked" }
    body = message.chunked(type(body) == "table" and body or { body or "" }, request.trailers)
  elseif body and not fields["Content-Length"] then
    fields[#fields + 1] = { "Content-Length", tostring(#body) }
  end
  local line = ("%s %s HTTP/%s"):format(request.method or "GET", request.path or "/", request.version or "1.1")
  return message.head(line, fields) .. (body or "")
end

--- Sends bytes.
function connection:send(bytes)
  local ok, err = self.stream:write(bytes)
  if not ok then
    error("cannot send: " .. err, 0)
  end
end

--- Sends a request without waiting for its response (pipelining: receive() takes them in order).
function connection:send_request(request)
  self.methods[#self.methods + 1] = request.method or "GET"
  self:send(self:format(request))
end

local function has_body(method, status)
  return method ~= "HEAD" and status >= 200 and status ~= 204 and status ~= 304
end

--- Reads the next head.
-- @return response without its body; nil, error
function connection:try_head()
  local head, err = message.read_head(self.stream)
  if not head then
    return nil, err
  end
  local version, status, reason = head.line:match("^HTTP/(%d%.%d) (%d%d%d) ?(.*)$")
  if not version then
    error("malformed status line: " .. head.line, 0)
  end
  return setmetatable({
    version = version,
    status = tonumber(status),
    reason = reason,
    headers = head.fields,
    raw = head.raw,
    informational = {},
  }, response_methods)
end

--- Reads the body of a response whose head was read.
-- @return true; nil, error (the body so far is in response.body)
function connection:try_body(response, method)
  if not has_body(method, response.status) then
    response.body = ""
    return true
  end
  local body, second, third = message.read_body(self.stream, response.headers, true)
  if not body then
    response.body = third
    return nil, second
  end
  response.body, response.trailers, response.chunks = body, second, third
  return true
end

--- Reads the next final response.
-- @param method of its request; default: that of the oldest request sent with send_request, else
--   GET
-- @return response; nil, error, what arrived of the response
function connection:try_receive(method)
  method = method or table.remove(self.methods, 1) or "GET"
  local informational = {}
  while true do
    local response, err = self:try_head()
    if not response then
      return nil, err
    end
    if response.status >= 200 or response.status == 101 then
      response.informational = informational
      local ok
      ok, err = self:try_body(response, method)
      if not ok then
        return nil, err, response
      end
      return response
    end
    informational[#informational + 1] = response
  end
end

--- Reads the next final response; anything less is an error.
function connection:receive(method)
  local response, err, part = self:try_receive(method)
  if not response then
    local place = part and ("after the head and %d bytes of body"):format(#(part.body or ""))
      or ("after %d bytes"):format(#self.stream.inbox)
    error(("no complete response: %s %s"):format(err, place), 0)
  end
  return response
end

--- Sends a request and reads its response.
function connection:request(request)
  self:send_request(request)
  return self:receive()
end

--- GET of a path on this connection.
function connection:get(path, request)
  request = request or {}
  request.path = path
  return self:request(request)
end

--- Waits for the other side to end the connection, with no byte before that.
-- @return "closed" or "reset"; an error when bytes come or nothing happens
function connection:wait_closed()
  local piece, err = self.stream:read_some()
  if piece then
    error("expected the end of the connection, got: " .. piece:sub(1, 200), 2)
  elseif err == "timeout" then
    error("the connection stays open", 2)
  end
  return err
end

--- Has the other side ended the connection?
function connection:ended()
  return self.stream:ended()
end

function connection:shutdown()
  self.stream:shutdown()
end

function connection:reset()
  self.stream:reset()
  cleanup.remove(self)
end

function connection:close()
  self.stream:close()
  cleanup.remove(self)
end

function connection:cleanup()
  self.stream:close()
end

--- How many of these connections are still open.
function http.count_open(list)
  local count = 0
  for _, c in ipairs(list) do
    count = count + (c:ended() and 0 or 1)
  end
  return count
end

--- A request on a connection of its own.
-- @param url http://ADDRESS:PORT/PATH
-- @param request see connection:format; path comes from the URL unless given
function http.request(url, request)
  local _, _, path = parse_url(url)
  local own = {}
  for key, value in pairs(request or {}) do
    own[key] = value
  end
  own.path = own.path or path
  local c = http.connect(url, own)
  local ok, response = pcall(c.request, c, own)
  c:close()
  if not ok then
    error(response, 0)
  end
  return response
end

function http.get(url, request)
  return http.request(url, request)
end

--- Requests side by side, each on a connection of its own.
-- @return list of responses, in the order of requests
function http.parallel(url, requests)
  local functions = {}
  for i, request in ipairs(requests) do
    functions[i] = function()
      return http.request(url, request)
    end
  end
  return loop.all(functions)
end

return http
