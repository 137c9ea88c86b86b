-- RFC 9112 section 9.3.2: several requests in one go, answered in order, each its own; what cannot be told apart ends
-- it.

local raw = require("spec.support.raw")
local get, post, sees = raw.get, raw.post, raw.sees

local function path(text, lines)
  return get(lines, "GET " .. text .. " HTTP/1.1")
end

local function seen(text)
  return sees("GET " .. text .. " HTTP/1.1")
end

local POST = sees("POST / HTTP/1.1", { framing = "Content-Length: 3\r\n", body = "abc" })
local CHUNKED = sees("POST / HTTP/1.1", { framing = "Transfer-Encoding: chunked\r\n", body = "abc" })
local LENGTH = post("Content-Length: 3\r\n", "abc")
local CHUNKS = raw.chunked("3\r\nabc\r\n0\r\n\r\n")

return {
  { "two", path("/1") .. path("/2"), { statuses = { 200, 200 }, seen = { seen("/1"), seen("/2") } } },
  { "five", path("/1") .. path("/2") .. path("/3") .. path("/4") .. path("/5"),
    { statuses = { 200, 200, 200, 200, 200 }, seen = { seen("/1"), seen("/2"), seen("/3"), seen("/4"), seen("/5") } } },
  { "a POST and a GET", LENGTH .. path("/2"), { statuses = { 200, 200 }, seen = { POST, seen("/2") } } },
  { "chunks and a GET", CHUNKS .. path("/2"), { statuses = { 200, 200 }, seen = { CHUNKED, seen("/2") } } },
  { "chunks and a POST", CHUNKS .. LENGTH, { statuses = { 200, 200 }, seen = { CHUNKED, POST } } },
  { "an empty line between them (RFC 9112 2.2)", path("/1") .. "\r\n" .. path("/2"),
    { statuses = { 200, 200 }, seen = { seen("/1"), seen("/2") } } },
  { "an empty line too many behind a body", LENGTH .. "\r\n" .. path("/2"),
    { statuses = { 200, 200 }, seen = { POST, seen("/2") } } },
  { "a bare LF between them", path("/1") .. "\n" .. path("/2"),
    { statuses = { 200, 400 }, seen = { seen("/1") }, closed = true } },
  { "a NUL between them", path("/1") .. "\0" .. path("/2"),
    { statuses = { 200, 400 }, seen = { seen("/1") }, closed = true } },
  { "a byte too many behind a body", LENGTH .. "d" .. path("/2"),
    { statuses = { 200, 200 }, seen = { POST, sees("dGET /2 HTTP/1.1") } } },
  { "two bytes that end the line behind chunks", CHUNKS .. "\r\n" .. path("/2"),
    { statuses = { 200, 200 }, seen = { CHUNKED, seen("/2") } } },
  { "a last chunk twice", CHUNKS .. "0\r\n\r\n",
    { statuses = { 200, 400 }, seen = { CHUNKED }, closed = true } },
  { "a chunk behind the last one", CHUNKS .. "3\r\nabc\r\n0\r\n\r\n",
    { statuses = { 200, 400 }, seen = { CHUNKED }, closed = true } },
  { "a good one, a bad one, a good one", path("/1") .. path("/2", "X : y\r\n") .. path("/3"),
    { statuses = { 200, 400 }, seen = { seen("/1") }, closed = true } },
  { "a good one, one with two lengths, a good one", path("/1") .. post("Content-Length: 1\r\nContent-Length: 2\r\n",
    "ab")
    .. path("/3"), { statuses = { 200, 400 }, seen = { seen("/1") }, closed = true } },
  { "nothing behind one that says close", path("/1", "Connection: close\r\n") .. path("/2"),
    { statuses = { 200 }, seen = { seen("/1") }, closed = true } },
  { "nothing behind HTTP/1.0", get(nil, "GET /1 HTTP/1.0") .. path("/2"),
    { statuses = { 200 }, seen = { sees("GET /1 HTTP/1.1", { via = "1.0 tidelock" }) }, closed = true } },
  { "HEAD before GET", get(nil, "HEAD /1 HTTP/1.1") .. path("/2"),
    { statuses = { 200, 200 }, seen = { sees("HEAD /1 HTTP/1.1"), seen("/2") } } },
  { "a body for nobody behind a refusal: it is not taken for a request",
    "POST / HTTP/1.1\r\nHost: b.example\r\nContent-Length: 37\r\n\r\n" .. path("/evil"):sub(1, 37),
    { statuses = { 404 }, seen = {}, closed = true } },
  { "chunks for nobody behind a refusal", "POST / HTTP/1.1\r\nHost: b.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "3\r\nabc\r\n0\r\n\r\n", { statuses = { 404 }, seen = {}, closed = true } },
}
