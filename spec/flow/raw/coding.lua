-- RFC 9112 section 6.1 and 6.3: Transfer-Encoding, alone and beside Content-Length: CL.TE, TE.CL, TE.TE, TE.0.

local raw = require("spec.support.raw")
local refused, post, streams = raw.refused, raw.post, raw.streams

local CHUNKS = "3\r\nabc\r\n0\r\n\r\n"
local EVIL = "0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a.example\r\n\r\n"

local function coding(lines, body)
  return post(lines .. "\r\n", body or CHUNKS)
end

local cases = {
  { "as it should be", coding("Transfer-Encoding: chunked"), streams("abc") },
  { "in capitals", coding("TRANSFER-ENCODING: CHUNKED"), streams("abc") },
  { "in mixed case", coding("Transfer-encoding: cHuNkEd"), streams("abc") },
  { "with white space around", coding("Transfer-Encoding:\t chunked\t "), streams("abc") },
  { "without white space", coding("Transfer-Encoding:chunked"), streams("abc") },
  { "of a GET", raw.get("Transfer-Encoding: chunked\r\n") .. CHUNKS,
    raw.passes(nil, { framing = "Transfer-Encoding: chunked\r\n", body = "abc" }) },
  { "of HTTP/1.0", raw.get("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0") .. CHUNKS, refused() },
  { "of HTTP/1.0 that asks to be kept", raw.get("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
    "POST / HTTP/1.0") .. CHUNKS, refused() },
  { "behind Content-Length (CL.TE)", coding(("Content-Length: %d\r\nTransfer-Encoding: chunked"):format(#EVIL), EVIL),
    refused() },
  { "before Content-Length (TE.CL)", coding("Transfer-Encoding: chunked\r\nContent-Length: 3", EVIL), refused() },
  { "beside a Content-Length of 0", coding("Transfer-Encoding: chunked\r\nContent-Length: 0"), refused() },
  { "beside a Content-Length that is none", coding("Transfer-Encoding: chunked\r\nContent-Length: x"), refused() },
  { "identity beside Content-Length", coding("Transfer-Encoding: identity\r\nContent-Length: 3", "abc"), refused() },
  { "empty beside Content-Length", coding("Transfer-Encoding:\r\nContent-Length: 3", "abc"), refused() },
  { "of HTTP/1.0 beside Content-Length", raw.get("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    "POST / HTTP/1.0") .. "abc", refused() },
  { "twice", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), refused() },
  { "twice, in other capitals", coding("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked"), refused() },
  { "twice, identity first (TE.TE)", coding("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), refused() },
  { "twice, identity last (TE.TE)", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), refused() },
  { "twice, the second empty", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding:"), refused() },
  { "twice, the second with a blank before its colon", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding : x"),
    refused() },
  { "folded behind another field", coding("X-A: b\r\n Transfer-Encoding: chunked"), refused() },
  { "behind a bare LF", coding("X-A: b\nTransfer-Encoding: chunked"), refused() },
  { "named by Connection is kept all the same", coding("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked"),
    streams("abc") },
  { "with an underscore in its name is none, and goes no further", post("Transfer_Encoding: chunked\r\n"),
    raw.passes("POST / HTTP/1.1") },
  { "with an underscore beside Content-Length", post("Transfer_Encoding: chunked\r\nContent-Length: 3\r\n", "abc"),
    raw.posts("abc") },
  { "with a blank in its name", coding("Transfer Encoding: chunked"), refused() },
  { "with a misspelt name is a field like any other", post("Transfer-Encodin: chunked\r\n"),
    raw.passes("POST / HTTP/1.1", { lines = "Transfer-Encodin: chunked\r\n" }) },
}

for _, value in ipairs { "", " ", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, identity",
  "identity, chunked", "chunked, chunked", "chunked,chunked", "chunked,", ",chunked", ", chunked", "chunked ,",
    "x-chunked",
  "xchunked", "chunkedx", "chunked-x", "chunke", "chunk", "chunked;q=1", "chunked; q=0", "chunked;", ";chunked",
  "chunked foo", "foo chunked", "chunked chunked", "chunked\tchunked", '"chunked"', "'chunked'", "(chunked)",
    "[chunked]",
  "chunked()", "chunked#", "chunked\\", "=chunked", "chunked=1", "chun ked", "chunked:", "cow", "compress, chunked",
  "trailers", "\226\132\170chunked", "chun\226\132\170ed", "\194\160chunked", "chunked\194\133" } do
  cases[#cases + 1] = { ("value %q"):format(value), coding("Transfer-Encoding: " .. value), refused() }
end

return cases
