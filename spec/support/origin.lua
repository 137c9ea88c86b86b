--- Backends of the specs: real HTTP/1 servers on ports from the kernel, served by the spec's own
-- loop.
--
--   local o = origin.start(function(request) return { status = 200, body = "hi" } end)
--   o.url, o.port, o:count(), o.requests, o:respond(fn), o:stop(), o:kill()
--
-- What a handler gets: method, target, version, headers (any case), body, trailers, chunks, raw
-- (head), connection (number, from 1), stream. What it returns: status, reason, headers, body
-- (string; list of strings: chunked; function(write): written as it runs, framed by the headers
-- it gives), chunked = true, trailers, informational = { {status=103, headers=} }, version,
-- close = true (ends the connection after it), delay (seconds before it), raw (bytes instead of
-- all that).

local socket = require("socket")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local process = require("spec.support.process")
local stream = require("spec.support.stream")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls")

local origin = {}

local server = {}
server.__index = server

local REASONS = {
  [100] = "Continue", [101] = "Switching Protocols", [103] = "Early Hints", [200] = "OK",
  [204] = "No Content", [304] = "Not Modified", [404] = "Not Found", [500] = "Internal Server Error",
  [503] = "Service Unavailable",
}

local function status_line(response)
  local status = response.status or 200
  local reason = response.reason or REASONS[status] or "Whatever"
  return ("HTTP/%s %d %s"):format(response.version or "1.1", status, reason)
end

--- Reads the next request of a connection.
-- @return request; nil, error
function origin.read_request(bytes, options)
  local head, err = message.read_head(bytes)
  if not head then
    return nil, err
  end
  local method, target, version = head.line:match("^(%S+) (%S+) HTTP/(%d%.%d)$")
  if not method then
    error("malformed request line: " .. head.line, 0)
  end
  local request = {
    method = method, target = target, version = version,
    headers = head.fields, raw = head.raw, stream = bytes,
  }
  if options and options.stream then
    return request
  end
  if message.lists(head.fields, "Expect", "100-continue") and not (options and options.refuse_expect) then
    bytes:write("HTTP/1.1 100 Continue\r\n\r\n")
  end
  request.body, request.trailers, request.chunks = message.read_body(bytes, head.fields, false)
  if not request.body then
    return nil, request.trailers
  end
  return request
end

