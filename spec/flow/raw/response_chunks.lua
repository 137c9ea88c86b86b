-- RFC 9112 section 7.1, from backends: chunked bodies and their trailers.

local r = require("spec.support.raw_response")
local chunked, chunks, cut = r.chunked, r.chunks, r.cut

local END = "0\r\n\r\n"

local function size(text)
  return chunked(text .. "\r\nok!\r\n" .. END)
end

local function trailers(lines)
  return chunked("3\r\nok!\r\n0\r\n" .. lines .. "\r\n")
end

local cases = {
  { "one", size("3"), chunks("ok!") },
  { "none but the last", chunked(END), chunks("") },
  { "two", chunked("3\r\nok!\r\n2\r\nde\r\n" .. END), chunks("ok!de") },
  { "a size with leading zeros", size("0003"), chunks("ok!") },
  { "an extension is dropped", size('3 ; a = "b"'), chunks("ok!") },
  { "trailers", trailers("X-T: 1\r\n"), chunks("ok!X-T: 1\r\n") },
  { "trailers that may not be", trailers("Content-Length: 9\r\nSet-Cookie: a=b\r\n"
    .. "Location: /evil\r\nX-T: 1\r\nAge: 1\r\n"), chunks("ok!X-T: 1\r\n") },
  { "trailers with a coding", trailers("Transfer-Encoding: chunked\r\n"), chunks("ok!") },
  { "trailers with length and coding", trailers("Content-Length: 9\r\nTransfer-Encoding: chunked\r\n"), cut() },
  { "a payload that looks like an answer", chunked("26\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n" .. END),
    chunks("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") },
  { "a size of seventeen digits", size("00000000000000003"), cut() },
  { "a size above 2^64", size("10000000000000003"), cut() },
  { "a size of nothing", size(""), cut() },
  { "a blank before the size", size(" 3"), cut() },
  { "a blank behind the size", size("3 "), cut() },
  { "a bare LF behind the size", chunked("3\nok!\r\n" .. END), cut() },
  { "a bare CR behind the size", chunked("3\rok!\r\n" .. END), cut() },
  { "a bare LF behind the payload", chunked("3\r\nok!\n" .. END), cut() },
  { "nothing behind the payload", chunked("3\r\nok!" .. END), cut() },
  { "a payload longer than its size", chunked("3\r\nok!!\r\n" .. END), cut() },
  { "a bare LF in an extension", chunked("3;a\nok!\r\n" .. END), cut() },
  { "a NUL in an extension", chunked("3;\0\r\nok!\r\n" .. END), cut() },
  { "a bare LF behind the last chunk", chunked("3\r\nok!\r\n0\n\r\n"), cut() },
  { "a bare LF as the empty line", chunked("3\r\nok!\r\n0\r\n\n"), cut() },
  { "a trailer without colon", trailers("X-T\r\n"), cut() },
  { "a trailer with a blank before its colon", trailers("X-T : 1\r\n"), cut() },
  { "a folded trailer", trailers("X-T: 1\r\n 2\r\n"), cut() },
  { "a trailer with a NUL", trailers("X-T: 1\0\r\n"), cut() },
  { "an answer right behind the last chunk's line", chunked("3\r\nok!\r\n0\r\n" .. r.plain("EVIL")), cut() },
  { "an end within a size", chunked("3"), cut(), ends = true },
  { "an end within a payload", chunked("3\r\nok"), cut(), ends = true },
  { "an end behind a payload", chunked("3\r\nok!"), cut(), ends = true },
  { "an end between chunks", chunked("3\r\nok!\r\n"), cut(), ends = true },
  { "an end behind the last chunk's line", chunked("3\r\nok!\r\n0\r\n"), cut(), ends = true },
  { "an end within the trailers", chunked("3\r\nok!\r\n0\r\nX-T: 1\r\n"), cut(), ends = true },
}

for _, text in ipairs { "+3", "-3", "0x3", "3_0", "3.0", "3g", "3,3", '"3"', "3 3", "3\t", "3\v", "3\0", "\t3",
  "3\195" } do
  cases[#cases + 1] = { ("size %q"):format(text), size(text), cut() }
end

return cases
