-- RFC 9112 section 7.1.2, RFC 9110 section 6.5: trailers.

local raw = require("spec.support.raw")
local chunked, streams, breaks = raw.chunked, raw.streams, raw.breaks

local function trailers(lines)
  return chunked("3\r\nabc\r\n0\r\n" .. lines .. "\r\n")
end

local cases = {
  { "as they should be", trailers("X-T: 1\r\n"), streams("abcX-T: 1\r\n") },
  { "announced", chunked("3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", "Trailer: X-T\r\n"),
    streams("abcX-T: 1\r\n", "Trailer: X-T\r\n") },
  { "two", trailers("X-T: 1\r\nX-U: 2\r\n"), streams("abcX-T: 1\r\nX-U: 2\r\n") },
  { "an empty value", trailers("X-T:\r\n"), streams("abcX-T: \r\n") },
  { "white space around a value", trailers("X-T: \t1\t \r\n"), streams("abcX-T: 1\r\n") },
  { "a blank before the colon", trailers("X-T : 1\r\n"), breaks("abc") },
  { "a blank before the name", trailers(" X-T: 1\r\n"), breaks("abc") },
  { "a folded line", trailers("X-T: 1\r\n 2\r\n"), breaks("abc") },
  { "a bare LF", trailers("X-T: 1\n"), breaks("abc") },
  { "a bare CR", trailers("X-T: 1\rX-U: 2\r\n"), breaks("abc") },
  { "CR CR LF", trailers("X-T: 1\r\r\n"), breaks("abc") },
  { "no colon", trailers("X-T\r\n"), breaks("abc") },
  { "no name", trailers(": 1\r\n"), breaks("abc") },
  { "a request line", trailers("GET /evil HTTP/1.1\r\n"), breaks("abc") },
  { "a NUL in a name", trailers("X\0T: 1\r\n"), breaks("abc") },
  { "a NUL in a value", trailers("X-T: 1\0002\r\n"), breaks("abc") },
  { "a NUL first in a value", trailers("X-T: \0\r\n"), breaks("abc") },
  { "a control byte in a value", trailers("X-T: 1\0272\r\n"), breaks("abc") },
  { "a DEL in a value", trailers("X-T: 1\1272\r\n"), breaks("abc") },
  { "a byte above 127 in a name", trailers("X-\195\164: 1\r\n"), breaks("abc") },
  { "a pseudo-header", trailers(":path: /evil\r\n"), breaks("abc") },
  { "some that may pass, some that may not", trailers("X-T: 1\r\nContent-Length: 5\r\nX-U: 2\r\n"),
    streams("abcX-T: 1\r\nX-U: 2\r\n") },
}

-- What a trailer must not say (RFC 9110 6.5.1), however it is written.
for _, name in ipairs { "Content-Length", "content-length", "Transfer-Encoding", "Host", "Trailer", "TE", "Connection",
  "Keep-Alive", "Proxy-Connection", "Upgrade", "Expect", "Max-Forwards", "Via", "Forwarded", "X-Forwarded-For",
  "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "X_Real_IP", "X_Forwarded-For", "Content_Length",
  "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Content-Type", "Content-Encoding", "Content-Range",
  "Cache-Control", "Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range" } do
  cases[#cases + 1] = { name .. " is dropped", trailers(name .. ": 5\r\n"), streams("abc") }
end

return cases
