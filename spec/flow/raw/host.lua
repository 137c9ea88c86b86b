-- RFC 9112 section 3.2, RFC 9110 section 7.2: Host.

local raw = require("spec.support.raw")
local refused, passes = raw.refused, raw.passes

local function hosts(lines)
  return "GET / HTTP/1.1\r\n" .. lines .. "\r\n"
end

local function host(value)
  return hosts("Host: " .. value .. "\r\n")
end

local function to(value)
  return passes(nil, { host = value })
end

local other = { statuses = { 404 }, seen = {} }

local cases = {
  { "none", hosts(""), refused() },
  { "twice, alike", hosts("Host: a.example\r\nHost: a.example\r\n"), refused() },
  { "twice, unlike", hosts("Host: a.example\r\nHost: evil.example\r\n"), refused() },
  { "twice, the second in other capitals", hosts("Host: a.example\r\nhOST: evil.example\r\n"), refused() },
  { "twice, the first empty", hosts("Host:\r\nHost: a.example\r\n"), refused() },
  { "twice, with another field between", hosts("Host: a.example\r\nX: y\r\nHost: evil.example\r\n"), refused() },
  { "twice, the second folded", hosts("Host: a.example\r\n Host: evil.example\r\n"), refused() },
  { "with a blank before the colon, and one without", hosts("Host: a.example\r\nHost : evil.example\r\n"), refused() },
  { "empty goes to whoever serves all hosts: nobody here", hosts("Host:\r\n"), other },
  { "in capitals", hosts("HOST: a.example\r\n"), to("a.example") },
  { "with capitals in the name", host("A.Example"), to("A.Example") },
  { "with white space around it", hosts("Host: \t a.example \t\r\n"), to("a.example") },
  { "without white space", hosts("Host:a.example\r\n"), to("a.example") },
  { "with a port", host("a.example:8080"), to("a.example:8080") },
  { "with the last port", host("a.example:65535"), to("a.example:65535") },
  { "with a port that is too large", host("a.example:65536"), refused() },
  { "with port 99999", host("a.example:99999"), refused() },
  { "with a port that overflows", host("a.example:4294967376"), refused() },
  { "with port 0", host("a.example:0"), refused() },
  { "with a port of zeros", host("a.example:000"), refused() },
  { "with a negative port", host("a.example:-1"), refused() },
  { "with a port with a sign", host("a.example:+80"), refused() },
  { "with a port in hexadecimal", host("a.example:0x50"), refused() },
  { "with a port that is a word", host("a.example:http"), refused() },
  { "with two ports", host("a.example:80:81"), refused() },
  { "with a colon and no port", host("a.example:"), to("a.example:") },
  { "a port alone", host(":80"), refused() },
  { "a colon alone", host(":"), refused() },
  { "two names with a comma", host("a.example, evil.example"), refused() },
  { "two names with a comma and no blank", host("a.example,evil.example"), refused() },
  { "two names with a blank", host("a.example evil.example"), refused() },
  { "two names with a tab", host("a.example\tevil.example"), refused() },
  { "with userinfo", host("me@a.example"), refused() },
  { "with a path", host("a.example/x"), refused() },
  { "with a query", host("a.example?x"), refused() },
  { "with a fragment", host("a.example#x"), refused() },
  { "with a backslash", host("a.example\\x"), refused() },
  { "with a scheme", host("http://a.example"), refused() },
  { "in quotes", host('"a.example"'), refused() },
  { "in brackets that hold a name", host("[a.example]"), refused() },
  { "an IPv6 address without brackets", host("::1"), refused() },
  { "an IPv6 address with bytes behind its bracket", host("[::1]x"), refused() },
  { "an IPv6 address with userinfo behind its bracket", host("[::1]@evil.example"), refused() },
  { "an IPv6 address with a zone", host("[fe80::1%25eth0]"), refused() },
  { "an IPv6 address that is well-formed", host("[::1]:80"), other },
  { "an escape that is none", host("a%zz.example"), refused() },
  { "an escape that ends early", host("a.example%4"), refused() },
  { "an escape for a NUL is a name like any other", host("a%00.example"), other },
  { "a byte above 127", host("\195\164.example"), refused() },
  { "angle brackets", host("<a.example>"), refused() },
}

for _, byte in ipairs { 0, 1, 8, 11, 12, 13, 10, 27, 31, 127 } do
  cases[#cases + 1] = { "byte " .. raw.byte_name(byte) .. " in it", host("a" .. string.char(byte) .. ".example"),
    refused() }
  cases[#cases + 1] = { "byte " .. raw.byte_name(byte) .. " behind it", host("a.example" .. string.char(byte)),
    refused() }
end

return cases
