-- RFC 9112 section 6.3, RFC 9110 section 6.4.1: answers that have no body by their nature, and what comes all the same.

local r = require("spec.support.raw_response")
local gets = r.gets

local EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

local function status(code, lines, body)
  return ("HTTP/1.1 %s\r\n%s\r\n%s"):format(code, lines or "", body or "")
end

local HEAD = { method = "HEAD" }
local LENGTH = "Content-Length: 4\r\n"
local CHUNKED = "Transfer-Encoding: chunked\r\n"

local NO_CONTENT, NOT_MODIFIED = "204 No Content", "304 Not Modified"

return {
  { "204", status(NO_CONTENT), gets("HTTP/1.1 204 No Content") },
  { "204 that says 0", status(NO_CONTENT, "Content-Length: 0\r\n"), gets("HTTP/1.1 204 No Content") },
  { "204 with a length that does not come", status(NO_CONTENT, LENGTH), gets("HTTP/1.1 204 No Content",
    { reused = false }) },
  { "204 with a body", status(NO_CONTENT, LENGTH, "EVIL"), gets("HTTP/1.1 204 No Content", { reused = false }) },
  { "204 with an answer as its body", status(NO_CONTENT, LENGTH, EVIL), gets("HTTP/1.1 204 No Content",
    { reused = false }) },
  { "204 with chunks", status(NO_CONTENT, CHUNKED, "4\r\nEVIL\r\n0\r\n\r\n"), gets("HTTP/1.1 204 No Content",
    { reused = false }) },
  { "204 with chunks that do not come", status(NO_CONTENT, CHUNKED), gets("HTTP/1.1 204 No Content",
    { reused = false }) },
  { "204 with two lengths", status(NO_CONTENT, LENGTH .. LENGTH), r.bad() },
  { "204 with length and chunks", status(NO_CONTENT, LENGTH .. CHUNKED), r.bad() },
  { "304", status(NOT_MODIFIED), gets("HTTP/1.1 304 Not Modified") },
  { "304 with the length that GET would have", status(NOT_MODIFIED, LENGTH), gets("HTTP/1.1 304 Not Modified",
    { framing = LENGTH }) },
  { "304 with a body", status(NOT_MODIFIED, LENGTH, "EVIL"), gets("HTTP/1.1 304 Not Modified",
    { framing = LENGTH, reused = false }) },
  { "304 with an answer as its body", status(NOT_MODIFIED, LENGTH, EVIL), gets("HTTP/1.1 304 Not Modified",
    { framing = LENGTH, reused = false }) },
  { "304 with the coding that GET would have", status(NOT_MODIFIED, CHUNKED), gets("HTTP/1.1 304 Not Modified") },
  { "304 with chunks", status(NOT_MODIFIED, CHUNKED, "4\r\nEVIL\r\n0\r\n\r\n"), gets("HTTP/1.1 304 Not Modified",
    { reused = false }) },
  { "HEAD with the length that GET would have", status("200 OK", LENGTH), gets("HTTP/1.1 200 OK", { framing = LENGTH }),
    request = HEAD },
  { "HEAD without a length", status("200 OK"), gets("HTTP/1.1 200 OK"), request = HEAD },
  { "HEAD with the coding that GET would have", status("200 OK", CHUNKED), gets("HTTP/1.1 200 OK"), request = HEAD },
  { "HEAD with a body", status("200 OK", LENGTH, "EVIL"), gets("HTTP/1.1 200 OK", { framing = LENGTH, reused = false }),
    request = HEAD },
  { "HEAD with an answer as its body", status("200 OK", LENGTH, EVIL), gets("HTTP/1.1 200 OK",
    { framing = LENGTH, reused = false }), request = HEAD },
  { "HEAD with chunks", status("200 OK", CHUNKED, "4\r\nEVIL\r\n0\r\n\r\n"), gets("HTTP/1.1 200 OK",
    { reused = false }),
    request = HEAD },
  { "HEAD with two lengths", status("200 OK", LENGTH .. LENGTH), r.bad(), request = HEAD },
  { "HEAD with length and coding", status("200 OK", LENGTH .. CHUNKED), r.bad(), request = HEAD },
  { "205 with a body is a body", status("205 Reset Content", "Content-Length: 2\r\n", "ok"),
    gets("HTTP/1.1 205 Reset Content", { framing = "Content-Length: 2\r\n", body = "ok" }) },
}
