-- RFC 9113 section 8 for answers: what a backend of HTTP/2 says wrongly is a 502 for clients of both versions, or an
-- answer
-- that never ends, and nothing of it reaches them.

local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local proxy = require("spec.support.proxy")
local web = require("spec.support.web")

local OK = { ":status", "200" }

-- A case: name; fields, data, trailers as in spec/support/h2_twins.lua, early = lists of fields of heads before;
-- method; and
-- what comes of it: { status, body }, "cut" (as it had begun: 502, or not whole), or nothing: 502.
local function head(name, ...)
  return { name = name, fields = { ... } }
end

local function ok(name, ...)
  return head(name, OK, ...)
end

local function body(name, length, data, wanted, trailers)
  return { name = name, fields = { OK, length and { "content-length", length } or nil }, data = data, wanted = wanted,
    trailers = trailers }
end

local HEADS = {
  head("no :status"), head("an empty :status", { ":status", "" }), head("a status of two digits", { ":status", "20" }),
  head("a status of four digits", { ":status", "2000" }), head("a status that is no number", { ":status", "2x0" }),
  head("a status with a sign", { ":status", "+20" }), head("a status with a reason", { ":status", "200 OK" }),
  head("a status below 100", { ":status", "099" }), head("a status with a blank", { ":status", " 200" }),
  ok(":status twice", OK),
  ok("two unlike", { ":status", "404" }), head(":status behind a field", { "a", "b" }, OK),
  ok("unknown pseudo-header", { ":x", "y" }),
  ok(":path", { ":path", "/" }), ok(":method", { ":method", "GET" }), head(":STATUS", { ":STATUS", "200" }),
  head("101", { ":status", "101" }),
  ok("upper case", { "X-A", "b" }), ok("no name", { "", "b" }), ok("a blank in a name", { "x a", "b" }),
  ok("a colon in a name", { "x:a", "b" }),
  ok("a colon behind a name", { "x:", "b" }), ok("a name above 127", { "x\200", "b" }),
  ok("a tab in a name", { "x\ta", "b" }),
  ok("a blank before a framing field", { " content-length", "1" }),
  ok("a blank before a value", { "x", " b" }), ok("a blank behind a value", { "x", "b " }),
  ok("a tab before a value", { "x", "\tb" }),
  ok("connection", { "connection", "close" }), ok("keep-alive", { "keep-alive", "timeout=5" }),
  ok("proxy-connection", { "proxy-connection", "close" }), ok("transfer-encoding", { "transfer-encoding", "chunked" }),
  ok("transfer-encoding: identity", { "transfer-encoding", "identity" }), ok("upgrade", { "upgrade", "websocket" }),
  ok("te: chunked", { "te", "chunked" }), ok("two lengths", { "content-length", "0" }, { "content-length", "0" }),
  ok("two unlike lengths", { "content-length", "0" }, { "content-length", "1" }),
  ok("a length that is no number", { "content-length", "x" }),
  ok("a length with a sign", { "content-length", "+0" }), ok("a list of lengths", { "content-length", "0, 0" }),
  ok("an empty length", { "content-length", "" }),
  ok("a length that overflows", { "content-length", "18446744073709551616" }),
  ok("a length, and no body", { "content-length", "5" }),
  { name = "an interim head that ends the stream", fields = { { ":status", "103" } } },
  { name = "an interim head with upper case", early = { { { ":status", "103" }, { "X-A", "b" } } }, fields = { OK } },
  { name = "an interim head with transfer-encoding",
    early = { { { ":status", "103" }, { "transfer-encoding", "chunked" } } }, fields = { OK } },
  { name = "101 before the answer", early = { { { ":status", "101" } } }, fields = { OK } },
}

local INJECTED = {
  CRLF = "\r\nX-Smuggled: 1", ["bare LF"] = "\nX-Smuggled: 1", ["bare CR"] = "\rX-Smuggled: 1", NUL = "\0",
  DEL = "\127",
  ["a head's end"] = "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ["a line end alone"] = "\r\n",
}
local INJECTIONS = {}
for what, text in pairs(INJECTED) do
  for place, field in pairs {
    [":status"] = { ":status", "200" .. text }, ["a name"] = { "x-a" .. text, "b" },
    ["a value"] = { "x-a", "b" .. text .. "c" },
    ["the end of a value"] = { "x-a", "b" .. text }, ["a cookie"] = { "set-cookie", "a=b" .. text },
    ["location"] = { "location", "/" .. text },
    ["content-type"] = { "content-type", "text/html" .. text }, ["content-length"] = { "content-length", "0" .. text },
  } do
    INJECTIONS[#INJECTIONS + 1] = place == ":status" and head(what .. " in " .. place,
      field) or ok(what .. " in " .. place, field)
  end
end

