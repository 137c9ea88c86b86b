-- RFC 9112 section 4: the status line.

local r = require("spec.support.raw_response")
local gets, bad = r.gets, r.bad

local function line(first)
  return first .. "\r\nContent-Length: 2\r\n\r\nok"
end

local function as(first, response)
  response = response or {}
  response.body, response.framing = "ok", "Content-Length: 2\r\n"
  return gets(first, response)
end

local cases = {
  { "as it should be", line("HTTP/1.1 200 OK"), as("HTTP/1.1 200 OK") },
  { "a long reason", line("HTTP/1.1 200 All is well, thank you"), as("HTTP/1.1 200 All is well, thank you") },
  { "an empty reason", line("HTTP/1.1 200 "), as("HTTP/1.1 200 ") },
  { "no reason and no blank for it", line("HTTP/1.1 200"), as("HTTP/1.1 200 ") },
  { "a reason with bytes above 127", line("HTTP/1.1 200 \195\164"), as("HTTP/1.1 200 \195\164") },
  { "a reason with a tab", line("HTTP/1.1 200 a\tb"), as("HTTP/1.1 200 a\tb") },
  { "a status that nobody has named", line("HTTP/1.1 299 Odd"), as("HTTP/1.1 299 Odd") },
  { "a status above 599 passes", line("HTTP/1.1 999 No"), as("HTTP/1.1 999 No") },
  { "an error of its own", line("HTTP/1.1 500 Oops"), as("HTTP/1.1 500 Oops") },
  { "HTTP/1.0", line("HTTP/1.0 200 OK"), as("HTTP/1.1 200 OK", { via = "1.0 tidelock", reused = false }) },
  { "HTTP/1.0 that asks to be kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    as("HTTP/1.1 200 OK", { via = "1.0 tidelock" }) },
  { "a later minor is taken as 1.1", line("HTTP/1.2 200 OK"), as("HTTP/1.1 200 OK") },
  { "HTTP/2.0", line("HTTP/2.0 200 OK"), bad() },
  { "HTTP/0.9 by number", line("HTTP/0.9 200 OK"), bad() },
  { "HTTP/0.9: no status line", "<html>ok</html>\r\n\r\n", bad(), ends = true },
  { "in lower case", line("http/1.1 200 OK"), bad() },
  { "another protocol", line("ICY 200 OK"), bad() },
  { "a minor of two digits", line("HTTP/1.10 200 OK"), bad() },
  { "no minor", line("HTTP/1 200 OK"), bad() },
  { "no version", line("200 OK"), bad() },
  { "no status", line("HTTP/1.1 OK"), bad() },
  { "a status of two digits", line("HTTP/1.1 20 OK"), bad() },
  { "a status of four digits", line("HTTP/1.1 2000 OK"), bad() },
  { "a status with a leading zero", line("HTTP/1.1 020 OK"), bad() },
  { "status 000", line("HTTP/1.1 000 OK"), bad() },
  { "a negative status", line("HTTP/1.1 -20 OK"), bad() },
  { "a status with a letter", line("HTTP/1.1 20O OK"), bad() },
  { "a status with a point", line("HTTP/1.1 200.1 OK"), bad() },
  { "two blanks before the status", line("HTTP/1.1  200 OK"), bad() },
  { "a tab before the status", line("HTTP/1.1\t200 OK"), bad() },
  { "a tab behind the status", line("HTTP/1.1 200\tOK"), bad() },
  { "a blank before it", " " .. line("HTTP/1.1 200 OK"), bad() },
  { "an empty line before it", "\r\n" .. line("HTTP/1.1 200 OK"), bad() },
  { "a bare LF before it", "\n" .. line("HTTP/1.1 200 OK"), bad() },
  { "a NUL before it", "\0" .. line("HTTP/1.1 200 OK"), bad() },
  { "a bare LF as its end", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", bad() },
  { "a bare CR as its end", "HTTP/1.1 200 OK\rContent-Length: 2\r\n\r\nok", bad() },
  { "CR CR LF as its end", "HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\n\r\nok", bad() },
  { "a bare CR in the reason", line("HTTP/1.1 200 O\rK"), bad() },
  { "a NUL in the reason", line("HTTP/1.1 200 O\0K"), bad() },
  { "a control byte in the reason", line("HTTP/1.1 200 O\27K"), bad() },
  { "a DEL in the reason", line("HTTP/1.1 200 O\127K"), bad() },
  { "a request instead", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", bad() },
  { "bytes of TLS", "\21\3\1\0\2\2\70\r\n\r\n\r\n", bad() },
  { "bytes of SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n", bad() },
  { "nothing at all", "", bad(), ends = true, whole = true },
  { "an end within it", "HTTP/1.1 20", bad(), ends = true },
  { "an end within the fields", "HTTP/1.1 200 OK\r\nContent-Le", bad(), ends = true },
}

return cases
