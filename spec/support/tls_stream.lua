--- A stream (spec/support/stream.lua) with TLS over it, in the spec's own loop: for what curl and openssl do not let a
-- spec decide, such as when to read and what to send last.

local loop = require("spec.support.loop")
local ssl = require("ssl")
local stream = require("spec.support.stream")
local sys = require("spec.support.sys")

local tls_stream = setmetatable({}, { __index = stream })
tls_stream.__index = tls_stream

local MASKS = { wantread = loop.READ, wantwrite = loop.WRITE, timeout = loop.READ }

--- Waits for what OpenSSL waits for; nil and the reason when it is an error, or too late.
local function wait(self, err, deadline)
  if not MASKS[err] then
    return nil, err
  end
  return loop.wait(self.fd, MASKS[err], deadline)
end

--- Connects and shakes hands.
-- @param options name (for SNI), protocol ("tlsv1_2", "tlsv1_3"; default: any), alpn (list), of stream.connect too
-- @return stream; nil, error
function tls_stream.connect(host, port, options)
  options = options or {}
  local self, err = stream.connect(host, port, options)
  if not self then
    return nil, err
  end
  setmetatable(self, tls_stream)
  self.tls = assert(ssl.wrap(self.sock, { mode = "client", protocol = options.protocol or "any", verify = "none",
    options = { "all" }, alpn = options.alpn }))
  self.sock = self.tls
  self.tls:settimeout(0)
  if options.name then
    self.tls:sni(options.name)
  end
  local deadline = self:deadline()
  while true do
    local ok, why = self.tls:dohandshake()
    if ok then
      return self
    end
    ok, why = wait(self, why, deadline)
    if not ok then
      self:close()
      return nil, why
    end
  end
end

function tls_stream:read_some(limit, deadline)
  if self.inbox ~= "" then
    return stream.read_some(self, limit)
  end
  deadline = deadline or self:deadline()
  while self.sock do
    local data, err, part = self.tls:receive(math.min(limit or 16384, 16384))
    data = data or part
    if data and data ~= "" then
      self.received = self.received + #data
      return data
    end
    local ok, why = wait(self, err, deadline)
    if not ok then
      return nil, why
    end
  end
  return nil, "closed"
end

function tls_stream:write(data)
  local done, deadline = 0, self:deadline()
  while self.sock and done < #data do
    local last, err, part = self.tls:send(data, done + 1)
    done = last or part or done
    if not last then
      local ok, why = wait(self, err, deadline)
      if not ok then
        return nil, why, done
      end
    end
  end
  self.sent = self.sent + done
  return self.sock and true or nil, "closed"
end

--- Ends the TCP connection in one direction, without close_notify.
function tls_stream:cut()
  sys.shutdown(self.fd)
end

return tls_stream