local BODIES = {
  body("as long as said", "3", { "abc" }, { 200, "abc" }), body("in pieces", "3", { "a", "", "bc" }, { 200, "abc" }),
  body("of length 0", "0", { "" }, { 200, "" }), body("of no length", nil, { "abc" }, { 200, "abc" }),
  body("that looks like another answer", nil, { "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" },
    { 200, "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" }),
  body("short", "3", { "ab" }, "cut"), body("short, in pieces", "3", { "a", "b" }, "cut"),
  body("none", "3", { "" }, "cut"),
  body("long", "3", { "abcd" }, "cut"), body("long, in pieces", "3", { "ab", "HTTP/1.1 200 OK\r\n\r\n" }, "cut"),
  body("of length 0 with DATA", "0", { "HTTP/1.1 200 OK\r\n\r\n" }, "cut"),
  body("with a trailer", nil, { "abc" }, { 200, "abc" }, { { "x-t", "1" } }),
  body("with an upper-case trailer", nil, { "abc" }, "cut", { { "X-T", "1" } }),
  body("with a pseudo-header field as trailer", nil, { "abc" }, "cut", { { ":status", "200" } }),
  body("with transfer-encoding as trailer", nil, { "abc" }, "cut", { { "transfer-encoding", "chunked" } }),
  body("with connection as trailer", nil, { "abc" }, "cut", { { "connection", "close" } }),
  body("with a blank in a trailer's name", nil, { "abc" }, "cut", { { "x t", "1" } }),
  body("with a colon in a trailer's name", nil, { "abc" }, "cut", { { "x:t", "1" } }),
  { name = "of HEAD", method = "HEAD", fields = { OK, { "content-length", "3" } }, wanted = { 200, "" } },
  { name = "of HEAD, with DATA", method = "HEAD", fields = { OK, { "content-length", "3" } }, data = { "abc" },
    wanted = "cut" },
  { name = "of 304", fields = { { ":status", "304" }, { "content-length", "3" } }, wanted = { 304, "" } },
  { name = "of 204", fields = { { ":status", "204" } }, wanted = { 204, "" } },
  { name = "of 204, with DATA", fields = { { ":status", "204" } }, data = { "abc" }, wanted = "cut" },
  { name = "behind 103", early = { { { ":status", "103" } } }, fields = { OK }, data = { "abc" },
    wanted = { 200, "abc" } },
}
for what, text in pairs(INJECTED) do
  BODIES[#BODIES + 1] = body(what .. " in a trailer's name", nil, { "abc" }, "cut", { { "x-t" .. text, "1" } })
  BODIES[#BODIES + 1] = body(what .. " in a trailer's value", nil, { "abc" }, "cut", { { "x-t", "1" .. text } })
end

local function frames(id, case)
  local data, trailers, out = case.data or {}, case.trailers, {}
  for i, fields in ipairs(case.early or {}) do
    out[i] = h2.frame("HEADERS", h2.END_HEADERS, id, h2.block(fields))
  end
  local last = #data == 0 and not trailers
  out[#out + 1] = h2.frame("HEADERS", h2.END_HEADERS + (last and h2.END_STREAM or 0), id, h2.block(case.fields))
  for i, bytes in ipairs(data) do
    out[#out + 1] = h2.frame("DATA", i == #data and not trailers and h2.END_STREAM or 0, id, bytes)
  end
  if trailers then
    out[#out + 1] = h2.frame("HEADERS", h2.END_HEADERS + h2.END_STREAM, id, h2.block(trailers))
  end
  return table.concat(out)
end

local function details(r)
  local status = r.headers and (r.headers["Proxy-Status"] or r.headers["proxy-status"])
  return status and status:match('details="([%w_]+)')
end

local function judge(case, r)
  if type(case.wanted) == "table" then
    assert.same({ case.wanted[1], case.wanted[2], false }, { r.status, r.body or "", r.cut or false }, case.name)
  elseif case.wanted == "cut" then
    assert.is_true(r.cut or r.status == 502, ("%s: whole, with %s"):format(case.name, r.status or "-"))
  else
    assert.same({ 502, "bad_response" }, { r.status, details(r) }, case.name)
  end
  assert.is_nil(r.headers and (r.headers["X-Smuggled"] or r.headers["x-smuggled"]), case.name)
end

local function run(cases, way)
  local case
  local o = h2_origin.start(function(c)
    for s in c.next_request, c do
      if s.request[":path"] == "/bad" then
        c:send(frames(s.id, case))
      else
        c:respond(s.id, { body = "fine" })
      end
    end
  end)
  local p = proxy.start { workers = 1, route = { to = o.url, host = web.HOST, options = { retries = "0" } } }
  local client = web.client(p, way)
  for _, each in ipairs(cases) do
    case = each
    judge(case, client:request { method = case.method or "GET", path = "/bad" })
    assert.equal("fine", client:request({ path = "/" }).body, case.name .. ": the next request")
  end
  assert.equal(1, o.accepted)
end

for _, way in ipairs { web.WAYS[1], web.WAYS[3] } do
  for name, cases in pairs { heads = HEADS, ["line ends and control bytes"] = INJECTIONS, bodies = BODIES } do
    it(("what a backend says wrongly does not reach a client of %s: %s, %d cases"):format(way.name, name, #cases),
      function()
      run(cases, way)
    end)
  end
end
