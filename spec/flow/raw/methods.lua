-- RFC 9110 section 9: methods; 7.6.2: Max-Forwards; RFC 9112 section 3.1.

local raw = require("spec.support.raw")
local refused, passes, get = raw.refused, raw.passes, raw.get

local function method(name, lines)
  return get(lines, name .. " / HTTP/1.1")
end

local function as(name, request)
  return passes(name .. " / HTTP/1.1", request)
end

--- Answered by the proxy itself, which goes on.
local function answered(status)
  return { statuses = { status }, seen = {} }
end

local cases = {
  { "an unknown one passes", method("FROB"), as("FROB") },
  { "one of WebDAV passes", method("PROPFIND"), as("PROPFIND") },
  { "one in lower case is another one, and passes as it is", method("get"), as("get") },
  { "a token of all bytes that it may have", method("!#$%&'*+-.^_`|~09Az"), as("!#$%&'*+-.^_`|~09Az") },
  { "a long one", method(("M"):rep(100)), as(("M"):rep(100)) },
  { "one with a slash", method("GE/T"), refused() },
  { "one with a colon", method("GET:"), refused() },
  { "one in quotes", method('"GET"'), refused() },
  { "one in brackets", method("(GET)"), refused() },
  { "HEAD", method("HEAD"), as("HEAD") },
  { "PRI without its preface", "PRI * HTTP/1.1\r\nHost: a.example\r\n\r\n", refused() },
  { "the preface of HTTP/2 behind a request", get() .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    { statuses = { 200, 505 }, seen = { raw.sees() }, closed = true } },
  { "CONNECT", get(nil, "CONNECT a.example:443 HTTP/1.1"), answered(501) },
  { "CONNECT in absolute form", get(nil, "CONNECT http://a.example:443/ HTTP/1.1"), refused() },
  { "CONNECT in origin form", get(nil, "CONNECT / HTTP/1.1"), refused() },
  { "CONNECT without a port", get(nil, "CONNECT a.example HTTP/1.1"), refused() },
  { "CONNECT with an empty port", get(nil, "CONNECT a.example: HTTP/1.1"), refused() },
  { "CONNECT with port 0", get(nil, "CONNECT a.example:0 HTTP/1.1"), refused() },
  { "CONNECT with userinfo", get(nil, "CONNECT me@a.example:443 HTTP/1.1"), refused() },
  { "CONNECT with a body", get("Content-Length: 3\r\n", "CONNECT a.example:443 HTTP/1.1") .. "abc", refused(501) },
  { "TRACE", method("TRACE"), as("TRACE") },
  { "TRACE with a body (RFC 9110 9.3.8)", method("TRACE", "Content-Length: 3\r\n") .. "abc", refused() },
  { "TRACE with chunks", method("TRACE", "Transfer-Encoding: chunked\r\n") .. "0\r\n\r\n", refused() },
  { "OPTIONS with the last step taken", method("OPTIONS", "Max-Forwards: 0\r\n"), answered(501) },
  { "OPTIONS * with the last step taken", get("Max-Forwards: 0\r\n", "OPTIONS * HTTP/1.1"), answered(501) },
  { "TRACE with the last step taken", method("TRACE", "Max-Forwards: 0\r\n"), answered(501) },
  { "TRACE with the last step taken, in many zeros", method("TRACE", "Max-Forwards: 000\r\n"), answered(501) },
  { "TRACE with one step left", method("TRACE", "Max-Forwards: 1\r\n"), as("TRACE",
    { lines = "Max-Forwards: 0\r\n" }) },
  { "OPTIONS with ten steps left", method("OPTIONS", "Max-Forwards: 10\r\n"),
    as("OPTIONS", { lines = "Max-Forwards: 9\r\n" }) },
  { "OPTIONS with as many steps as anybody can count", method("OPTIONS", "Max-Forwards: 18446744073709551615\r\n"),
    as("OPTIONS", { lines = "Max-Forwards: 18446744073709551614\r\n" }) },
  { "TRACE with a number of steps that is none", method("TRACE", "Max-Forwards: -1\r\n"), refused() },
  { "OPTIONS with a number of steps that is too large", method("OPTIONS", "Max-Forwards: 18446744073709551616\r\n"),
    refused() },
  { "OPTIONS with two numbers of steps", method("OPTIONS", "Max-Forwards: 1\r\nMax-Forwards: 2\r\n"), refused() },
  { "GET with the last step taken passes: it is not meant", method("GET", "Max-Forwards: 0\r\n"),
    as("GET", { lines = "Max-Forwards: 0\r\n" }) },
  { "GET with X-HTTP-Method-Override is a GET", method("GET", "X-HTTP-Method-Override: POST\r\n"),
    as("GET", { lines = "X-HTTP-Method-Override: POST\r\n" }) },
}

for _, name in ipairs { "PUT", "PATCH", "DELETE", "OPTIONS", "LOCK" } do
  cases[#cases + 1] = { name .. " without a body", method(name), as(name) }
end

return cases
