-- Fields that the proxy alone may say, and names that a backend with CGI-like variables takes for them: there X_Real_IP
-- and X-Real-IP are one. What looks like a field that means something to us goes no further; others are theirs.

local raw = require("spec.support.raw")
local passes, get = raw.passes, raw.get

local cases = {
  { "Via is added to", get("Via: 1.0 before\r\n"), passes(nil, { via = "1.0 before, 1.1 tidelock" }) },
  { "two Vias become one, in order", get("Via: 1.0 a\r\nVia: 1.1 b\r\n"),
    passes(nil, { via = "1.0 a, 1.1 b, 1.1 tidelock" }) },
  { "an underscore in a name of no meaning passes", get("X_Api_Key: 1\r\n"), passes(nil,
    { lines = "X_Api_Key: 1\r\n" }) },
  { "an underscore beside a dash in a name of no meaning", get("X_Api-Key: 1\r\nX-Api_Key: 2\r\n"),
    passes(nil, { lines = "X_Api-Key: 1\r\nX-Api_Key: 2\r\n" }) },
  { "Host is the target's in X-Forwarded-Host, too", "GET http://a.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    passes() },
}

for _, name in ipairs { "X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP",
  "Forwarded", "X_Forwarded_For", "x_forwarded_for", "X-Forwarded_For", "X_Forwarded-For", "X_Forwarded_Proto",
  "X_Forwarded_Host", "X_Real_IP", "X_Real-IP", "Content_Length", "Transfer_Encoding", "Proxy_Authorization",
  "Proxy_Connection", "Keep_Alive", "Max_Forwards" } do
  cases[#cases + 1] = { name .. " of a stranger goes no further", get(name .. ": 9.9.9.9\r\n"), passes() }
end

return cases
