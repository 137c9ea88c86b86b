-- RFC 9110 section 15.2: interim responses, and 101.

local r = require("spec.support.raw_response")
local ok, bad, interim = r.ok, r.bad, r.interim

local FINAL = r.plain("ok")

local function early(first, lines, body)
  return first .. "\r\n" .. (lines or "") .. "\r\n" .. (body or "")
end

local function after(list)
  return ok("ok", { interim = list })
end

return {
  { "100", early("HTTP/1.1 100 Continue") .. FINAL, after { interim("HTTP/1.1 100 Continue") } },
  { "103 with fields", early("HTTP/1.1 103 Early Hints", "Link: </a>\r\n") .. FINAL,
    after { interim("HTTP/1.1 103 Early Hints", "Link: </a>\r\n") } },
  { "several", early("HTTP/1.1 100 Continue") .. early("HTTP/1.1 102 Processing") .. early("HTTP/1.1 103 Early Hints")
    .. FINAL, after { interim("HTTP/1.1 100 Continue"), interim("HTTP/1.1 102 Processing"),
    interim("HTTP/1.1 103 Early Hints") } },
  { "one that nobody has named", early("HTTP/1.1 199 Odd") .. FINAL, after { interim("HTTP/1.1 199 Odd") } },
  { "to HTTP/1.0 they are dropped", early("HTTP/1.1 100 Continue") .. FINAL,
    r.gets("HTTP/1.1 200 OK", { body = "ok", framing = "Content-Length: 2\r\nConnection: keep-alive\r\n" }),
      request = { version = "1.0", lines = "Connection: keep-alive\r\n" } },
  { "its Connection names fields", early("HTTP/1.1 103 Early Hints", "Connection: X-A\r\nX-A: 1\r\n") .. FINAL,
    after { interim("HTTP/1.1 103 Early Hints") } },
  { "one that says 0", early("HTTP/1.1 100 Continue", "Content-Length: 0\r\n") .. FINAL,
    after { interim("HTTP/1.1 100 Continue") } },
  { "one with a length", early("HTTP/1.1 100 Continue", "Content-Length: 4\r\n") .. FINAL, bad() },
  { "one with a body", early("HTTP/1.1 100 Continue", "Content-Length: 4\r\n", "EVIL") .. FINAL, bad() },
  { "one with an answer as its body", early("HTTP/1.1 100 Continue",
    ("Content-Length: %d\r\n"):format(#r.plain("EVIL")),
    r.plain("EVIL")) .. FINAL, bad() },
  { "one with chunks", early("HTTP/1.1 100 Continue", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n") .. FINAL, bad() },
  { "one with chunks that do not come", early("HTTP/1.1 103 Early Hints", "Transfer-Encoding: chunked\r\n") .. FINAL,
    bad() },
  { "one with a bare LF", "HTTP/1.1 100 Continue\n\n" .. FINAL, bad() },
  { "one with a blank before a colon", early("HTTP/1.1 103 Early Hints", "Link : </a>\r\n") .. FINAL, bad() },
  { "one with a folded line", early("HTTP/1.1 103 Early Hints", "Link:\r\n </a>\r\n") .. FINAL, bad() },
  { "one from HTTP/2", early("HTTP/2.0 100 Continue") .. FINAL, bad() },
  { "garbage behind it", early("HTTP/1.1 100 Continue") .. "EVIL\r\n\r\n" .. FINAL, bad() },
  { "an empty line too many behind it", early("HTTP/1.1 100 Continue") .. "\r\n" .. FINAL, bad() },
  { "an end behind it", early("HTTP/1.1 100 Continue"), bad(), ends = true },
  { "101 that nobody asked for", early("HTTP/1.1 101 Switching Protocols",
    "Connection: upgrade\r\nUpgrade: websocket\r\n"),
    bad() },
  { "101 to another protocol than was asked for",
    early("HTTP/1.1 101 Switching Protocols", "Connection: upgrade\r\nUpgrade: chat\r\n"), bad(),
    request = { lines = "Connection: upgrade\r\nUpgrade: websocket\r\n" } },
  { "101 without an Upgrade", early("HTTP/1.1 101 Switching Protocols"), bad(),
    request = { lines = "Connection: upgrade\r\nUpgrade: websocket\r\n" } },
  { "101 for an upgrade that goes no further",
    early("HTTP/1.1 101 Switching Protocols", "Connection: upgrade\r\nUpgrade: h2c\r\n"), bad(),
    request = { lines = "Connection: upgrade\r\nUpgrade: h2c\r\n" } },
  { "101 from HTTP/1.0", early("HTTP/1.0 101 Switching Protocols", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
    bad(),
    request = { lines = "Connection: upgrade\r\nUpgrade: websocket\r\n" } },
}
