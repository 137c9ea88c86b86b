--- A TCP connection with a buffer: what clients and origins of a spec read from and write to.
--
-- Functions that can fail return nil and one of "closed" (the other side ended the connection),
-- "reset", "timeout", or the system's words.

local socket = require("socket")
local loop = require("spec.support.loop")
local sys = require("spec.support.sys")

local stream = {}
stream.__index = stream

--- Wraps a connected socket.
function stream.new(sock)
  sock:settimeout(0)
  sock:setoption("tcp-nodelay", true)
  return setmetatable({
    sock = sock,
    fd = sock:getfd(),
    inbox = "", -- received, not yet read
    timeout = loop.TIMEOUT, -- of each operation, seconds
    received = 0, -- bytes since the start
    sent = 0,
  }, stream)
end

--- Connects.
-- @param host IPv4 or IPv6 address
-- @param options receive_buffer, send_buffer: sizes of the kernel's buffers, bytes; source: own
--   address
-- @return stream; nil, error
function stream.connect(host, port, options)
  options = options or {}
  local sock = assert(host:find(":") and socket.tcp6() or socket.tcp4())
  sock:settimeout(0)
  sys.set_buffers(sock:getfd(), options.receive_buffer, options.send_buffer)
  if options.source then
    assert(sock:bind(options.source, 0))
  end
  local ok, err = sock:connect(host, port)
  if not ok and err == "timeout" then
    ok, err = loop.wait(sock:getfd(), loop.WRITE, loop.now() + (options.timeout or loop.TIMEOUT))
    if ok then
      ok, err = sock:connect(host, port)
      ok = ok or err == "already connected"
    end
  end
  if not ok then
    sock:close()
    return nil, err
  end
  return stream.new(sock)
end

function stream:deadline()
  return loop.now() + self.timeout
end

--- One try to receive. What stands over TCP has its own (spec/support/tls.lua), all else of this file serves it, too.
-- @return bytes; nil, "timeout" and what to wait for; nil, error
function stream:try_receive(limit)
  local data, err = sys.receive(self.fd, limit)
  return data, err, loop.READ
end

--- One try to send what is behind the first done bytes of data.
-- @return how many bytes were taken; nil, "timeout" and what to wait for; nil, error
function stream:try_send(data, done)
  local taken, err = sys.send(self.fd, data, done)
  return taken, err, loop.WRITE
end

--- Whatever has arrived, at most limit bytes; waits for the first.
function stream:read_some(limit, deadline)
  if self.inbox ~= "" then
    local piece = self.inbox:sub(1, limit or -1)
    self.inbox = self.inbox:sub(#piece + 1)
    return piece
  end
  deadline = deadline or self:deadline()
  while self.sock do
    local data, err, mask = self:try_receive(limit)
    if data then
      self.received = self.received + #data
      return data
    end
    if err ~= "timeout" then
      return nil, err
    end
    local ok, late = loop.wait(self.fd, mask, deadline)
    if not ok then
      return nil, self.sock and late or "closed"
    end
  end
  return nil, "closed"
end

--- Exactly count bytes. On failure the bytes so far are the third result.
function stream:read(count)
  local parts, have, deadline = {}, 0, self:deadline()
  while have < count do
    local piece, err = self:read_some(count - have, deadline)
    if not piece then
      return nil, err, table.concat(parts)
    end
    parts[#parts + 1] = piece
    have = have + #piece
  end
  return table.concat(parts)
end

--- All bytes up to and including a text. What came before a failure stays to be read.
function stream:read_until(text)
  local deadline, from = self:deadline(), 1
  while true do
    local _, last = self.inbox:find(text, from, true)
    if last then
      local result = self.inbox:sub(1, last)
      self.inbox = self.inbox:sub(last + 1)
      return result
    end
    from = math.max(1, #self.inbox - #text + 2)
    local before = self.inbox
    self.inbox = ""
    local piece, err = self:read_some(nil, deadline)
    self.inbox = before .. (piece or "")
    if not piece then
      return nil, err
    end
  end
end

--- A line without its end.
function stream:read_line()
  local line, err = self:read_until("\n")
  if not line then
    return nil, err
  end
  return (line:gsub("\r?\n$", ""))
end

--- Everything up to the end of the connection; a reset instead of an end is a failure, with the
-- bytes so far.
function stream:read_all()
  local parts, deadline = {}, self:deadline()
  while true do
    local piece, err = self:read_some(nil, deadline)
    if not piece then
      local text = table.concat(parts)
      if err == "closed" then
        return text
      end
      return nil, err, text
    end
    parts[#parts + 1] = piece
  end
end

--- Sends everything. On failure the third result says how many bytes were taken.
function stream:write(data)
  local done, deadline = 0, self:deadline()
  while self.sock and done < #data do
    local taken, err, mask = self:try_send(data, done)
    if taken then
      self.sent = self.sent + taken
      done = done + taken
    elseif err ~= "timeout" then
      return nil, err, done
    else
      local ok, late = loop.wait(self.fd, mask, deadline)
      if not ok then
        return nil, late, done
      end
    end
  end
  if not self.sock then
    return nil, "closed", done
  end
  return true
end

--- Has the other side ended the connection, with nothing left to read? Does not wait.
function stream:ended()
  if self.inbox ~= "" then
    return false
  end
  local piece, err = self:read_some(nil, 0)
  self.inbox = piece or ""
  return not piece and err ~= "timeout"
end

--- Says that we send no more; reading goes on.
function stream:shutdown()
  self.sock:shutdown("send")
end

function stream:close()
  if self.sock then
    loop.release(self.fd)
    self.sock:close()
    self.sock = nil
  end
end

--- Ends the connection with a reset (RST).
function stream:reset()
  if self.sock then
    self.sock:setoption("linger", { on = true, timeout = 0 })
    self:close()
  end
end

return stream
