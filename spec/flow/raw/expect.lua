-- RFC 9110 section 10.1.1: Expect. It passes only when it says what we understand.

local raw = require("spec.support.raw")
local post, posts = raw.post, raw.posts

local function expects(value, body)
  return post("Expect: " .. value .. "\r\nContent-Length: 3\r\n", body or "abc")
end

local cases = {
  { "100-continue", expects("100-continue"), posts("abc", "Expect: 100-continue\r\n") },
  { "100-continue in capitals passes in small letters", expects("100-Continue"), posts("abc",
    "Expect: 100-continue\r\n") },
  { "100-continue with chunks", raw.chunked("3\r\nabc\r\n0\r\n\r\n", "Expect: 100-continue\r\n"),
    raw.streams("abc", "Expect: 100-continue\r\n") },
  { "100-continue without a body", raw.get("Expect: 100-continue\r\n"),
    raw.passes(nil, { lines = "Expect: 100-continue\r\n" }) },
  { "100-continue of HTTP/1.0 is not meant", raw.get("Expect: 100-continue\r\nContent-Length: 3\r\n",
    "POST / HTTP/1.0") .. "abc", raw.last("POST / HTTP/1.1", { via = "1.0 tidelock", framing = "Content-Length: 3\r\n",
    body = "abc" }) },
  { "100-continue twice passes once", post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3\r\n",
    "abc"),
    posts("abc", "Expect: 100-continue\r\n") },
  { "100-continue and another one in a second field",
    post("Expect: y 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
    posts("abc", "Expect: 100-continue\r\n") },
  { "with an underscore in its name is a field like any other", post("E_xpect: 100-continue\r\nContent-Length: 3\r\n",
    "abc"),
    posts("abc", "E_xpect: 100-continue\r\n") },
}

for _, value in ipairs { "", "y 100-continue", "100-continue, x", "x, 100-continue", "100-continue;", "100 continue",
  "100-continue 100-continue", "200-ok", '"100-continue"', "100-continue=1", "100-continuex" } do
  cases[#cases + 1] = { ("%q goes no further"):format(value), expects(value), posts("abc") }
end

return cases
