-- RFC 9112 section 5, from backends: field lines, white space before the colon, obs-fold, control bytes; RFC 9110
-- 7.6.1.

local r = require("spec.support.raw_response")
local ok, bad = r.ok, r.bad

local function field(line)
  return r.plain("ok", line)
end

local many = {}
for i = 1, 128 do
  many[i] = "X-" .. i .. ": y\r\n"
end

local cases = {
  { "as they should be", field("X-A: b\r\nX-A: c\r\n"), ok("ok", { lines = "X-A: b\r\nX-A: c\r\n" }) },
  { "an empty value", field("X-A:\r\n"), ok("ok", { lines = "X-A: \r\n" }) },
  { "white space around a value goes", field("X-A: \t b \t\r\n"), ok("ok", { lines = "X-A: b\r\n" }) },
  { "bytes above 127", field("X-A: \195\164\r\n"), ok("ok", { lines = "X-A: \195\164\r\n" }) },
  { "a Host says nothing", field("Host: evil.example\r\n"), ok("ok", { lines = "Host: evil.example\r\n" }) },
  { "a blank before the colon", field("X-A : b\r\n"), bad() },
  { "a tab before the colon", field("X-A\t: b\r\n"), bad() },
  { "a blank before the colon of Content-Length", r.with("Content-Length : 2\r\n", "ok"), bad() },
  { "a blank before the colon of Transfer-Encoding", r.with("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), bad() },
  { "a blank before the first name", field(" X-A: b\r\n"), bad() },
  { "a folded line", field("X-A: b\r\n c\r\n"), bad() },
  { "a line folded with a tab", field("X-A: b\r\n\tc\r\n"), bad() },
  { "a folded Content-Length", r.with("Content-Length:\r\n 2\r\n", "ok"), bad() },
  { "no colon", field("X-A\r\n"), bad() },
  { "no name", field(": b\r\n"), bad() },
  { "a status line among the fields", field("HTTP/1.1 200 OK\r\n"), bad() },
  { "a bare LF", field("X-A: b\nX-B: c\r\n"), bad() },
  { "a bare LF as the empty line", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok\r\n\r\n", bad() },
  { "a bare CR", field("X-A: b\rX-B: c\r\n"), bad() },
  { "CR CR LF", field("X-A: b\r\r\n"), bad() },
  { "a name with a blank", field("X A: b\r\n"), bad() },
  { "a name with a control byte", field("X\1A: b\r\n"), bad() },
  { "a name with a byte above 127", field("X\195\164: b\r\n"), bad() },
  { "a pseudo-header of HTTP/2", field(":status: 500\r\n"), bad() },
  { "more of them than may be", field(table.concat(many)), bad(), whole = true },
  { "a head that is too large", field("X-A: " .. ("x"):rep(70000) .. "\r\n"), bad(), whole = true },
  { "what Connection names goes no further", field("Connection: X-Mine\r\nX-Mine: 1\r\n"), ok("ok") },
  { "Connection can not name Content-Length away", r.with("Connection: Content-Length\r\nContent-Length: 2\r\n", "ok"),
    ok("ok") },
  { "Connection can not name Set-Cookie away", field("Connection: Set-Cookie\r\nSet-Cookie: a=b\r\n"),
    ok("ok", { lines = "Set-Cookie: a=b\r\n" }) },
  { "Connection: close is between us and the backend", field("Connection: close\r\n"), ok("ok", { reused = false }) },
  { "Connection: close in a list", field("Connection: foo, CLOSE\r\n"), ok("ok", { reused = false }) },
  { "Connection: keep-alive and close", field("Connection: keep-alive\r\nConnection: close\r\n"),
    ok("ok", { reused = false }) },
  { "Keep-Alive, Proxy-Connection, Proxy-Authenticate, Upgrade go no further",
    field("Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n"),
      ok("ok") },
}

for _, byte in ipairs { 0, 1, 8, 11, 12, 27, 31, 127 } do
  local name, char = ("0x%02x"):format(byte), string.char(byte)
  cases[#cases + 1] = { name .. " in a value", field("X-A: b" .. char .. "c\r\n"), bad() }
  cases[#cases + 1] = { name .. " first in a value", field("X-A: " .. char .. "c\r\n"), bad() }
  cases[#cases + 1] = { name .. " behind the number of Content-Length",
    r.with("Content-Length: 2" .. char .. "\r\n", "ok"), bad() }
  cases[#cases + 1] = { name .. " behind chunked",
    r.with("Transfer-Encoding: chunked" .. char .. "\r\n", "0\r\n\r\n"), bad() }
end

return cases
