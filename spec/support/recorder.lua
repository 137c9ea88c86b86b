--- A backend that keeps what it got, byte by byte, for the tables of raw cases (spec/flow/raw/).
--
--   local o = recorder.start()
--   o.seen       requests, each as one text: its head, then its body without chunk lines, then its trailers
--   o.partial    what came of requests that did not come to their end, as such texts
--   o.faults     what no proxy of ours may ever send: sentences
--   o:clear()
--
-- It reads on its own terms, more strictly than anything behind a proxy would: a head has one kind of framing, chunk
-- lines are lower-case digits alone, each line ends with CR LF. It answers 200 with "METHOD TARGET" as body, so that a
-- client knows which request an answer is for. What asks for /ping is answered and not kept.

local origin = require("spec.support.origin")

local recorder = {}

local methods = {}

function methods:clear()
  self.seen, self.partial, self.faults = {}, {}, {}
end

local function fault(self, text)
  self.faults[#self.faults + 1] = text
end

local function framing_of(self, head)
  local length, coding, count
  for name, value in head:gmatch("\n([^:\r\n]+): ([^\r\n]*)") do
    if name:lower() == "content-length" then
      length, count = value, (count or 0) + 1
    elseif name:lower() == "transfer-encoding" then
      coding, count = value, (count or 0) + 1
    end
  end
  if (count or 0) > 1 or (coding and coding ~= "chunked") or (length and not length:find("^%d+$")) then
    fault(self, "framing: " .. head)
  end
  return tonumber(length or 0), coding ~= nil
end

--- The chunks' payload and the trailers; nil and what came.
local function read_chunks(self, stream)
  local parts = {}
  while true do
    local line = stream:read_until("\n")
    if not line then
      return nil, table.concat(parts)
    end
    local size = line:match("^(%x+)\r\n$")
    if not size or size:find("%u") then
      fault(self, ("chunk line: %q"):format(line))
      return nil, table.concat(parts)
    end
    if tonumber(size, 16) == 0 then
      break
    end
    local data, _, part = stream:read(tonumber(size, 16))
    parts[#parts + 1] = data or part
    local ending = data and stream:read(2)
    if not ending then
      return nil, table.concat(parts)
    elseif ending ~= "\r\n" then
      fault(self, "a chunk's end")
    end
  end
  repeat
    local line = stream:read_until("\r\n")
    if not line then
      return nil, table.concat(parts)
    end
    parts[#parts + 1] = line ~= "\r\n" and line or nil
  until line == "\r\n"
  return table.concat(parts)
end

local function read_body(self, stream, head)
  local length, chunked = framing_of(self, head)
  if chunked then
    return read_chunks(self, stream)
  end
  local body, _, part = stream:read(length)
  return body, part
end

--- One request; false at the connection's end.
local function serve_one(self, stream)
  local head = stream:read_until("\r\n\r\n")
  if not head then
    if stream.inbox ~= "" then
      self.partial[#self.partial + 1] = stream.inbox
    end
    return false
  end
  local method, target = head:match("^([^ \r\n]+) ([^ \r\n]+) HTTP/1%.1\r\n")
  if not method or head:gsub("\r\n", ""):find("[%z\1-\8\10-\31\127]") then
    fault(self, ("head: %q"):format(head))
    return false
  end
  local body, part = read_body(self, stream, head)
  if not body then
    self.partial[#self.partial + 1] = head .. part
    return false
  end
  if target ~= "/ping" then
    self.seen[#self.seen + 1] = head .. body
  end
  local answer = method .. " " .. target
  return stream:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#answer,
    method == "HEAD" and "" or answer))
end

function recorder.start()
  local self
  self = origin.raw(function(stream)
    while serve_one(self, stream) do end
  end, { timeout = 600 })
  self.clear = methods.clear
  self:clear()
  return self
end

return recorder
