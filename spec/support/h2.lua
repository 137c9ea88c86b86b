--- HTTP/2 client of the specs, frame by frame: it does what it is told, be it forbidden.
--
--   local c = h2.connect(p.url)                    -- preface and SETTINGS are sent, settings acknowledged
--   c:request({ path = "/", authority = "a" }).status
--   local id = c:open { method = "POST" }; c:data(id, "x"); c:data(id, "y", true); c:response(id)
--   c:send(h2.frame("PING", 0, 0, "12345678")); c:wait(function() return c.goaway end)
--
-- Header blocks are written as literals without Huffman and without indexing, so that a spec can say any bytes; they
-- are read by nghttp2's inflater.

local ffi = require("ffi")
local bit = require("bit")
local cleanup = require("spec.support.cleanup")
local stream = require("spec.support.stream")

local declared = pcall(ffi.typeof, "struct h2_spec_nv")
if not declared then
  ffi.cdef [[
  struct h2_spec_nv { uint8_t *name, *value; size_t namelen, valuelen; uint8_t flags; };
  typedef struct nghttp2_hd_inflater nghttp2_hd_inflater;
  int nghttp2_hd_inflate_new(nghttp2_hd_inflater **out);
  void nghttp2_hd_inflate_del(nghttp2_hd_inflater *inflater);
  long nghttp2_hd_inflate_hd2(nghttp2_hd_inflater *inflater, struct h2_spec_nv *out, int *flags,
                              const uint8_t *in, size_t len, int final);
  int nghttp2_hd_inflate_end_headers(nghttp2_hd_inflater *inflater);
  ]]
end
local nghttp2 = ffi.load("libnghttp2.so.14")
local EMIT, FINAL = 2, 1

