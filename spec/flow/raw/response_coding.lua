-- RFC 9112 section 6.1, from backends: Transfer-Encoding, alone and beside Content-Length.

local r = require("spec.support.raw_response")
local chunks, bad = r.chunks, r.bad

local CHUNKS = "2\r\nok\r\n0\r\n\r\n"

local function coding(lines, body)
  return r.with(lines .. "\r\n", body or CHUNKS)
end

local cases = {
  { "as it should be", coding("Transfer-Encoding: chunked"), chunks("ok") },
  { "in capitals", coding("TRANSFER-ENCODING: CHUNKED"), chunks("ok") },
  { "with white space around", coding("Transfer-Encoding: \tchunked\t "), chunks("ok") },
  { "to HTTP/1.0 becomes a body until the end", coding("Transfer-Encoding: chunked"),
    r.gets("HTTP/1.1 200 OK", { framing = "Connection: close\r\n", body = "ok", closed = true }),
    request = { version = "1.0" } },
  { "from HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. CHUNKS, bad() },
  { "behind Content-Length", coding("Content-Length: 2\r\nTransfer-Encoding: chunked"), bad() },
  { "before Content-Length", coding("Transfer-Encoding: chunked\r\nContent-Length: 2"), bad() },
  { "beside a Content-Length of 0", coding("Transfer-Encoding: chunked\r\nContent-Length: 0"), bad() },
  { "twice", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), bad() },
  { "twice, identity first", coding("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), bad() },
  { "twice, identity last", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), bad() },
  { "with a blank before its colon", coding("Transfer-Encoding : chunked"), bad() },
  { "folded", coding("X-A: b\r\n Transfer-Encoding: chunked"), bad() },
}

for _, value in ipairs { "", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,",
  ",chunked", "xchunked", "chunkedx", "chunked;q=1", "chunked foo", "chunked\tchunked", '"chunked"', "chun ked",
  "\194\160chunked" } do
  cases[#cases + 1] = { ("value %q"):format(value), coding("Transfer-Encoding: " .. value), bad() }
end

return cases
