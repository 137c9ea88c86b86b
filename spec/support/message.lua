--- HTTP/1 messages as text, for the clients and origins of the specs. Reads with no leniency of
-- its own: what it does not understand is an error of the spec.

local message = {}

--- Fields of a message: indexed by name (any case) they give the values joined by ", ".
local fields_meta = {
  __index = function(fields, name)
    if type(name) ~= "string" then
      return nil
    end
    local values = message.values(fields, name)
    return #values > 0 and table.concat(values, ", ") or nil
  end,
}

--- All values of a field, in order.
-- @param fields list of {name, value}
function message.values(fields, name)
  local found = {}
  name = name:lower()
  for _, field in ipairs(fields) do
    if field[1]:lower() == name then
      found[#found + 1] = field[2]
    end
  end
  return found
end

local function parse_fields(block)
  local fields = setmetatable({}, fields_meta)
  for line in block:gmatch("([^\r\n]+)\r\n") do
    local name, value = line:match("^([^:%s]+):[ \t]*(.-)[ \t]*$")
    if not name then
      error("malformed header line: " .. line, 0)
    end
    fields[#fields + 1] = { name, value }
  end
  return fields
end

--- Turns headers as a spec writes them into a list of {name, value}.
-- @param headers { ["X-A"] = "1", ["X-B"] = { "1", "2" } }, or a list { { "X-A", "1" }, ... },
--   or nil
function message.fields(headers)
  local fields = setmetatable({}, fields_meta)
  for key, value in pairs(headers or {}) do
    if type(key) == "number" then
      fields[key] = { value[1], value[2] }
    end
  end
  for key, value in pairs(headers or {}) do
    if type(key) == "string" then
      for _, one in ipairs(type(value) == "table" and value or { value }) do
        fields[#fields + 1] = { key, tostring(one) }
      end
    end
  end
  return fields
end

--- Text of a head.
function message.head(first_line, fields)
  local lines = { first_line }
  for _, field in ipairs(fields) do
    lines[#lines + 1] = field[1] .. ": " .. field[2]
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- Reads a head.
-- @return { line =, fields =, raw = }; nil, error
function message.read_head(stream)
  local raw, err
  repeat
    raw, err = stream:read_until("\r\n")
    if not raw then
      return nil, err
    end
  until raw ~= "\r\n"
  local line = raw:sub(1, -3)
  local block = ""
  repeat
    local more
    more, err = stream:read_until("\r\n")
    if not more then
      return nil, err
    end
    block = block .. more
  until more == "\r\n"
  return { line = line, fields = parse_fields(block), raw = raw .. block }
end

local function read_trailers(stream)
  local block = ""
  repeat
    local line, err = stream:read_until("\r\n")
    if not line then
      return nil, err
    end
    block = block .. line
  until line == "\r\n"
  return parse_fields(block)
end

--- Reads a chunked body.
-- @return body, trailers, list of chunks; nil, error, body so far
function message.read_chunked(stream)
  local chunks = {}
  while true do
    local line, err = stream:read_until("\r\n")
    if not line then
      return nil, err, table.concat(chunks)
    end
    local size = tonumber(line:match("^(%x+)[;\r]") or error("malformed chunk size: " .. line, 0), 16)
    if size == 0 then
      local trailers
      trailers, err = read_trailers(stream)
      if not trailers then
        return nil, err, table.concat(chunks)
      end
      return table.concat(chunks), trailers, chunks
    end
    local data, failure, part = stream:read(size + 2)
    if not data then
      return nil, failure, table.concat(chunks) .. part
    end
    if data:sub(-2) ~= "\r\n" then
      error("a chunk does not end with CRLF", 0)
    end
    chunks[#chunks + 1] = data:sub(1, -3)
  end
end

--- Text of a chunked body.
-- @param chunks list of strings; empty ones are left out
-- @param trailers headers as a spec writes them, or nil
function message.chunked(chunks, trailers)
  local parts = {}
  for _, chunk in ipairs(chunks) do
    if chunk ~= "" then
      parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#chunk, chunk)
    end
  end
  local tail = message.head("0", message.fields(trailers))
  return table.concat(parts) .. tail
end

--- Is a token listed in a field's comma separated value?
function message.lists(fields, name, token)
  local value = fields[name]
  for item in (value or ""):gmatch("[^,%s]+") do
    if item:lower() == token then
      return true
    end
  end
  return false
end

--- Reads the body that follows a head, by its framing.
-- @param until_close does a body without a length go on until the connection's end?
-- @return body, trailers or nil, chunks or nil; nil, error, body so far
function message.read_body(stream, fields, until_close)
  if message.lists(fields, "Transfer-Encoding", "chunked") then
    return message.read_chunked(stream)
  end
  local length = fields["Content-Length"]
  if length then
    local count = tonumber(length:match("^%d+$") or error("bad Content-Length: " .. length, 0))
    return stream:read(count)
  end
  if until_close then
    return stream:read_all()
  end
  return ""
end

return message
