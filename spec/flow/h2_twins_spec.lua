-- RFC 9113 section 8 towards a backend of HTTP/1: what is refused never gets there, what passes gets there as the
-- proxy says
-- it, byte for byte. Frames and connections are in spec/flow/h2_messages_spec.lua and its neighbours.

local twins = require("spec.support.h2_twins")
local wire = twins.wire

local LENGTH = "Content-Length: %d\r\n\r\n%s"
local function sized(body)
  return LENGTH:format(#body, body)
end
local function chunked(trailers, ...)
  local text = ""
  for _, bytes in ipairs { ... } do
    text = text .. ("%x\r\n%s\r\n"):format(#bytes, bytes)
  end
  return "Transfer-Encoding: chunked\r\n\r\n" .. text .. "0\r\n" .. trailers .. "\r\n"
end

-- What would end a line, a field or a head of HTTP/1 in each place where a client can say something.
local INJECTED = {
  CRLF = "\r\nX-Smuggled: 1", ["bare LF"] = "\nX-Smuggled: 1", ["bare CR"] = "\rX-Smuggled: 1", NUL = "\0",
  ["DEL"] = "\127",
  ["a head's end"] = "\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n", ["a line end alone"] = "\r\n",
}
local PLACES = {
  [":method"] = function(text) return { method = "GET" .. text } end,
  [":scheme"] = function(text) return { scheme = "http" .. text } end,
  [":path"] = function(text) return { path = "/" .. text } end,
  ["a query"] = function(text) return { path = "/?" .. text } end,
  [":authority"] = function(text) return { authority = "a.test" .. text } end,
  ["Host"] = function(text) return { authority = false, headers = { { "host", "a.test" .. text } } } end,
  ["a name"] = function(text) return { headers = { { "x-a" .. text, "b" } } } end,
  ["a value"] = function(text) return { headers = { { "x-a", "b" .. text .. "c" } } } end,
  ["the start of a value"] = function(text) return { headers = { { "x-a", text .. "c" } } } end,
  ["the end of a value"] = function(text) return { headers = { { "x-a", "b" .. text } } } end,
  ["a cookie"] = function(text) return { headers = { { "cookie", "a=1" }, { "cookie", "b=2" .. text } } } end,
  ["content-length"] = function(text) return { method = "POST", headers = { { "content-length", "1" .. text } },
    data = { "a" } } end,
  ["te"] = function(text) return { headers = { { "te", "trailers" .. text } } } end,
  ["expect"] = function(text) return { headers = { { "expect", "100-continue" .. text } } } end,
  ["authorization"] = function(text) return { headers = { { "authorization", "Basic eA==" .. text } } } end,
}

local injections = {}
for place, make in pairs(PLACES) do
  for what, text in pairs(INJECTED) do
    local case = make(text)
    case.name = what .. " in " .. place
    injections[#injections + 1] = case
  end
end

local function POST(headers, data, trailers)
  return { method = "POST", headers = headers, data = data, trailers = trailers }
end

local function with(case, name, key, value)
  case.name = name
  if key then
    case[key] = value
  end
  return case
end

local M, S, P, A = { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/" }, { ":authority", "a.test" }

local function list(name, fields, key, value)
  return with({ fields = fields }, name, key, value)
end

local PSEUDO = {
  list("no :method", { S, P, A }), list("no :scheme", { M, P, A }), list("no :path", { M, S, A }),
  list("no :authority and no Host", { M, S, P }), list("nothing at all", { { "x", "y" } }),
  list(":method twice", { M, M, S, P, A }), list(":scheme twice", { M, S, S, P, A }),
  list(":path twice", { M, S, P, P, A }),
  list(":path twice, unlike", { M, S, P, { ":path", "/smuggled" }, A }), list(":authority twice", { M, S, P, A, A }),
  list("unknown", { M, S, P, A, { ":x", "y" } }), list("of a response", { M, S, P, A, { ":status", "200" } }),
  list("upper case", { { ":METHOD", "GET" }, S, P, A }), list("a colon alone", { M, S, P, A, { ":", "y" } }),
  list(":path behind a field", { M, S, A, { "x", "y" }, P }),
  list(":authority behind a field", { M, S, P, { "x", "y" }, A }),
  list("empty :method", { { ":method", "" }, S, P, A }), list("empty :scheme", { M, { ":scheme", "" }, P, A }),
  list("empty :path", { M, S, { ":path", "" }, A }), list("empty :authority", { M, S, P, { ":authority", "" } }),
  list("in any order", { A, P, M, S }, "wire", wire("GET /")),
  list("Host in the place of :authority", { M, S, P, { "host", "a.test" } }, "wire", wire("GET /")),
  list("Host beside :authority", { M, S, P, A, { "host", "A.Test" } }, "wire", wire("GET /")),
  list("Host that is another", { M, S, P, A, { "host", "b.test" } }),
  list("Host twice", { M, S, P, A, { "host", "a.test" }, { "host", "a.test" } }),
  list("Host empty beside :authority", { M, S, P, A, { "host", "" } }),
  list("Host with another port", { M, S, P, A, { "host", "a.test:81" } }),
}

local TARGETS = {
  with({ path = "a" }, "no slash"), with({ path = "*" }, "* for GET"), with({ path = "/a b" }, "a blank"),
  with({ path = "/a\tb" }, "a tab"), with({ path = "/a#b" }, "a fragment"), with({ path = "/ HTTP/1.1" }, "a version"),
  with({ path = "http://a.test/" }, "absolute"), with({ path = "http://b.test/" }, "absolute, of another"),
  with({ path = "//b.test/" }, "two slashes are one", "wire", wire("GET /b.test/")),
  with({ path = "?a" }, "a query alone"),
  with({ path = "/\200" }, "a byte above 127"), with({ path = "/.." }, "above the root"),
  with({ path = "/a\\b" }, "a backslash"),
  with({ path = "/a/%2e%2e/b?%2e" }, "dots", "wire", wire("GET /b?%2e")),
  with({ path = "/%0d%0aX:%20y" }, "an escaped line end"),
  with({ method = "OPTIONS", path = "*" }, "* for OPTIONS", "wire", wire("OPTIONS *")),
  with({ scheme = "ftp" }, "another scheme"), with({ scheme = "https:" }, "a scheme with a colon"),
  with({ scheme = "http " }, "a scheme with a blank"),
  with({ scheme = "HTTP" }, "a scheme in capitals", "wire", wire("GET /")),
  with({ authority = "u@a.test" }, "a user"), with({ authority = "a.test:x" }, "a bad port"),
  with({ authority = "a.test/b" }, "a path in it"),
  with({ authority = "a.test,b.test" }, "two in one"), with({ authority = "a b" }, "a blank in :authority"),
  with({ authority = "a.test:99999" }, "a port too large"),
  with({ authority = "http://a.test" }, "a scheme in it"), with({ authority = "[::1" }, "half an address"),
  with({ method = "GET /x" }, "a method with a path"), with({ method = "G(T" }, "a method that is no token"),
  with({ method = "GET:" }, "a method with a colon"),
  with({ method = "get" }, "a method in small letters is another", "wire", wire("get /")),
  list("CONNECT", { { ":method", "CONNECT" }, { ":authority", "a.test:80" } }, "status", 501),
  list("CONNECT with :path", { { ":method", "CONNECT" }, P, { ":authority", "a.test:80" } }),
  list("CONNECT with :scheme", { { ":method", "CONNECT" }, S, { ":authority", "a.test:80" } }),
  list("CONNECT without :authority", { { ":method", "CONNECT" } }),
  list(":protocol with GET", { M, { ":protocol", "websocket" }, S, P, A }),
  list(":protocol that is no token", { { ":method", "CONNECT" }, { ":protocol", "web socket" }, S, P, A }),
  list(":protocol with a line end", { { ":method", "CONNECT" }, { ":protocol", "a\r\nb: c" }, S, P, A }),
}

local function one(name, field, value)
  return with({ headers = { { field, value } } }, name)
end

local FIELDS = {
  one("upper case", "X-Test", "ok"), one("no name", "", "ok"), one("a blank in a name", "x y", "ok"),
  one("a blank behind a name", "x ", "ok"),
  one("a colon in a name", "x:y", "ok"), one("a colon behind a name", "x:", "ok"),
  one("a name with brackets", "x[y]", "ok"),
  one("a name above 127", "x\200", "ok"), one("a tab in a name", "x\ty", "ok"), one("a quote in a name", "x\"", "ok"),
  one("a hidden framing field", "transfer-encoding:chunked", "x"),
  one("a blank before a framing field", " transfer-encoding", "chunked"),
  one("blank before a value", "x", " a"), one("blank behind a value", "x", "a "),
  one("tab before a value", "x", "\ta"), one("tab behind a value", "x", "a\t"),
  one("transfer-encoding", "transfer-encoding", "chunked"),
  one("transfer-encoding: identity", "transfer-encoding", "identity"),
  one("connection", "connection", "close"), one("connection that names a field", "connection", "x-forwarded-for"),
  one("keep-alive", "keep-alive", "timeout=5"), one("proxy-connection", "proxy-connection", "close"),
  one("upgrade", "upgrade", "websocket"),
  one("te: chunked", "te", "chunked"), one("te: trailers, chunked", "te", "trailers, chunked"),
  one("te: trailers;q=1", "te", "trailers;q=1"), one("te empty", "te", ""),
  with({ headers = { { "te", "trailers" } } }, "te: trailers", "wire",
    wire("GET /", nil, "TE: trailers\r\nConnection: TE\r\n\r\n")),
  with({ headers = { { "x", "" }, { "y", "a b\tc" }, { "z", "\228:;," } } }, "odd values", "wire",
    wire("GET /", "x: \r\ny: a b\tc\r\nz: \228:;,\r\n")),
  with({ headers = { { "cookie", "a=1" }, { "x", "y" }, { "cookie", "b=2" }, { "cookie", "c=3" } } },
    "cookies become one", "wire",
    wire("GET /", "cookie: a=1; b=2; c=3\r\nx: y\r\n")),
  with({ headers = { { "x", "1" }, { "x", "2" } } }, "a field twice", "wire", wire("GET /", "x: 1\r\nx: 2\r\n")),
  with({ headers = { { "proxy-authorization", "x" }, { "trailer", "t" } } }, "fields for the proxy go", "wire",
    wire("GET /", "trailer: t\r\n")),
}

local C = "content-length"
local BODIES = {
  with(POST({ { C, "3" } }, { "abc" }), "as long as said", "wire", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "3" } }, { "a", "bc" }), "in pieces", "wire", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "0" } }, { "" }), "of length 0", "wire", wire("POST /", nil, sized(""))),
  with(POST({ { C, "3" } }, { "ab" }), "short", "cut", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "3" } }, { "a", "b" }), "short, in pieces", "cut", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "3" } }, { "" }), "none but a length, by an empty frame", "cut", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "3" } }), "none but a length, by the head"),
  with(POST({ { C, "3" } }, { "abcd" }), "long", "cut", wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "3" } }, { "abc", "GET /smuggled HTTP/1.1\r\n\r\n" }), "long, later", "late", true),
  with(POST({ { C, "3" } }, { "abc", "GET /smuggled HTTP/1.1\r\n\r\n" }), "long, in pieces", "cut",
    wire("POST /", nil, sized("abc"))),
  with(POST({ { C, "0" } }, { "GET /smuggled HTTP/1.1\r\n\r\n" }), "length 0 with DATA, later", "late", true),
  with(POST({ { C, "0" } }, { "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n" }), "length 0 with DATA", "cut",
    wire("POST /", nil, sized(""))),
  with(POST({ { C, "3" }, { C, "3" } }, { "abc" }), "two lengths"),
  with(POST({ { C, "3" }, { C, "4" } }, { "abc" }), "two unlike lengths"),
  with(POST({ { C, "3, 3" } }, { "abc" }), "a list of lengths"), with(POST({ { C, "+3" } }, { "abc" }), "a sign"),
  with(POST({ { C, "-3" } }, { "abc" }), "minus"),
  with(POST({ { C, "0x3" } }, { "abc" }), "hexadecimal"), with(POST({ { C, "3.0" } }, { "abc" }), "a fraction"),
  with(POST({ { C, "" } }, { "abc" }), "an empty length"),
  with(POST({ { C, "18446744073709551619" } }, { "abc" }), "a length that overflows"),
  with(POST({ { C, "3 " } }, { "abc" }), "a blank behind"),
  with(POST({ { C, "3" }, { "transfer-encoding", "chunked" } }, { "abc" }), "length and transfer-encoding"),
  with(POST({ { "transfer-encoding", "chunked" } }, { "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n" }),
    "transfer-encoding"),
}

