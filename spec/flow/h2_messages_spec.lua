-- What RFC 9113 section 8 and RFC 7541 say of heads and bodies: each rule broken, or stretched, by a client.

local cases = require("spec.support.h2_cases")
local h2 = require("spec.support.h2")

local frame, HEADERS = h2.frame, h2.END_HEADERS
local BOTH = h2.END_HEADERS + h2.END_STREAM

local function head(request)
  return frame("HEADERS", BOTH, 1, h2.block(h2.fields(request)))
end

local function case(name, key, value, ...)
  local bytes = table.concat({ ... })
  return { name = name, [key] = value, send = function(c) c:send(bytes) end }
end

local function malformed(name, request)
  return case(name, "reset", "PROTOCOL_ERROR", head(request))
end

local function bad(name, request)
  return case(name, "status", 400, head(request))
end

local function fine(name, request, check)
  local result = case(name, "status", 200, head(request))
  result.check = check
  return result
end

local function list(...)
  local fields = h2.fields({})
  for i = 1, select("#", ...) do
    fields[#fields + 1] = (select(i, ...))
  end
  return { name = nil, bytes = frame("HEADERS", BOTH, 1, h2.block(fields)) }
end

local function with_body(name, key, value, headers, ...)
  local fields = h2.fields({ method = "POST", headers = headers })
  return case(name, key, value, frame("HEADERS", HEADERS, 1, h2.block(fields)), ...)
end

-- A header block of other bytes, behind a good start.
local function block(name, key, value, bytes)
  return case(name, key, value, frame("HEADERS", BOTH, 1, h2.block(h2.fields({})) .. bytes))
end

local SECTIONS = {
  ["pseudo-header fields (8.3)"] = {
    malformed("without :method", { method = false }),
    malformed("without :scheme", { scheme = false }),
    malformed("without :path", { path = false }),
    malformed("with an empty :path", { path = "" }),
    case("with :method twice", "reset", "PROTOCOL_ERROR", list({ ":method", "GET" }).bytes),
    case("with :scheme twice", "reset", "PROTOCOL_ERROR", list({ ":scheme", "http" }).bytes),
    case("with :path twice", "reset", "PROTOCOL_ERROR", list({ ":path", "/" }).bytes),
    case("with :authority twice", "reset", "PROTOCOL_ERROR", list({ ":authority", "a.test" }).bytes),
    case("that nobody knows", "reset", "PROTOCOL_ERROR", list({ ":test", "ok" }).bytes),
    case("of a response", "reset", "PROTOCOL_ERROR", list({ ":status", "200" }).bytes),
    case("behind other fields", "reset", "PROTOCOL_ERROR", frame("HEADERS", BOTH, 1,
      h2.block({ { ":method", "GET" }, { ":scheme", "http" }, { "x", "y" }, { ":path", "/" } }))),
    malformed("for a tunnel that was not offered", { method = "CONNECT", headers = { { ":protocol", "websocket" } } }),
    malformed("with a :path that starts with no slash", { path = "a" }),
    malformed("with a :path of * for GET", { path = "*" }),
    bad("with a fragment in :path", { path = "/a#b" }),
    malformed("with a blank in :path", { path = "/a b" }),
    malformed("with a line end in :path", { path = "/a\r\nX: y" }),
    bad("with an unknown :scheme", { scheme = "ftp" }),
    malformed("with a blank in :method", { method = "GET /" }),
    malformed("without host", { authority = false }),
    bad("with a user in :authority", { authority = "u@a.test" }),
    bad("with a bad port in :authority", { authority = "a.test:x" }),
    bad("with a Host that is another", { headers = { { "host", "b.test" } } }),
    fine("with a Host that is the same", { headers = { { "host", "a.test" } } }),
    fine("with Host alone", { authority = false, headers = { { "host", "a.test" } } }),
    fine("with a method of its own", { method = "BREW" }, function(_, _, o)
      assert.equal("BREW", o.requests[1].method)
    end),
    case("of CONNECT are not served", "status", 501, frame("HEADERS", HEADERS, 1,
      h2.block({ { ":method", "CONNECT" }, { ":authority", "a.test:80" } }))),
    malformed("of CONNECT with a path", { method = "CONNECT" }),
    fine("of OPTIONS *", { method = "OPTIONS", path = "*" }, function(_, _, o)
      assert.equal("*", o.requests[1].target)
    end),
    case("with an address too long", "status", 414, head({ path = "/" .. ("x"):rep(9000) })),
  },
  ["fields (8.2)"] = {
    malformed("in upper case", { headers = { { "X-TEST", "ok" } } }),
    malformed("without a name", { headers = { { "", "ok" } } }),
    malformed("with a blank in the name", { headers = { { "x y", "ok" } } }),
    malformed("with a colon in the name", { headers = { { "x:y", "ok" } } }),
    malformed("with a line end in the name", { headers = { { "x\r\ny", "ok" } } }),
    malformed("with bytes above 127 in the name", { headers = { { "x\200", "ok" } } }),
    malformed("with a line end in the value", { headers = { { "x", "a\r\nb: c" } } }),
    malformed("with a bare LF in the value", { headers = { { "x", "a\nb" } } }),
    malformed("with NUL in the value", { headers = { { "x", "a\0b" } } }),
    malformed("with a blank before the value", { headers = { { "x", " a" } } }),
    malformed("with a tab behind the value", { headers = { { "x", "a\t" } } }),
    malformed("of a connection", { headers = { { "connection", "keep-alive" } } }),
    malformed("named keep-alive", { headers = { { "keep-alive", "1" } } }),
    malformed("named proxy-connection", { headers = { { "proxy-connection", "keep-alive" } } }),
    malformed("named upgrade", { headers = { { "upgrade", "h2c" } } }),
    malformed("named transfer-encoding", { headers = { { "transfer-encoding", "chunked" } } }),
    malformed("of te other than trailers", { headers = { { "te", "trailers, deflate" } } }),
    fine("of te trailers pass", { headers = { { "te", "trailers" } } }, function(_, _, o)
      assert.equal("trailers", o.requests[1].headers.TE)
    end),
    fine("with bytes above 127 in the value pass", { headers = { { "x", "\228" } } }, function(_, _, o)
      assert.equal("\228", o.requests[1].headers.X)
    end),
    malformed("of two Hosts", { headers = { { "host", "a.test" }, { "host", "a.test" } } }),
    fine("of cookies become one",
      { headers = { { "cookie", "a=1" }, { "cookie", "b=2" }, { "x", "y" }, { "cookie", "c=3" } } }, function(_, _, o)
        assert.equal("a=1; b=2; c=3", o.requests[1].headers.Cookie)
        local _, count = o.requests[1].raw:lower():gsub("cookie:", "")
        assert.equal(1, count)
      end),
    case("too many", "status", 431, (function()
      local fields = {}
      for i = 1, 101 do
        fields[i] = { "x" .. i, "y" }
      end
      return head({ headers = fields })
    end)()),
    case("too large together", "status", 431, frame("HEADERS", h2.END_STREAM, 1,
      h2.block(h2.fields({ headers = { { "x", ("y"):rep(16000) } } }))), frame("CONTINUATION", HEADERS, 1,
      h2.block({ { "z", ("y"):rep(1000) } }))),
  },
  ["bodies (8.1)"] = {
    with_body("with the length that was said", "status", 200, { { "content-length", "2" } }, frame("DATA", 1, 1, "ab")),
    with_body("shorter than was said", "reset", "PROTOCOL_ERROR", { { "content-length", "3" } },
      frame("DATA", 1, 1, "ab")),
    with_body("shorter than was said, in pieces", "reset", "PROTOCOL_ERROR", { { "content-length", "3" } },
      frame("DATA", 0, 1, "a"), frame("DATA", 1, 1, "b")),
    with_body("longer than was said", "reset", "PROTOCOL_ERROR", { { "content-length", "1" } },
      frame("DATA", 1, 1, "ab")),
    with_body("longer than was said, in pieces", "reset", "PROTOCOL_ERROR", { { "content-length", "1" } },
      frame("DATA", 0, 1, "a"), frame("DATA", 1, 1, "b")),
    with_body("with a length that is no number", "reset", "PROTOCOL_ERROR", { { "content-length", "2x" } },
      frame("DATA", 1, 1, "ab")),
    with_body("with a length that has a sign", "reset", "PROTOCOL_ERROR", { { "content-length", "+2" } },
      frame("DATA", 1, 1, "ab")),
    with_body("with two lengths", "reset", "PROTOCOL_ERROR", { { "content-length", "2" }, { "content-length", "2" } },
      frame("DATA", 1, 1, "ab")),
    malformed("that are missing where a length was said", { headers = { { "content-length", "2" } } }),
    fine("of length 0 that are none", { headers = { { "content-length", "0" } } }),
    with_body("with trailers that end nothing", "reset", "PROTOCOL_ERROR", nil, frame("DATA", 0, 1, "a"),
      frame("HEADERS", HEADERS, 1, h2.block({ { "t", "1" } }))),
    with_body("with a pseudo-header field as trailer", "reset", "PROTOCOL_ERROR", nil, frame("DATA", 0, 1, "a"),
      frame("HEADERS", BOTH, 1, h2.block({ { ":method", "GET" } }))),
    with_body("with a trailer in upper case", "reset", "PROTOCOL_ERROR", nil, frame("DATA", 0, 1, "a"),
      frame("HEADERS", BOTH, 1, h2.block({ { "T", "1" } }))),
  },
  ["header compression (RFC 7541)"] = {
    block("with an index that nothing has", "goaway", "COMPRESSION_ERROR", h2.integer(0x80, 7, 70)),
    block("with index 0", "goaway", "COMPRESSION_ERROR", "\128"),
    block("with a name of an index that nothing has", "goaway", "COMPRESSION_ERROR", h2.integer(0x40, 6, 70) .. "\1x"),
    block("with a table size behind fields", "goaway", "COMPRESSION_ERROR", h2.integer(0x20, 5, 1)),
    case("with a table size that was not allowed", "goaway", "COMPRESSION_ERROR",
      frame("HEADERS", BOTH, 1, h2.integer(0x20, 5, 4097) .. h2.block(h2.fields({})))),
    case("with a table size that is allowed", "status", 200,
      frame("HEADERS", BOTH, 1, h2.integer(0x20, 5, 0) .. h2.block(h2.fields({})))),
    block("with an integer without end", "goaway", "COMPRESSION_ERROR", "\127" .. ("\255"):rep(12)),
    block("with a text longer than the block", "goaway", "COMPRESSION_ERROR", "\0\1x\127\10y"),
    block("with Huffman padding of a byte", "goaway", "COMPRESSION_ERROR", "\0\1x\134\255\255\255\255\255\255"),
    block("with Huffman padding of zeros", "goaway", "COMPRESSION_ERROR", "\0\1x\129\24"),
    block("with EOS in Huffman code", "goaway", "COMPRESSION_ERROR", "\0\1x\132\255\255\255\255"),
    case("cut within a field", "goaway", "COMPRESSION_ERROR", frame("HEADERS", BOTH, 1, "\0\7:met")),
    { name = "keeps in step when a head is refused", status = 200, id = 3, send = function(c)
      local indexed = "\64\1x\1y" -- goes to the table although the request is malformed
      c:send(frame("HEADERS", BOTH, 1, h2.block(h2.fields({})) .. h2.block({ { "BAD", "1" } }) .. indexed)
        .. frame("HEADERS", BOTH, 3, h2.block(h2.fields({})) .. "\190"))
    end, check = function(_, _, o)
      assert.equal("y", o.requests[1].headers.X)
    end },
  },
}

for section, rules in pairs(SECTIONS) do
  describe("HTTP/2 " .. section, function()
    for _, rule in ipairs(rules) do
      it(rule.name, function()
        cases.run(rule)
      end)
    end
  end)
end
