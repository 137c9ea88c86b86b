-- RFC 9112 section 3.2: the four forms of a request target. What becomes of its path is not told here.

local raw = require("spec.support.raw")
local refused, passes, get = raw.refused, raw.passes, raw.get

local function target(text, method)
  return get(nil, (method or "GET") .. " " .. text .. " HTTP/1.1")
end

local function as(text, request)
  return passes("GET " .. text .. " HTTP/1.1", request)
end

--- 404: the authority of the target decides where it goes, not Host.
local elsewhere = { statuses = { 404 }, seen = {} }

local cases = {
  { "origin form", target("/a/b?c=d&e"), as("/a/b?c=d&e") },
  { "origin form with an empty query", target("/?"), as("/?") },
  { "a query with a second question mark", target("/?a?b"), as("/?a?b") },
  { "no slash in front", target("a"), refused() },
  { "a query alone", target("?a=b"), refused() },
  { "a fragment", target("/a#b"), refused() },
  { "a percent sign of its own in the query", target("/?a=100%"), as("/?a=100%") },
  { "a blank in it", target("/a b"), refused() },
  { "a byte above 127", target("/\195\164"), refused() },
  { "a DEL", target("/\127"), refused() },
  { "an asterisk for GET", target("*"), refused() },
  { "an asterisk with more for OPTIONS", target("*/a", "OPTIONS"), refused() },
  { "an asterisk for OPTIONS", target("*", "OPTIONS"), passes("OPTIONS * HTTP/1.1") },
  { "the absolute form", target("http://a.example/x?y"), as("/x?y") },
  { "the absolute form in capitals", target("HTTP://a.example/"), as("/") },
  { "the absolute form of https", target("https://a.example/"), as("/") },
  { "the absolute form without a path", target("http://a.example"), as("/") },
  { "the absolute form without a path, for OPTIONS", target("http://a.example", "OPTIONS"),
    passes("OPTIONS * HTTP/1.1") },
  { "the absolute form with a port", target("http://a.example:8080/"), as("/", { host = "a.example:8080" }) },
  { "the absolute form wins over another Host, which is rewritten",
    "GET http://a.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", as("/") },
  { "the absolute form wins over an empty Host", "GET http://a.example/ HTTP/1.1\r\nHost:\r\n\r\n", as("/") },
  { "the absolute form of a host that nobody serves, and a Host that somebody does", target("http://evil.example/"),
    elsewhere },
  { "the absolute form without any Host", "GET http://a.example/ HTTP/1.1\r\n\r\n", refused() },
  { "the absolute form with a bad Host beside it", "GET http://a.example/ HTTP/1.1\r\nHost: a b\r\n\r\n", refused() },
  { "the absolute form with two Hosts beside it",
    "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n", refused() },
  { "userinfo", target("http://me@a.example/"), refused() },
  { "userinfo with a password", target("http://me:pw@a.example/"), refused() },
  { "userinfo that looks like the host", target("http://a.example:80@evil.example/"), refused() },
  { "a backslash before the at sign", target("http://a.example\\@evil.example/"), refused() },
  { "no authority", target("http:///x"), refused() },
  { "an authority that is a port alone", target("http://:80/"), refused() },
  { "one slash behind the scheme", target("http:/a.example/"), refused() },
  { "backslashes behind the scheme", target("http:\\\\a.example/"), refused() },
  { "no slash behind the scheme", target("http:a.example"), refused() },
  { "another scheme", target("ftp://a.example/"), refused() },
  { "a scheme of ours with a blank", target("http ://a.example/"), refused() },
  { "the scheme of scripts", target("javascript:alert(1)"), refused() },
  { "a file", target("file:///etc/passwd"), refused() },
  { "the absolute form with a query but no path", target("http://a.example?x"), refused() },
  { "the absolute form with a fragment", target("http://a.example/#x"), refused() },
  { "the absolute form with port 99999", target("http://a.example:99999/"), refused() },
  { "the absolute form with port 0", target("http://a.example:0/"), refused() },
  { "the absolute form with a port that is none", target("http://a.example:8o/"), refused() },
  { "the absolute form with an IPv6 address that is none", target("http://[::g]/"), refused() },
  { "the absolute form with an open bracket", target("http://[::1/"), refused() },
  { "the authority form for GET", target("a.example:80"), refused() },
  { "an absolute target within one that is none", target("/http://evil.example/"), as("/http:/evil.example/") },
}

for _, byte in ipairs { 0, 1, 8, 9, 10, 11, 12, 13, 27, 31, 127, 128, 160, 255 } do
  cases[#cases + 1] = { "byte " .. raw.byte_name(byte) .. " in it", target("/a" .. string.char(byte) .. "b"),
    refused() }
end

for _, byte in ipairs { 0, 9, 10, 11, 13, 32, 34, 60, 92, 94, 96, 123, 124, 127, 128 } do
  cases[#cases + 1] = { "byte " .. raw.byte_name(byte) .. " in the authority",
    target("http://a" .. string.char(byte) .. "b.example/"), refused() }
end

return cases
