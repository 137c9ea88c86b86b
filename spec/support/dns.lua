--- A name server of the specs: answers A queries from a table, counts them, changes its mind when told.
--
--   local d = dns.start { ["svc.test"] = { ttl = 1, "127.0.0.1" } }
--   d.address           -- "127.0.0.1:PORT"
--   d.names["svc.test"] = { ttl = 1, "127.0.0.2" };  d.queries["svc.test"]
--
-- A name that is not in the table does not exist (NXDOMAIN); mute = true leaves all queries unanswered;
-- heard counts them, whatever becomes of them.

local bit = require("bit")
local socket = require("socket")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")

local dns = {}
dns.__index = dns

local TYPE_A = 1

local function u16(n)
  return string.char(bit.rshift(n, 8), bit.band(n, 255))
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

local function a_record(address, ttl)
  local bytes = address:gsub("(%d+)%.?", function(n)
    return string.char(tonumber(n))
  end)
  return "\192\012" .. u16(TYPE_A) .. u16(1) .. u16(0) .. u16(ttl) .. u16(4) .. bytes
end

local function answer(self, packet)
  local name, kind, text = question(packet)
  local entry = self.names[name]
  local records = {}
  if kind == TYPE_A then
    self.queries[name] = (self.queries[name] or 0) + 1
  end
  for _, address in ipairs(kind == TYPE_A and entry or {}) do
    records[#records + 1] = a_record(address, entry.ttl)
  end
  local flags = entry and 0x8180 or 0x8183
  return packet:sub(1, 2) .. u16(flags) .. u16(1) .. u16(#records) .. u16(0) .. u16(0) .. text
    .. table.concat(records)
end

local function serve(self)
  while true do
    local packet, ip, port = self.socket:receivefrom()
    self.heard = self.heard + (packet and 1 or 0)
    if packet and not self.mute then
      self.socket:sendto(answer(self, packet), ip, port)
    elseif not packet then
      loop.wait(self.socket:getfd(), loop.READ, loop.now() + 3600)
    end
  end
end

--- Starts a name server on a port from the kernel.
-- @param names table: name -> list of IPv4 addresses with a field ttl (seconds)
function dns.start(names)
  local udp = assert(socket.udp4())
  assert(udp:setsockname("127.0.0.1", 0))
  udp:settimeout(0)
  local _, port = udp:getsockname()
  local self = setmetatable({ names = names, queries = {}, heard = 0, socket = udp,
    address = "127.0.0.1:" .. port }, dns)
  self.task = loop.spawn(serve, self)
  return cleanup.add(self)
end

function dns:cleanup()
  loop.cancel(self.task)
  self.socket:close()
end

return dns
