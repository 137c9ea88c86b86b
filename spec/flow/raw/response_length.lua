-- RFC 9112 section 6.2 and 6.3, from backends: Content-Length, and the connection's end.

local r = require("spec.support.raw_response")
local ok, bad, cut = r.ok, r.bad, r.cut

local function length(value, body)
  return r.with("Content-Length: " .. value .. "\r\n", body or "ok")
end

local cases = {
  { "as it should be", length("2"), ok("ok") },
  { "0", length("0", ""), ok("") },
  { "leading zeros are counted as none", length("0002"), ok("ok") },
  { "white space around", r.with("Content-Length:  2  \r\n", "ok"), ok("ok") },
  { "none: the body ends with the connection", r.with("", "until the end"), r.chunks("until the end",
    { reused = false }),
    ends = true },
  { "none and no body", r.with("", ""), r.chunks("", { reused = false }), ends = true },
  { "none, to HTTP/1.0", r.with("", "until the end"), r.gets("HTTP/1.1 200 OK", { framing = "Connection: close\r\n",
    body = "until the end", closed = true, reused = false }), ends = true, request = { version = "1.0" } },
  { "none, but a promise to be kept", r.with("Connection: keep-alive\r\n", "until the end"),
    r.chunks("until the end", { reused = false }), ends = true },
  { "of a body that ends early", length("10"), cut(), ends = true },
  { "of a body that does not come", length("10", ""), cut(), ends = true },
  { "2^64", length("18446744073709551616"), bad() },
  { "2^64 and 2", length("18446744073709551618"), bad() },
  { "twice, alike", r.with("Content-Length: 2\r\nContent-Length: 2\r\n", "ok"), bad() },
  { "twice, unlike", r.with("Content-Length: 2\r\nContent-Length: 1\r\n", "ok"), bad() },
  { "twice, in other capitals", r.with("Content-Length: 2\r\ncontent-length: 1\r\n", "ok"), bad() },
}

for _, value in ipairs { "", " ", "+2", "-2", "0x2", "2,", ",2", "2,2", "2, 2", "2, 3", "2 2", "2.0", "2e0", "2_0",
  "two",
  "2;", '"2"', "\217\162" } do
  cases[#cases + 1] = { ("value %q"):format(value), length(value), bad() }
end

return cases