local function frame(response, fields, method)
  local status = response.status or 200
  local body = response.body or ""
  local bodyless = status < 200 or status == 204 or status == 304
  if response.chunked or type(body) == "table" then
    fields[#fields + 1] = { "Transfer-Encoding", "chunked" }
    body = message.chunked(type(body) == "table" and body or { body }, response.trailers)
  elseif not bodyless and not fields["Content-Length"] and not fields["Transfer-Encoding"]
    and not response.close then
    fields[#fields + 1] = { "Content-Length", tostring(#body) }
  end
  return method == "HEAD" and "" or body
end

--- Sends a response as a handler returns it.
-- @return true when the connection goes on
function origin.write_response(bytes, response, method)
  if response.delay then
    loop.delay(response.delay)
  end
  if response.raw then
    return bytes:write(response.raw) and not response.close
  end
  for _, early in ipairs(response.informational or {}) do
    bytes:write(message.head(status_line(early), message.fields(early.headers)))
  end
  local fields = message.fields(response.headers)
  if type(response.body) == "function" then
    local write = function(data)
      return bytes:write(data)
    end
    local ok = bytes:write(message.head(status_line(response), fields))
    ok = ok and response.body(write) ~= false
    return ok and not response.close
  end
  local body = frame(response, fields, method)
  local ok = bytes:write(message.head(status_line(response), fields) .. body)
  return ok and not response.close and (response.version or "1.1") ~= "1.0"
end

local function serve_http(self, bytes, number)
  while true do
    local request = origin.read_request(bytes, self.options)
    if not request then
      break
    end
    request.connection = number
    request.tls = self.tls and bytes or nil
    self.requests[#self.requests + 1] = request
    local response = self.handler(request) or {}
    local goes_on = origin.write_response(bytes, response, request.method)
    if not goes_on or message.lists(request.headers, "Connection", "close") then
      break
    end
  end
  bytes:close()
end

--- The TLS end of a connection, noted in handshakes; nil when none came about.
local function accept_tls(self, plain)
  local bytes, err = tls.accept(plain, self.tls)
  if not bytes then
    self.handshake_errors[#self.handshake_errors + 1] = err
    plain:close()
    return nil
  end
  self.handshakes[#self.handshakes + 1] = bytes
  return bytes
end

local function serve(self, sock)
  local bytes = stream.new(sock)
  bytes.timeout = self.options.timeout or 120 -- a kept connection may idle for the whole spec
  self.accepted = self.accepted + 1
  bytes = self.tls and accept_tls(self, bytes) or not self.tls and bytes
  if not bytes then
    return
  end
  self.open[bytes] = true
  local ok, err = pcall(self.serve_connection, self, bytes, self.accepted)
  self.open[bytes] = nil
  bytes:close()
  if not ok then
    error(err, 0)
  end
end

local function accept_loop(self, listener)
  local fd = listener:getfd()
  while self.listener == listener do
    local sock = listener:accept()
    if sock then
      loop.spawn(serve, self, sock)
    else
      loop.wait(fd, loop.READ, loop.now() + 3600)
    end
  end
end

local function listen(self, port)
  local host = self.options.host or "127.0.0.1"
  local listener = assert(host:find(":") and socket.tcp6() or socket.tcp4())
  listener:setoption("reuseaddr", true)
  sys.set_buffers(listener:getfd(), self.options.receive_buffer, self.options.send_buffer)
  assert(listener:bind(host, port))
  assert(listener:listen(1024))
  listener:settimeout(0)
  local _, real_port = listener:getsockname()
  self.listener, self.port = listener, tonumber(real_port)
  self.authority = (host:find(":") and "[%s]:%d" or "%s:%d"):format(host, self.port)
  self.url = (self.tls and "https://" or "http://") .. self.authority
  self.task = loop.spawn(accept_loop, self, listener)
end

local function start(options, serve_connection, handler)
  local self = setmetatable({
    options = options or {},
    serve_connection = serve_connection,
    handler = handler,
    requests = {}, -- as handlers get them, oldest first
    accepted = 0, -- connections so far
    tls = options and options.tls and tls.context(options.tls),
    handshakes = {}, -- with TLS: every connection so far, oldest first
    handshake_errors = {}, -- and why others came to none
    open = {}, -- set of streams
  }, server)
  listen(self, self.options.port or 0)
  return cleanup.add(self)
end

--- Starts an HTTP backend.
-- @param handler function(request) -> response; default: 200 with body "ok"
-- @param options host (default 127.0.0.1), port, receive_buffer, send_buffer; stream = true: the
--   handler is called after the head and reads the body itself (request.stream); refuse_expect =
--   true: no 100 Continue by itself; tls: options of tls.context, the backend speaks TLS
function origin.start(handler, options)
  if type(handler) == "table" then
    local response = handler
    handler = function()
      return response
    end
  end
  return start(options, serve_http, handler or function()
    return { body = "ok" }
  end)
end

--- Starts a backend that is scripted byte by byte.
-- @param script function(stream, number, origin): runs once for each connection; the stream is
--   closed at its end
function origin.raw(script, options)
  return start(options, function(self, bytes, number)
    script(bytes, number, self)
  end)
end

--- A port that nobody listens on: connections are refused.
function origin.refusing_url()
  local listener = assert(socket.tcp4())
  assert(listener:bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return ("http://127.0.0.1:%d"):format(port)
end

--- Number of requests so far.
function server:count()
  return #self.requests
end

--- Number of connections that are open now.
function server:connections()
  local count = 0
  for _ in pairs(self.open) do
    count = count + 1
  end
  return count
end

--- Answers by another handler (or a fixed response) from now on.
function server:respond(handler)
  self.handler = type(handler) == "function" and handler or function()
    return handler
  end
end

local function stop_listening(self)
  local listener = self.listener
  if listener then
    self.listener = nil
    loop.cancel(self.task)
    listener:close()
  end
end

--- Ends all connections, in order.
function server:close_connections()
  for bytes in pairs(self.open) do
    bytes:close()
  end
end

--- Stops listening and ends all connections.
function server:stop()
  stop_listening(self)
  self:close_connections()
end

--- Stops at once: connections are reset, as when a machine's process dies with unread data.
function server:kill()
  stop_listening(self)
  for bytes in pairs(self.open) do
    bytes:reset()
  end
end

--- Listens again, on the same port.
function server:restart()
  stop_listening(self)
  listen(self, self.port)
end

function server:cleanup()
  self:stop()
end

local child = {}
child.__index = child

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"

--- Starts a backend as a process of its own, fast enough for load and fit to be killed.
-- @param options name (sent as X-Origin), body, size (bytes of body), delay (ms), port
-- @return url, port, pid, kill(signal), restart(), stop(), rss()
function origin.process(options)
  local self = setmetatable({ options = options or {} }, child)
  self:launch(self.options.port or 0)
  return self
end

function child:launch(port)
  local args = { TOOLS .. "/origin-server", "--port", tostring(port) }
  for _, key in ipairs({ "name", "body", "size", "delay" }) do
    if self.options[key] then
      args[#args + 1] = "--" .. key
      args[#args + 1] = tostring(self.options[key])
    end
  end
  self.process = process.start(args, { name = "origin-server" })
  local line = self.process:wait_line("^listening (%d+)")
  self.port, self.pid = tonumber(line), self.process.pid
  self.url = ("http://127.0.0.1:%d"):format(self.port)
end

--- Sends a signal (default KILL) and waits for the process's end.
function child:kill(signal)
  self.process:signal(signal or "KILL")
  self.process:wait_exit()
end

--- Starts it again on the same port, killing it first if it still runs.
function child:restart()
  if self.process:running() then
    self:kill()
  end
  self:launch(self.port)
end

function child:stop()
  self:kill("TERM")
end

return origin