local h2 = { PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

h2.TYPES = {
  DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7,
  WINDOW_UPDATE = 8, CONTINUATION = 9,
}
h2.ERRORS = {
  [0] = "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
  "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}
h2.SETTINGS = {
  HEADER_TABLE_SIZE = 1, ENABLE_PUSH = 2, MAX_CONCURRENT_STREAMS = 3, INITIAL_WINDOW_SIZE = 4, MAX_FRAME_SIZE = 5,
  MAX_HEADER_LIST_SIZE = 6, ENABLE_CONNECT_PROTOCOL = 8, NO_RFC7540_PRIORITIES = 9,
}
h2.END_STREAM, h2.ACK, h2.END_HEADERS, h2.PADDED, h2.PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

local names = {}
for name, number in pairs(h2.TYPES) do
  names[number] = name
end

--- A number as bytes, most significant first.
function h2.bytes(number, count)
  local out = {}
  for i = count, 1, -1 do
    out[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(out)
end

local function number_of(text, from, count)
  local n = 0
  for i = from, from + count - 1 do
    n = n * 256 + text:byte(i)
  end
  return n
end

--- A frame. kind: name or number; length: what its head claims, default the payload's.
function h2.frame(kind, flags, id, payload, length)
  payload = payload or ""
  return h2.bytes(length or #payload, 3) .. string.char(h2.TYPES[kind] or kind, flags) .. h2.bytes(id, 4) .. payload
end

--- The payload of SETTINGS: { INITIAL_WINDOW_SIZE = 10 }, or a list of { number, value }.
function h2.settings(values)
  local out = {}
  for key, value in pairs(values) do
    if type(value) == "table" then
      out[#out + 1] = h2.bytes(value[1], 2) .. h2.bytes(value[2], 4)
    else
      out[#out + 1] = h2.bytes(h2.SETTINGS[key], 2) .. h2.bytes(value, 4)
    end
  end
  return table.concat(out)
end

local function prefixed(first, bits, n)
  local most = 2 ^ bits - 1
  if n < most then
    return string.char(first + n)
  end
  local out = { string.char(first + most) }
  n = n - most
  while n >= 128 do
    out[#out + 1] = string.char(n % 128 + 128)
    n = math.floor(n / 128)
  end
  out[#out + 1] = string.char(n)
  return table.concat(out)
end
h2.integer = prefixed

--- A header block of { name, value } pairs.
function h2.block(fields)
  local out = {}
  for _, field in ipairs(fields) do
    out[#out + 1] = "\0" .. prefixed(0, 7, #field[1]) .. field[1] .. prefixed(0, 7, #field[2]) .. field[2]
  end
  return table.concat(out)
end

--- The fields of a request: pseudo-header fields, then request.headers (list of pairs). false leaves one out.
function h2.fields(request)
  local fields = {}
  local function add(name, value)
    if value then
      fields[#fields + 1] = { name, value }
    end
  end
  local function given(key, default)
    return request[key] == nil and default or request[key]
  end
  add(":method", given("method", "GET"))
  add(":scheme", given("scheme", "http"))
  add(":path", given("path", "/"))
  add(":authority", given("authority", "a.test"))
  add(":protocol", request.protocol)
  for _, field in ipairs(request.headers or {}) do
    fields[#fields + 1] = field
  end
  return fields
end

local connection = {}
connection.__index = connection

--- A connection over a stream of bytes, of which nothing was read or sent yet.
function h2.wrap(bytes, options)
  local inflater = ffi.new("nghttp2_hd_inflater *[1]")
  assert(nghttp2.nghttp2_hd_inflate_new(inflater) == 0)
  return setmetatable({
    stream = bytes, streams = {}, frames = {}, next_id = 1,
    windows = options.windows ~= false, authority = options.authority,
    inflater = ffi.gc(inflater[0], nghttp2.nghttp2_hd_inflate_del), acks = 0, pongs = {},
    given = {}, -- by WINDOW_UPDATE, of each stream; 0: of all
    taken = {},
  }, connection)
end

--- A client's connection over a stream of bytes that is there already, TLS or not. options: as of h2.connect.
function h2.over(bytes, options)
  local self = h2.wrap(bytes, options)
  if options.preface ~= false then
    self:send(h2.PREFACE .. h2.frame("SETTINGS", 0, 0, h2.settings(options.settings or {})))
  end
  return cleanup.add(self)
end

--- Connects. options: of stream.connect; preface = false: nothing is sent; settings: as h2.settings takes them;
-- windows = false: bytes received are not given back to the windows; authority: of requests that name none.
function h2.connect(url, options)
  options = options or {}
  local host, port = url:match("^http://(.*):(%d+)$")
  local bytes, err = stream.connect(host, tonumber(port), options)
  if not bytes then
    error("cannot connect: " .. err, 0)
  end
  return h2.over(bytes, options)
end

--- Sends bytes; an end of the connection shows when reading.
function connection:send(bytes)
  return self.stream:write(bytes)
end

local function inflate(self, block)
  local fields, nv, flags = {}, ffi.new("struct h2_spec_nv"), ffi.new("int[1]")
  local at, len = ffi.cast("const uint8_t *", block), #block
  repeat
    local n = tonumber(nghttp2.nghttp2_hd_inflate_hd2(self.inflater, nv, flags, at, len, 1))
    assert(n >= 0, "malformed header block")
    at, len = at + n, len - n
    if bit.band(flags[0], EMIT) ~= 0 then
      local name, value = ffi.string(nv.name, nv.namelen), ffi.string(nv.value, nv.valuelen)
      fields[#fields + 1] = { name, value }
      fields[name] = fields[name] and fields[name] .. ", " .. value or value
    end
  until bit.band(flags[0], FINAL) ~= 0
  nghttp2.nghttp2_hd_inflate_end_headers(self.inflater)
  return fields
end

--- The next frame: type (name), flags, id, payload; nil, error.
function connection:read_frame()
  local head, err = self.stream:read(9)
  if not head then
    return nil, err
  end
  local payload
  payload, err = self.stream:read(number_of(head, 1, 3))
  if not payload then
    return nil, err
  end
  return {
    type = names[head:byte(4)] or head:byte(4), flags = head:byte(5), id = number_of(head, 6, 4), payload = payload,
  }
end

function connection:stream_of(id)
  self.streams[id] = self.streams[id] or { body = {}, received = 0, informational = {}, id = id }
  return self.streams[id]
end

local function on_headers(self, frame)
  local s = self:stream_of(frame.id)
  local block = frame.payload
  while bit.band(frame.flags, h2.END_HEADERS) == 0 do
    local more = assert(self:read_frame())
    assert(more.type == "CONTINUATION" and more.id == frame.id)
    block = block .. more.payload
    frame.flags = bit.bor(frame.flags, bit.band(more.flags, h2.END_HEADERS))
  end
  frame.fields = inflate(self, block)
  local status = tonumber(frame.fields[":status"])
  if not status then
    s.trailers = frame.fields
  elseif status < 200 then
    s.informational[#s.informational + 1] = { status = status, headers = frame.fields }
  else
    s.status, s.headers = status, frame.fields
  end
  s.ended = s.ended or bit.band(frame.flags, h2.END_STREAM) ~= 0
end

local function on_data(self, frame)
  local s = self:stream_of(frame.id)
  s.body[#s.body + 1] = frame.payload
  s.received = s.received + #frame.payload
  s.ended = bit.band(frame.flags, h2.END_STREAM) ~= 0
  if self.windows and #frame.payload > 0 then
    self:window(0, #frame.payload)
    if not s.ended then
      self:window(frame.id, #frame.payload)
    end
  end
end

local handlers = {
  HEADERS = on_headers,
  DATA = on_data,
  RST_STREAM = function(self, frame)
    self:stream_of(frame.id).reset = h2.ERRORS[number_of(frame.payload, 1, 4)]
  end,
  SETTINGS = function(self, frame)
    if bit.band(frame.flags, h2.ACK) ~= 0 then
      self.acks = self.acks + 1
      return
    end
    self.settings = self.settings or {}
    for at = 1, #frame.payload, 6 do
      self.settings[number_of(frame.payload, at, 2)] = number_of(frame.payload, at + 2, 4)
    end
    if self.acknowledge ~= false then
      self:send(h2.frame("SETTINGS", h2.ACK, 0))
    end
  end,
  PING = function(self, frame)
    if bit.band(frame.flags, h2.ACK) ~= 0 then
      self.pongs[#self.pongs + 1] = frame.payload
    elseif self.answer_pings ~= false then
      self:send(h2.frame("PING", h2.ACK, 0, frame.payload))
    end
  end,
  WINDOW_UPDATE = function(self, frame)
    self.given[frame.id] = (self.given[frame.id] or 0) + number_of(frame.payload, 1, 4)
  end,
  GOAWAY = function(self, frame)
    self.goaway = {
      last = number_of(frame.payload, 1, 4), code = h2.ERRORS[number_of(frame.payload, 5, 4)],
    }
    self.goaways = (self.goaways or 0) + 1
  end,
}

--- Reads a frame and does what belongs to it. nil when the connection has ended: self.closed says how.
function connection:step()
  if self.closed then
    return nil, self.closed
  end
  local frame, err = self:read_frame()
  if not frame then
    if err == "timeout" then
      error("timeout: no further frame", 2)
    end
    self.closed = err
    return nil, err
  end
  self.frames[#self.frames + 1] = frame.type
  if handlers[frame.type] then
    handlers[frame.type](self, frame)
  end
  return frame
end

--- Reads until fn returns something true, which it returns; nil when the connection ended before.
function connection:wait(fn)
  while true do
    local result = fn()
    if result then
      return result
    end
    if not self:step() then
      return fn() or nil
    end
  end
end

--- Lets the peer send n bytes more, on stream id or, with 0, on all.
function connection:window(id, n)
  return self:send(h2.frame("WINDOW_UPDATE", 0, id, h2.bytes(n, 4)))
end

--- Sends HEADERS. flags default to END_HEADERS.
function connection:headers(id, fields, flags)
  return self:send(h2.frame("HEADERS", flags or h2.END_HEADERS, id, h2.block(fields)))
end

function connection:data(id, bytes, last)
  return self:send(h2.frame("DATA", last and h2.END_STREAM or 0, id, bytes))
end

--- Bytes that may still be sent on a stream.
function connection:sendable(id)
  local initial = self.settings and self.settings[h2.SETTINGS.INITIAL_WINDOW_SIZE] or 65535
  local own = initial + (self.given[id] or 0) - (self.taken[id] or 0)
  return math.min(own, 65535 + (self.given[0] or 0) - (self.taken[0] or 0))
end

--- Sends bytes as fast as the windows allow. False: the stream or the connection ended before.
function connection:upload(id, bytes, last)
  local done = 0
  while done < #bytes do
    self:wait(function()
      return self:sendable(id) > 0 or self:stream_of(id).reset
    end)
    local n = math.min(#bytes - done, self:sendable(id), 16384)
    if self.closed or self:stream_of(id).reset then
      return false
    end
    self.taken[0], self.taken[id] = (self.taken[0] or 0) + n, (self.taken[id] or 0) + n
    self:data(id, bytes:sub(done + 1, done + n), last and done + n == #bytes)
    done = done + n
  end
  return true
end

function connection:reset(id, code)
  return self:send(h2.frame("RST_STREAM", 0, id, h2.bytes(code or 8, 4)))
end

--- Opens a stream: request as h2.fields takes it, with body (a string: the whole of it, ends the stream; nil: none;
-- false: DATA will follow). Returns its id.
function connection:open(request)
  request = request or {}
  local id = self.next_id
  self.next_id = id + 2
  if request.authority == nil then
    request.authority = self.authority
  end
  self:headers(id, h2.fields(request), request.body == nil and h2.END_HEADERS + h2.END_STREAM or h2.END_HEADERS)
  if request.body then
    self:data(id, request.body, true)
  end
  return id
end

--- Waits for the end of a stream: status, headers, body, trailers, informational, reset (name of an error).
function connection:response(id)
  local s = self:stream_of(id)
  self:wait(function()
    return s.ended or s.reset
  end)
  s.closed = self.closed
  s.text = table.concat(s.body)
  return s
end

function connection:request(request)
  return self:response(self:open(request))
end

--- A stream as spec/support/stream.lua has it: write, read, ended, of the bytes on stream id.
function connection:bytes(id)
  local own, taken = {}, 0
  local function all()
    return table.concat(self:stream_of(id).body)
  end
  function own.write(_, bytes)
    return self:upload(id, bytes)
  end
  function own.read(_, count)
    local s = self:stream_of(id)
    self:wait(function()
      return s.received >= taken + count or s.ended or s.reset
    end)
    if s.received < taken + count then
      return nil, s.reset or "closed"
    end
    taken = taken + count
    return all():sub(taken - count + 1, taken)
  end
  return own
end

function connection:close()
  self.stream:close()
end

connection.cleanup = connection.close

return h2
