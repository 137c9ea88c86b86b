-- RFC 9112 section 7.1: chunked bodies.

local raw = require("spec.support.raw")
local chunked, streams, breaks = raw.chunked, raw.streams, raw.breaks

local END = "0\r\n\r\n"
local EVIL = "GET /evil HTTP/1.1\r\nHost: a.example\r\n\r\n"

local function size(text)
  return chunked(text .. "\r\nabc\r\n" .. END)
end

local cases = {
  { "one", size("3"), streams("abc") },
  { "none but the last", chunked(END), streams("") },
  { "two", chunked("3\r\nabc\r\n2\r\nde\r\n" .. END), streams("abcde") },
  { "of one byte each", chunked(("1\r\nx\r\n"):rep(20) .. END), streams(("x"):rep(20)) },
  { "with a payload that looks like their end", chunked("5\r\n0\r\n\r\n\r\n" .. END), streams("0\r\n\r\n") },
  { "with a payload that looks like a request", chunked(("%x\r\n%s\r\n"):format(#EVIL, EVIL) .. END), streams(EVIL) },
  { "a size in capitals", chunked("A\r\n0123456789\r\n" .. END), streams("0123456789") },
  { "a size in small letters", chunked("a\r\n0123456789\r\n" .. END), streams("0123456789") },
  { "a size with leading zeros", size("0003"), streams("abc") },
  { "a size of sixteen digits", size("0000000000000003"), streams("abc") },
  { "a last chunk of several zeros", chunked("3\r\nabc\r\n000\r\n\r\n"), streams("abc") },
  { "an extension is dropped", size("3;a=b"), streams("abc") },
  { "an extension without value", size("3;a"), streams("abc") },
  { "an extension in quotes", size('3;a="b;c"'), streams("abc") },
  { "white space around an extension (RFC 9112 7.1.1)", size("3 ; a = b"), streams("abc") },
  { "an extension of the last chunk", chunked("3\r\nabc\r\n0;a=b\r\n\r\n"), streams("abc") },
  { "two extensions", size("3;a;b=c"), streams("abc") },

  { "a size of seventeen digits", size("00000000000000003"), breaks("") },
  { "a size above 2^64", size("10000000000000003"), breaks("") },
  { "a size above 2^64 by far", size(("f"):rep(40)), breaks("") },
  { "a size with a sign", size("+3"), breaks("") },
  { "a negative size", size("-3"), breaks("") },
  { "a size with 0x", size("0x3"), breaks("") },
  { "a size with an underscore", size("3_0"), breaks("") },
  { "a size with a point", size("3.0"), breaks("") },
  { "a size with a letter behind", size("3g"), breaks("") },
  { "a size with a comma", size("3,3"), breaks("") },
  { "a size in quotes", size('"3"'), breaks("") },
  { "two sizes", size("3 3"), breaks("") },
  { "a size of nothing", chunked("\r\nabc\r\n" .. END), breaks("") },
  { "an extension without a size", size(";a=b"), breaks("") },
  { "a blank before the size", size(" 3"), breaks("") },
  { "a tab before the size", size("\t3"), breaks("") },
  { "a blank behind the size", size("3 "), breaks("") },
  { "a tab behind the size", size("3\t"), breaks("") },
  { "a vertical tab behind the size", size("3\v"), breaks("") },
  { "a NUL behind the size", size("3\0"), breaks("") },
  { "a byte above 127 behind the size", size("3\195"), breaks("") },
  { "an empty line before the size", chunked("\r\n3\r\nabc\r\n" .. END), breaks("") },
  { "a bare LF behind the size", chunked("3\nabc\r\n" .. END), breaks("") },
  { "a bare CR behind the size", chunked("3\rabc\r\n" .. END), breaks("") },
  { "CR CR LF behind the size", chunked("3\r\r\nabc\r\n" .. END), breaks("") },
  { "LF CR behind the size", chunked("3\n\rabc\r\n" .. END), breaks("") },
  { "CR and a letter behind the size", chunked("3\rx\nabc\r\n" .. END), breaks("") },
  { "a bare LF behind the payload", chunked("3\r\nabc\n" .. END), breaks("abc") },
  { "a bare CR behind the payload", chunked("3\r\nabc\r" .. END), breaks("abc") },
  { "nothing behind the payload", chunked("3\r\nabc" .. END), breaks("abc") },
  { "two bytes that are no line end behind the payload", chunked("3\r\nabcXX" .. END), breaks("abc") },
  { "two line ends behind the payload", chunked("3\r\nabc\r\n\r\n" .. END), breaks("abc") },
  { "a payload longer than its size", chunked("3\r\nabcd\r\n" .. END), breaks("abc") },
  { "a payload shorter than its size", chunked("4\r\nabc\r\n" .. END), breaks("abc\r") },
  { "a bare LF behind an extension", chunked("3;a\nabc\r\n" .. END), breaks("") },
  { "a bare LF in an extension's quotes", chunked('3;a="\n"\r\nabc\r\n' .. END), breaks("") },
  { "a line end in an extension's quotes", chunked('3;a="\r\n"\r\nabc\r\n' .. END), breaks('"\r\n') },
  { "a bare CR in an extension", chunked("3;a\rb\r\nabc\r\n" .. END), breaks("") },
  { "a NUL in an extension", chunked("3;a\0b\r\nabc\r\n" .. END), breaks("") },
  { "a control byte in an extension", chunked("3;a\27b\r\nabc\r\n" .. END), breaks("") },
  { "a DEL in an extension", chunked("3;a\127b\r\nabc\r\n" .. END), breaks("") },
  { "a bare LF behind the last chunk", chunked("3\r\nabc\r\n0\n\r\n"), breaks("abc") },
  { "a bare LF as the empty line", chunked("3\r\nabc\r\n0\r\n\n"), breaks("abc") },
  { "a bare CR behind the last chunk", chunked("3\r\nabc\r\n0\rX\r\n\r\n"), breaks("abc") },
  { "a blank behind the last chunk", chunked("3\r\nabc\r\n0 \r\n\r\n"), breaks("abc") },
  { "a request right behind the last chunk's line", chunked("3\r\nabc\r\n0\r\n" .. EVIL), breaks("abc") },
  { "no last chunk but a request", chunked("3\r\nabc\r\n" .. EVIL), breaks("abc") },
}

for _, byte in ipairs { 0, 1, 8, 11, 12, 27, 31, 127 } do
  cases[#cases + 1] = { raw.byte_name(byte) .. " within a size", size("0" .. string.char(byte) .. "3"), breaks("") }
end

return cases
