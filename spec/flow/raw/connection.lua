-- RFC 9110 section 7.6.1: Connection and what is between two neighbours only; RFC 9112 section 9; TE, Upgrade.

local raw = require("spec.support.raw")
local passes, last, get = raw.passes, raw.last, raw.get

local cases = {
  { "close", get("Connection: close\r\n"), last() },
  { "close in capitals", get("CONNECTION: CLOSE\r\n"), last() },
  { "close in a list", get("Connection: foo, close\r\n"), last() },
  { "close in a second field", get("Connection: keep-alive\r\nConnection: close\r\n"), last() },
  { "close and keep-alive: close wins", get("Connection: close, keep-alive\r\n"), last() },
  { "keep-alive", get("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"), passes() },
  { "empty", get("Connection:\r\n"), passes() },
  { "commas alone", get("Connection: , ,,\r\n"), passes() },
  { "close in quotes is not close", get('Connection: "close"\r\n'), passes() },
  { "close with a word behind is not close", get("Connection: close now\r\n"), passes() },
  { "names a field, which goes no further", get("Connection: X-Mine\r\nX-Mine: 1\r\nX-Other: 2\r\n"),
    passes(nil, { lines = "X-Other: 2\r\n" }) },
  { "names a field before it and in other capitals", get("X-Mine: 1\r\nConnection: x-MINE\r\n"), passes() },
  { "names two fields in two fields", get("Connection: X-A\r\nX-A: 1\r\nConnection: X-B\r\nX-B: 2\r\n"), passes() },
  { "names a field that comes twice", get("X-A: 1\r\nConnection: X-A\r\nX-A: 2\r\n"), passes() },
  { "names itself", get("Connection: Connection\r\n"), passes() },
  { "names Host, which stays", get("Connection: Host\r\n"), passes() },
  { "names X-Forwarded-For, which is ours", get("Connection: X-Forwarded-For, X-Real-IP, Via\r\n"), passes() },
  { "names a forwarding field that the client sends",
    get("Connection: X-Forwarded-For\r\nX-Forwarded-For: 9.9.9.9\r\n"),
    passes() },
  { "more options than may be", get("Connection: " .. ("x,"):rep(65) .. "x\r\n"), raw.refused() },
  { "Proxy-Connection goes no further", get("Proxy-Connection: close\r\n"), passes() },
  { "Keep-Alive goes no further, named or not", get("Keep-Alive: 300\r\n"), passes() },
  { "Proxy-Authorization goes no further", get("Proxy-Authorization: Basic eDp5\r\n"), passes() },
  { "TE with trailers is ours to say", get("TE: trailers\r\nConnection: TE\r\n"), passes(nil, { te = true }) },
  { "TE with more is cut to trailers", get("TE: gzip, trailers;q=0.5, trailers\r\nConnection: TE\r\n"),
    passes(nil, { te = true }) },
  { "TE with chunked says nothing", get("TE: chunked\r\nConnection: TE\r\n"), passes() },
  { "Upgrade to what nobody asked for goes no further", get("Connection: upgrade\r\nUpgrade: h2c\r\n"), passes() },
  { "Upgrade to HTTP/2 goes no further, its settings neither",
    get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), passes() },
  { "settings of HTTP/2 that Connection does not name are a field like any other, without the Upgrade",
    get("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    passes(nil, { lines = "HTTP2-Settings: AAMAAABk\r\n" }) },
  { "Upgrade that Connection does not name", get("Upgrade: websocket\r\n"), passes() },
  { "Upgrade to websocket is asked for, and answered as the backend likes",
    get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"),
    passes(nil, { lines = "Sec-WebSocket-Key: eA==\r\n", framing = "Connection: upgrade\r\nUpgrade: websocket\r\n" }) },
  { "Upgrade to what hides requests, and to websocket",
    get("Connection: upgrade\r\nUpgrade: h2c, tls/1.2, websocket\r\n"),
    passes(nil, { framing = "Connection: upgrade\r\nUpgrade: websocket\r\n" }) },
  { "Upgrade with a body", raw.post("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n", "abc"),
    raw.posts("abc") },
}

-- What everybody on the way needs can not be named away.
for _, name in ipairs { "Authorization", "Cookie", "Content-Type", "Content-Encoding", "Content-Range", "Cache-Control",
  "Range", "If-Match", "If-None-Match", "Origin", "Expect", "Max-Forwards" } do
  local value = name == "Expect" and "100-continue" or "1"
  local line = ("%s: %s\r\n"):format(name, value)
  cases[#cases + 1] = { "names " .. name .. ", which stays", get("Connection: " .. name .. "\r\n" .. line),
    passes(nil, { lines = line }) }
end

return cases
