-- RFC 9112 section 9.2: bytes behind an answer are nobody's, never the next answer.

local r = require("spec.support.raw_response")
local ok = r.ok

local EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

local function behind(bytes)
  return r.plain("ok") .. bytes
end

local once = ok("ok", { reused = false })

return {
  { "nothing", behind(""), ok("ok") },
  { "an answer", behind(EVIL), once },
  { "two answers", behind(EVIL .. EVIL), once },
  { "the answer again", behind(r.plain("ok")), once },
  { "an interim response", behind("HTTP/1.1 100 Continue\r\n\r\n"), once },
  { "a time-out of an idle connection", behind("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"), once },
  { "one byte", behind("x"), once },
  { "an empty line", behind("\r\n"), once },
  { "a bare LF", behind("\n"), once },
  { "a NUL", behind("\0"), once },
  { "a body longer than its length", behind(("x"):rep(3000)), once },
  { "the connection's end", behind(""), once, ends = true, whole = true },
  { "an answer behind chunks", r.chunked("2\r\nok\r\n0\r\n\r\n") .. EVIL, r.chunks("ok", { reused = false }) },
  { "a chunk behind the last one", r.chunked("2\r\nok\r\n0\r\n\r\n") .. "0\r\n\r\n", r.chunks("ok",
    { reused = false }) },
  { "an answer behind nothing", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" .. EVIL, ok("", { reused = false }) },
  { "an answer behind 204", "HTTP/1.1 204 No Content\r\n\r\n" .. EVIL, r.gets("HTTP/1.1 204 No Content",
    { reused = false }) },
  { "an answer behind HTTP/1.0 that asked to be kept",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok" .. EVIL, ok("ok",
    { via = "1.0 tidelock", reused = false }) },
}
