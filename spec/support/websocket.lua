--- WebSocket (RFC 6455) for the specs: frames, a client, and what a backend does with a request to upgrade.
--
--   local ws = websocket.connect(proxy, { path = "/chat" })
--   ws:send("hi"); ws:receive().payload; ws:close(1000)
--   local o = origin.start(websocket.handler(function(peer) ... end))     -- default: echoes messages
--
-- A peer is an end of a connection: client (masks what it sends) or backend.

local bit = require("bit")
local ffi = require("ffi")
local cleanup = require("spec.support.cleanup")
local message = require("spec.support.message")
local mime = require("mime")

local websocket = {
  CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10,
  -- Of RFC 6455 1.3; the proxy passes both on.
  KEY = "dGhlIHNhbXBsZSBub25jZQ==", ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
}

local crypto = ffi.load("crypto")
ffi.cdef "unsigned char *SHA1(const unsigned char *data, size_t len, unsigned char *digest);"

--- The answer to a key (RFC 6455 4.2.2).
function websocket.accept_of(key)
  local text, digest = key .. "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", ffi.new("uint8_t[20]")
  crypto.SHA1(text, #text, digest)
  return (mime.b64(ffi.string(digest, 20)))
end

local peer = {}
peer.__index = peer

local function apply_mask(text, mask)
  local out = ffi.new("uint8_t[?]", math.max(1, #text))
  ffi.copy(out, text, #text)
  local key = { mask:byte(1, 4) }
  for i = 0, #text - 1 do
    out[i] = bit.bxor(out[i], key[i % 4 + 1])
  end
  return ffi.string(out, #text)
end

local function length_bytes(length, masked)
  local flag = masked and 128 or 0
  if length < 126 then
    return string.char(flag + length)
  elseif length < 65536 then
    return string.char(flag + 126, math.floor(length / 256), length % 256)
  end
  local bytes = {}
  for i = 8, 1, -1 do
    bytes[i] = length % 256
    length = math.floor(length / 256)
  end
  return string.char(flag + 127, unpack(bytes))
end

--- Text of a frame.
-- @param frame opcode (default TEXT), payload (default ""), final (default true), mask (four bytes; nil: none)
function websocket.frame(frame)
  local payload, mask = frame.payload or "", frame.mask
  local first = (frame.opcode or websocket.TEXT) + (frame.final == false and 0 or 128)
  return string.char(first) .. length_bytes(#payload, mask) .. (mask or "")
    .. (mask and apply_mask(payload, mask) or payload)
end

--- Text of a close frame's payload.
function websocket.close_payload(code, reason)
  return string.char(math.floor(code / 256), code % 256) .. (reason or "")
end

--- Wraps a stream behind its handshake.
-- @param mask true at a client
function websocket.peer(stream, mask)
  return setmetatable({ stream = stream, mask = mask and "\1\2\3\4" or nil }, peer)
end

--- Sends one frame.
-- @return true; nil, error
function peer:send_frame(frame)
  local own = { mask = self.mask }
  for key, value in pairs(frame) do
    own[key] = value
  end
  return self.stream:write(websocket.frame(own))
end

--- Sends a message in one frame.
function peer:send(payload, opcode)
  return self:send_frame { payload = payload, opcode = opcode }
end

local function read_length(stream, second)
  local length = second % 128
  local count = length == 126 and 2 or length == 127 and 8 or 0
  if count == 0 then
    return length
  end
  local bytes, err = stream:read(count)
  if not bytes then
    return nil, err
  end
  length = 0
  for i = 1, count do
    length = length * 256 + bytes:byte(i)
  end
  return length
end

--- The next frame: opcode, payload, final, masked; of a close frame code and reason, too.
-- @return frame; nil, error
function peer:receive()
  local head, err = self.stream:read(2)
  if not head then
    return nil, err
  end
  local first, second = head:byte(1, 2)
  local length, failure = read_length(self.stream, second)
  if not length then
    return nil, failure
  end
  local masked = second >= 128
  local mask = masked and self.stream:read(4)
  local payload, why = self.stream:read(length)
  if not payload then
    return nil, why
  end
  payload = masked and apply_mask(payload, mask) or payload
  local frame = { opcode = first % 16, payload = payload, final = first >= 128, masked = masked }
  if frame.opcode == websocket.CLOSE and length >= 2 then
    frame.code, frame.reason = payload:byte(1) * 256 + payload:byte(2), payload:sub(3)
  end
  return frame
end

--- The next message, put together from its frames; what pings and pongs come between is passed over.
-- @return payload, opcode; nil, the close frame or an error
function peer:receive_message()
  local parts, opcode = {}, nil
  while true do
    local frame, err = self:receive()
    if not frame then
      return nil, err
    elseif frame.opcode == websocket.CLOSE then
      return nil, frame
    elseif frame.opcode < websocket.CLOSE then
      opcode = opcode or frame.opcode
      parts[#parts + 1] = frame.payload
      if frame.final then
        return table.concat(parts), opcode
      end
    end
  end
end

--- Sends a close frame.
function peer:send_close(code, reason)
  return self:send_frame { opcode = websocket.CLOSE, payload = websocket.close_payload(code or 1000, reason) }
end

--- Closes in order: close frame, the other's, end of the connection.
-- @return the other's close frame
function peer:close(code, reason)
  assert(self:send_close(code, reason))
  local frame
  repeat
    frame = assert(self:receive())
  until frame.opcode == websocket.CLOSE
  self.stream:close()
  return frame
end

--- The other end closes: its close frame is answered and the connection closed.
-- @return its close frame; nil, error
function peer:await_close()
  local payload, frame
  repeat
    payload, frame = self:receive_message()
  until not payload
  if type(frame) ~= "table" then
    return nil, frame
  end
  self:send_close(frame.code)
  return frame
end

function peer:cleanup()
  self.stream:close()
end

--- Fields of a request to upgrade.
function websocket.headers(more)
  local headers = {
    Connection = "Upgrade", Upgrade = "websocket",
    ["Sec-WebSocket-Key"] = websocket.KEY, ["Sec-WebSocket-Version"] = "13",
  }
  for name, value in pairs(more or {}) do
    headers[name] = value
  end
  return headers
end

--- Text of a request to upgrade.
-- @param options method (GET), path, host, headers (more, or others)
function websocket.request(options)
  options = options or {}
  local fields = message.fields(websocket.headers(options.headers))
  table.insert(fields, 1, { "Host", options.host or "a.example" })
  return message.head(("%s %s HTTP/1.1"):format(options.method or "GET", options.path or "/"), fields)
end

--- Opens a WebSocket through the proxy.
-- @param options as of websocket.request; early: bytes sent in one piece with the head; receive_buffer, send_buffer
-- @return peer, with head (line, fields) of the answer; nil, the head of another answer or an error
function websocket.connect(proxy, options)
  options = options or {}
  local connection = proxy:connect { receive_buffer = options.receive_buffer, send_buffer = options.send_buffer }
  local stream = connection.stream
  assert(stream:write(websocket.request(options) .. (options.early or "")))
  local head, err = message.read_head(stream)
  if not head or not head.line:find("^HTTP/1%.1 101 ") then
    return nil, head or err, stream
  end
  local self = websocket.peer(stream, true)
  self.head = head
  return cleanup.add(self)
end

--- Text of the answer that agrees.
-- @param key that was asked with (default: websocket.KEY)
function websocket.answer(protocol, headers, key)
  local fields = message.fields(headers)
  for _, field in ipairs({ { "Connection", "Upgrade" }, { "Upgrade", protocol or "websocket" },
    { "Sec-WebSocket-Accept", websocket.accept_of(key or websocket.KEY) } }) do
    fields[#fields + 1] = field
  end
  return message.head("HTTP/1.1 101 Switching Protocols", fields)
end

--- Sends messages back, until the other end closes.
function websocket.echo(self)
  while true do
    local payload, opcode = self:receive_message()
    if not payload then
      if type(opcode) == "table" then
        self:send_close(opcode.code)
      end
      return
    end
    self:send(payload, opcode)
  end
end

--- A handler for origin.start: agrees and lets a function serve the connection, which is closed at its end.
-- @param serve function(peer, request); default: websocket.echo
-- @param options early: bytes sent in one piece with the answer
function websocket.handler(serve, options)
  return function(request)
    request.stream:write(websocket.answer(nil, nil, request.headers["Sec-WebSocket-Key"])
      .. (options and options.early or ""))
    local self = websocket.peer(request.stream, false);
    (serve or websocket.echo)(self, request)
    return { raw = "", close = true }
  end
end

return websocket
