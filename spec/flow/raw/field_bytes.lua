-- RFC 9110 section 5.5: control bytes, in names and in values, at each place, in fields that mean something and others.

local raw = require("spec.support.raw")

local BYTES = { 0, 1, 7, 8, 11, 12, 14, 27, 31, 127 }

local cases = {}

local function add(name, bytes, what)
  cases[#cases + 1] = { name, bytes, what }
end

for _, byte in ipairs(BYTES) do
  local char, name = string.char(byte), raw.byte_name(byte)
  add(name .. " first in a value", raw.get("X-A: " .. char .. "bc\r\n"), raw.refused())
  add(name .. " within a value", raw.get("X-A: b" .. char .. "c\r\n"), raw.refused())
  add(name .. " last in a value", raw.get("X-A: bc" .. char .. "\r\n"), raw.refused())
  add(name .. " as a value", raw.get("X-A:" .. char .. "\r\n"), raw.refused())
  add(name .. " in a name", raw.get("X-" .. char .. "A: b\r\n"), raw.refused())
  add(name .. " behind a name", raw.get("X-A" .. char .. ": b\r\n"), raw.refused())
  add(name .. " before a name", raw.get(char .. "X-A: b\r\n"), raw.refused())
  add(name .. " before the number of Content-Length", raw.post("Content-Length: " .. char .. "3\r\n", "abc"),
    raw.refused())
  add(name .. " behind the number of Content-Length", raw.post("Content-Length: 3" .. char .. "\r\n", "abc"),
    raw.refused())
  add(name .. " behind the name of Content-Length", raw.post("Content-Length" .. char .. ": 3\r\n", "abc"),
    raw.refused())
  add(name .. " before chunked", raw.post("Transfer-Encoding: " .. char .. "chunked\r\n", "0\r\n\r\n"), raw.refused())
  add(name .. " behind chunked", raw.post("Transfer-Encoding: chunked" .. char .. "\r\n", "0\r\n\r\n"), raw.refused())
  add(name .. " within Connection", raw.get("Connection: clo" .. char .. "se\r\n"), raw.refused())
  add(name .. " within Upgrade", raw.get("Connection: upgrade\r\nUpgrade: web" .. char .. "socket\r\n"), raw.refused())
  add(name .. " in the method", raw.get(nil, "GE" .. char .. "T / HTTP/1.1"), raw.refused())
  add(name .. " in the version", raw.get(nil, "GET / HTTP/1" .. char .. ".1"), raw.refused())
end

for _, byte in ipairs { 128, 160, 195, 255 } do
  local char, name = string.char(byte), raw.byte_name(byte)
  add(name .. " in a value passes as it is", raw.get("X-A: b" .. char .. "c\r\n"),
    raw.passes(nil, { lines = "X-A: b" .. char .. "c\r\n" }))
  add(name .. " is no white space at a value's ends", raw.get("X-A: " .. char .. "\r\n"),
    raw.passes(nil, { lines = "X-A: " .. char .. "\r\n" }))
  add(name .. " in a name", raw.get("X-" .. char .. "A: b\r\n"), raw.refused())
  add(name .. " in the method", raw.get(nil, "GE" .. char .. "T / HTTP/1.1"), raw.refused())
  add(name .. " behind the number of Content-Length", raw.post("Content-Length: 3" .. char .. "\r\n", "abc"),
    raw.refused())
  add(name .. " behind chunked", raw.post("Transfer-Encoding: chunked" .. char .. "\r\n", "0\r\n\r\n"), raw.refused())
end

return cases