for _, case in ipairs(BODIES) do
  case.cut = case.cut or case.late and wire("POST /", nil, sized(("abc"):sub(1, tonumber(case.headers[1][2]))))
end

local LONG = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"
local UNSIZED = wire("POST /", nil, chunked("", "abc"))
local TRAILERS = {
  with(POST(nil, { LONG }), "a body that looks like the end of one", "pass", { LONG, {} }),
  with(POST(nil, { "abc" }, { { "x-t", "1" } }), "a trailer", "pass", { "abc", { ["x-t"] = "1" } }),
  with(POST(nil, { "abc" }, { { C, "5" } }), "content-length as trailer", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "host", "b.test" }, { "x-t", "1" } }), "trailers that route go", "pass",
    { "abc", { ["x-t"] = "1" } }),
  with(POST(nil, { "abc" }, { { "transfer-encoding", "chunked" } }), "transfer-encoding as trailer", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "connection", "close" } }), "connection as trailer", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { ":path", "/" } }), "a pseudo-header field as trailer", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "X-T", "1" } }), "an upper-case trailer", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "x t", "1" } }), "a blank in a trailer's name", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "x:t", "1" } }), "a colon in a trailer's name", "cut", UNSIZED),
  with(POST(nil, { "abc" }, { { "", "1" } }), "a trailer without name", "cut", UNSIZED),
}
for what, text in pairs(INJECTED) do
  TRAILERS[#TRAILERS + 1] = with(POST(nil, { "abc" }, { { "x-t" .. text, "1" } }), what .. " in a trailer's name",
    "cut", UNSIZED)
  TRAILERS[#TRAILERS + 1] = with(POST(nil, { "abc" }, { { "x-t", "1" .. text } }), what .. " in a trailer's value",
    "cut", UNSIZED)
end

for name, cases in pairs {
  ["line ends and control bytes"] = injections, ["pseudo-header fields (8.3)"] = PSEUDO,
  ["targets and methods (8.3.1, 8.5)"] = TARGETS,
  ["fields (8.2)"] = FIELDS, ["lengths of bodies (8.1.1)"] = BODIES, ["trailers (8.1)"] = TRAILERS,
} do
  it(("HTTP/2 brings nothing of it down to HTTP/1: %s, %d cases"):format(name, #cases), function()
    twins.run(cases)
  end)
end
