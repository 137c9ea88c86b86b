--- A name server of the specs: answers A queries from a table, counts them, changes its mind when told.
--
--   local d = dns.start { ["svc.test"] = { ttl = 1, "127.0.0.1" } }
--   d.address           -- "127.0.0.1:PORT"
--   d.names["svc.test"] = { ttl = 1, "127.0.0.2" };  d.queries["svc.test"]
--
--   d.names["svc.test"] = { lie = "truncated" }             -- a key of LIES below
--
-- A name that is not in the table does not exist (NXDOMAIN); mute = true leaves all queries unanswered;
-- heard counts them, whatever becomes of them. An answer that UDP has no room for is asked for again over TCP.

local bit = require("bit")
local socket = require("socket")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local stream = require("spec.support.stream")

local dns = {}
dns.__index = dns

local TYPE_A, TYPE_CNAME = 1, 5
local UDP_MAX = 512
local GOOD, TRUNCATED, FAILED, UNKNOWN = 0x8180, 0x8380, 0x8182, 0x8183

local function u16(n)
  return string.char(bit.rshift(n, 8), bit.band(n, 255))
end

local function u32(n)
  return u16(math.floor(n / 65536)) .. u16(n % 65536)
end

local function question(packet)
  local labels, at = {}, 13
  while packet:byte(at) and packet:byte(at) > 0 do
    local len = packet:byte(at)
    labels[#labels + 1] = packet:sub(at + 1, at + len)
    at = at + len + 1
  end
  local kind = packet:byte(at + 1) * 256 + packet:byte(at + 2)
  return table.concat(labels, "."):lower(), kind, packet:sub(13, at + 4)
end

local QUESTIONED = "\192\012" -- points at the name of the question

local function record(owner, kind, ttl, data)
  return owner .. u16(kind) .. u16(1) .. u32(ttl) .. u16(#data) .. data
end

local function a_record(address, ttl)
  local bytes = address:gsub("(%d+)%.?", function(n)
    return string.char(tonumber(n))
  end)
  return record(QUESTIONED, TYPE_A, ttl, bytes)
end

local function reply(packet, flags, text, records)
  return packet:sub(1, 2) .. u16(flags) .. u16(1) .. u16(#records) .. u16(0) .. u16(0) .. text
    .. table.concat(records)
end

local POISON = { a_record("127.0.0.9", 60) } -- what must not be believed
local OTHER = "\5other\4test\0"

-- What a lie answers with: function(packet, question's bytes); nil: nothing.
local LIES = {
  silence = function() end,
  empty = function(packet, text) return reply(packet, GOOD, text, {}) end,
  failure = function(packet, text) return reply(packet, FAILED, text, {}) end,
  -- Over TCP, too: a server that never says it all.
  truncated = function(packet, text) return reply(packet, TRUNCATED, text, {}) end,
  wrong_id = function(packet, text)
    local other = string.char(255 - packet:byte(1)) .. packet:sub(2)
    return reply(other, GOOD, text, POISON)
  end,
  other_question = function(packet, text) return reply(packet, GOOD, OTHER .. text:sub(-4), POISON) end,
  other_owner = function(packet, text)
    return reply(packet, GOOD, text, { record(OTHER, TYPE_A, 60, "\127\0\0\9") })
  end,
  garbage = function(packet, text)
    return packet:sub(1, 2) .. u16(GOOD) .. u16(1) .. u16(9) .. u16(9) .. u16(9) .. text .. ("\255\0\17"):rep(40)
  end,
  cut = function(packet) return packet:sub(1, 7) end,
  short_address = function(packet, text)
    return reply(packet, GOOD, text, { record(QUESTIONED, TYPE_A, 60, "\127") })
  end,
  -- Names that point at themselves, in a record's owner and in its data.
  pointer_loop = function(packet, text)
    local at = string.char(192, 12 + #text) -- the record's own first byte
    return reply(packet, GOOD, text, { record(at, TYPE_CNAME, 60, at) })
  end,
  cname_loop = function(packet, text)
    return reply(packet, GOOD, text,
      { record(QUESTIONED, TYPE_CNAME, 60, OTHER), record(OTHER, TYPE_CNAME, 60, QUESTIONED) })
  end,
}

local function answer(self, packet, limit)
  local name, kind, text = question(packet)
  local entry = self.names[name]
  local records = {}
  if kind == TYPE_A then
    self.queries[name] = (self.queries[name] or 0) + 1
  end
  if entry and entry.lie then
    return LIES[entry.lie](packet, text)
  end
  for _, address in ipairs(kind == TYPE_A and entry or {}) do
    records[#records + 1] = a_record(address, entry.ttl)
  end
  local all = reply(packet, entry and GOOD or UNKNOWN, text, records)
  return #all <= limit and all or reply(packet, TRUNCATED, text, {})
end

local function serve(self)
  while true do
    local packet, ip, port = self.socket:receivefrom()
    self.heard = self.heard + (packet and 1 or 0)
    if packet and not self.mute then
      local bytes = answer(self, packet, UDP_MAX)
      if bytes then
        self.socket:sendto(bytes, ip, port)
      end
    elseif not packet then
      loop.wait(self.socket:getfd(), loop.READ, loop.now() + 3600)
    end
  end
end

local function serve_connection(self, bytes)
  while true do
    local length = bytes:read(2)
    local packet = length and bytes:read(length:byte(1) * 256 + length:byte(2))
    local text = packet and answer(self, packet, 65535)
    if not text then
      bytes:close()
      return
    end
    bytes:write(u16(#text) .. text)
  end
end

local function serve_tcp(self)
  while true do
    local sock = self.listener:accept()
    if sock then
      loop.spawn(serve_connection, self, stream.new(sock))
    else
      loop.wait(self.listener:getfd(), loop.READ, loop.now() + 3600)
    end
  end
end

-- One port of both kinds.
local function listen()
  for _ = 1, 50 do
    local udp, tcp = assert(socket.udp4()), assert(socket.tcp4())
    assert(udp:setsockname("127.0.0.1", 0))
    local _, port = udp:getsockname()
    if tcp:bind("127.0.0.1", port) and tcp:listen(64) then
      udp:settimeout(0)
      tcp:settimeout(0)
      return udp, tcp, port
    end
    udp:close()
    tcp:close()
  end
  error("no port for a name server")
end

--- Starts a name server on a port from the kernel.
-- @param names table: name -> list of IPv4 addresses with a field ttl (seconds), or { lie = kind }
function dns.start(names)
  local udp, tcp, port = listen()
  local self = setmetatable({ names = names, queries = {}, heard = 0, socket = udp, listener = tcp,
    address = "127.0.0.1:" .. port }, dns)
  self.tasks = { loop.spawn(serve, self), loop.spawn(serve_tcp, self) }
  return cleanup.add(self)
end

--- It is gone: whoever asks is refused.
function dns:stop()
  for _, task in ipairs(self.tasks) do
    loop.cancel(task)
  end
  self.socket:close()
  self.listener:close()
end

function dns:cleanup()
  self:stop()
end

return dns
