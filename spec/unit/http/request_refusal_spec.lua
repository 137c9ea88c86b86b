local heads = require("spec.unit.http.heads")

-- One row for each refusal: what it is, the sentence (a part of it), the bytes.
local function refuses(result, rows)
  for _, row in ipairs(rows) do
    it("is refused for " .. row[1], function()
      local got, sentence = heads.refusal(row[3])
      assert.equal(result, got)
      assert.truthy(sentence:find(row[2], 1, true), ("%q has no %q"):format(sentence, row[2]))
    end)
  end
end

local function with(line)
  return "GET / HTTP/1.1\r\nHost: a\r\n" .. line .. "\r\n\r\n"
end

local function target(text, method)
  return (method or "GET") .. " " .. text .. " HTTP/1.1\r\nHost: a\r\n\r\n"
end

describe("a request line", function()
  refuses("bad", {
    { "no version", "request line", "GET /\r\n\r\n" },
    { "a method alone", "request line", "GET\r\n\r\n" },
    { "no method", "white space", " / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a method that is no token", "method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a control byte in the method", "method", "G\1T / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a byte above 127 in the method", "method", "G\200T / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "two spaces before the target", "version", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "two spaces before the version", "version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a tab between its parts", "request line", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a space at its end", "version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n" },
    { "a space in the target", "version", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "a version in lower case", "version", "GET / http/1.1\r\nHost: a\r\n\r\n" },
    { "a version without minor", "version", "GET / HTTP/1\r\nHost: a\r\n\r\n" },
    { "a version of three digits", "version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n" },
    { "a version that is no number", "version", "GET / HTTP/x.1\r\nHost: a\r\n\r\n" },
    { "a bare CR", "bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n" },
    { "a bare LF", "bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n" },
    { "a bare LF before it", "bare LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" },
    { "bytes of TLS", "bare LF", "\22\3\1\2\0\1\0\1\252\3\3\n\r\n\r\n" },
  })

  refuses("version", {
    { "HTTP/2.0", "1.x", "GET / HTTP/2.0\r\nHost: a\r\n\r\n" },
    { "HTTP/0.9", "1.x", "GET / HTTP/0.9\r\nHost: a\r\n\r\n" },
    { "the preface of HTTP/2", "1.x", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  })
end)

describe("a request target", function()
  refuses("bad", {
    { "a fragment", "target", target("/a#b") },
    { "a control byte", "target", target("/a\1b") },
    { "a NUL", "target", target("/a\0b") },
    { "a DEL", "target", target("/a\127b") },
    { "a byte above 127", "target", target("/h\195\169") },
    { "a tab", "target", target("/a\tb") },
    { "a missing slash", "target", target("a/b") },
    { "another scheme", "target", target("ftp://a/") },
    { "a scheme alone", "authority", target("http://") },
    { "a scheme without slashes", "target", target("http:/a") },
    { "an empty authority", "authority", target("http:///a") },
    { "userinfo", "authority", target("http://user@a/") },
    { "userinfo with a password", "authority", target("http://user:pw@a/") },
    { "a port that is none", "authority", target("http://a:b/") },
    { "a port that is too large", "authority", target("http://a:65536/") },
    { "an IPv6 address that is none", "authority", target("http://[::g]/") },
    { "an open bracket", "authority", target("http://[::1/") },
    { "a query without a path", "path", target("http://a?b") },
    { "* with another method", "OPTIONS", target("*") },
    { "** ", "target", target("**", "OPTIONS") },
    { "the authority form with another method", "target", target("a:80") },
    { "CONNECT without a port", "CONNECT", target("a", "CONNECT") },
    { "CONNECT with an empty port", "CONNECT", target("a:", "CONNECT") },
    { "CONNECT with a path", "CONNECT", target("/", "CONNECT") },
    { "CONNECT with a scheme", "CONNECT", target("http://a:80", "CONNECT") },
  })
end)

describe("Host", function()
  refuses("bad", {
    { "being absent in HTTP/1.1", "no Host", "GET / HTTP/1.1\r\n\r\n" },
    { "being absent with an absolute target", "no Host", "GET http://a/ HTTP/1.1\r\n\r\n" },
    { "standing there twice", "more than one Host", with("Host: a") },
    { "standing there twice, in HTTP/1.0", "more than one Host", "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n" },
    { "standing there twice, empty", "more than one Host", "GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n" },
    { "white space", "invalid Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
    { "a path", "invalid Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
    { "userinfo", "invalid Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n" },
    { "a list", "invalid Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" },
    { "a port that is none", "invalid Host", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n" },
    { "a port alone", "invalid Host", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n" },
    { "a byte above 127", "invalid Host", "GET / HTTP/1.1\r\nHost: h\195\169\r\n\r\n" },
    { "being wrong even if the target has an authority", "invalid Host",
      "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n" },
  })
end)

describe("a field", function()
  refuses("bad", {
    { "white space before the colon", "field name", with("X : y") },
    { "a tab before the colon", "", with("X\t: y") },
    { "a space in the name", "field name", with("X Y: z") },
    { "an empty name", "", with(": y") },
    { "a missing colon", "", with("X") },
    { "a byte above 127 in the name", "", with("X\195\169: y") },
    { "a control byte in the name", "", with("X\1: y") },
    { "a separator in the name", "", with("X(Y): z") },
    { "being folded with a space", "white space", with("X: y\r\n z") },
    { "being folded with a tab", "white space", with("X: y\r\n\tz") },
    { "a first line that is folded", "white space", "GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n" },
    { "a control byte in the value", "", with("X: y\1z") },
    { "a NUL in the value", "", with("X: y\0z") },
    { "a DEL in the value", "", with("X: y\127z") },
    { "a bare CR in the value", "", with("X: y\rz") },
    { "a bare CR before its end", "", with("X: y\r") },
    { "a bare CR as its value", "bare CR", with("X:\r") },
    { "a bare CR in Connection", "bare CR", with("Connection: close\rX: y") },
    { "a bare LF in the value", "bare LF", with("X: y\nz: z") },
    { "a bare LF as the empty line", "bare LF", "GET / HTTP/1.1\r\nHost: a\r\n\n" },
    { "too many options in Connection", "Connection", with("Connection: a" .. (",b"):rep(64)) },
  })
end)

describe("the length of a body", function()
  local long = "Content-Length: 18446744073709551616"
  refuses("bad", {
    { "Content-Length twice, the same", "", with("Content-Length: 5\r\nContent-Length: 5") },
    { "Content-Length twice, another", "", with("Content-Length: 5\r\ncontent-length: 6") },
    { "a list in Content-Length", "", with("Content-Length: 5, 5") },
    { "a sign", "", with("Content-Length: +5") },
    { "a negative number", "", with("Content-Length: -5") },
    { "no number", "", with("Content-Length: x") },
    { "an empty Content-Length", "", with("Content-Length:") },
    { "a space in the number", "", with("Content-Length: 5 5") },
    { "a hexadecimal number", "", with("Content-Length: 0x5") },
    { "a number of more than 64 bits", "", with(long) },
    { "Content-Length and Transfer-Encoding", "", with("Content-Length: 5\r\nTransfer-Encoding: chunked") },
    { "Transfer-Encoding and Content-Length", "", with("Transfer-Encoding: chunked\r\nContent-Length: 5") },
    { "Transfer-Encoding twice", "", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") },
    { "gzip", "Transfer-Encoding", with("Transfer-Encoding: gzip") },
    { "gzip, chunked", "Transfer-Encoding", with("Transfer-Encoding: gzip, chunked") },
    { "chunked, identity", "Transfer-Encoding", with("Transfer-Encoding: chunked, identity") },
    { "chunked, chunked", "Transfer-Encoding", with("Transfer-Encoding: chunked, chunked") },
    { "xchunked", "Transfer-Encoding", with("Transfer-Encoding: xchunked") },
    { "chunked with a parameter", "Transfer-Encoding", with("Transfer-Encoding: chunked;a=b") },
    { "an empty Transfer-Encoding", "Transfer-Encoding", with("Transfer-Encoding:") },
    { "Transfer-Encoding in HTTP/1.0", "HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
  })
end)
