--- Cases of spec/flow/bad_spec.lua: backends that lie about lengths, or speak something else.

local function says(bytes)
  return function(stream)
    stream:write(bytes)
    stream:read_some()
  end
end

local function with(lines, body)
  return says("HTTP/1.1 200 OK\r\n" .. lines .. "\r\n" .. body)
end

local EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
local TLS_ALERT = "\21\3\3\0\2\2\40"

return {
  { "sends more than it says", with("Content-Length: 2\r\n", "0123456789"), is = "01" },
  { "sends two answers", with("Content-Length: 2\r\n", "01" .. EVIL), is = "01" },
  { "sends an answer behind an empty one", with("Content-Length: 0\r\n", EVIL), is = "" },
  { "sends two, one in chunks", with("Transfer-Encoding: chunked\r\n", "2\r\n01\r\n0\r\n\r\n" .. EVIL), is = "01" },
  { "sends a body behind 204", says("HTTP/1.1 204 No Content\r\n\r\n" .. EVIL), is = "" },
  { "sends garbage for a chunk", with("Transfer-Encoding: chunked\r\n", "2\r\n01\r\nzz\r\n"), is = "cut" },
  { "sends a chunk that is too long", with("Transfer-Encoding: chunked\r\n", "2\r\n0123456\r\n0\r\n\r\n"), is = "cut" },
  { "sends a chunk size without end", with("Transfer-Encoding: chunked\r\n", ("0"):rep(500)), is = "cut" },
  { "sends a chunk size of 20 digits", with("Transfer-Encoding: chunked\r\n", "ffffffffffffffffffff\r\n"), is = "cut" },
  { "sends two lengths", with("Content-Length: 2\r\nContent-Length: 3\r\n", "012"), is = "bad_response" },
  { "sends a negative length", with("Content-Length: -1\r\n", ""), is = "bad_response" },
  { "sends a length above all numbers", with("Content-Length: 99999999999999999999\r\n", ""), is = "bad_response" },
  { "sends a length and chunks", with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    is = "bad_response" },
  { "sends a coding nobody knows", with("Transfer-Encoding: pressed\r\n", "01"), is = "bad_response" },
  { "sends a field without end", with("A: " .. ("a"):rep(100000), ""), is = "response_head_too_big" },
  { "sends fields without end", with(("A: b\r\n"):rep(20000), ""), is = { "response_head_too_big", "bad_response" } },
  { "switches protocols unasked", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    is = "bad_response" },
  { "greets as SSH", says("SSH-2.0-OpenSSH_9.2p1\r\n"), is = "bad_response" },
  { "greets as SMTP", says("220 mail.example ESMTP\r\n"), is = "bad_response" },
  { "answers as ICY", says("ICY 200 OK\r\n\r\n"), is = "bad_response" },
  { "answers in HTTP/0.9", says("<html>hello</html>\n"), is = "bad_response" },
  { "answers in HTTP/2.0 by name", says("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), is = "bad_response" },
  { "answers with frames of HTTP/2", says("\0\0\0\4\0\0\0\0\0"), is = "bad_response" },
  { "answers with the preface of HTTP/2", says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), is = "bad_response" },
  { "answers with an alert of TLS", says(TLS_ALERT), is = "bad_response" },
  { "answers with NULs", says(("\0"):rep(100)), is = "bad_response" },
  { "answers with bytes at random", says("\167\3\241\99\0\255\17\201\13\10\9\77\128"), is = "bad_response" },
  { "sends its request back", says("POST /case HTTP/1.1\r\nHost: a\r\n\r\n"), is = "bad_response" },
}
