--- Asks for a name and a password (RFC 7617). The backend does not get to see them.
--
--   policy_args   realm='Back office' users=alice:5e884898...,bob:6b3a55e0...
--
-- realm  what browsers show, "restricted" without it
-- users  names with the SHA-256 of the password, in hex: printf %s secret | sha256sum
--
-- Without TLS anybody on the way reads the password.

local host = require("host")

local NOBODY = ("0"):rep(64)

--- Name and password of the request, or nil.
local function credentials(req)
  local encoded = (req:header("Authorization") or ""):match("^[Bb]asic +(%S+)$")
  local decoded = encoded and host.base64_decode(encoded)
  if decoded then
    return decoded:match("^([^:]*):(.*)$")
  end
end

local function digest_of(users, name)
  for user, digest in users:gmatch("([^:,]+):([^,]+)") do
    if user == name then
      return digest:lower()
    end
  end
  return NOBODY
end

return {
  summary = "Basic authentication.",
  fail = "closed",
  on_request = function(req)
    local users = req:arg("users") or error("policy_args has no users=NAME:SHA256,...")
    local name, password = credentials(req)
    if name and host.same_secret(host.sha256(password), digest_of(users, name)) then
      req:set_header("Authorization", nil)
      req:tag("user", name)
      return
    end
    local challenge = ('Basic realm="%s", charset="UTF-8"'):format(req:arg("realm", "restricted"))
    req:answer(401, { ["WWW-Authenticate"] = challenge }, "A name and a password are needed.\n")
  end,
  examples = {
    { "lets the right password pass, and keeps it from the backend", -- alice:secret
      given = {
        args = "users=alice:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
        headers = { Authorization = "Basic YWxpY2U6c2VjcmV0" },
      },
      expect = { answer = false, headers = { Authorization = false }, tags = { user = "alice" } } },
    { "asks for a password where there is none",
      given = { args = "realm='Back office' users=alice:00" },
      expect = { answer = {
        status = 401, headers = { ["WWW-Authenticate"] = 'Basic realm="Back office", charset="UTF-8"' },
      } } },
    { "asks again after a wrong one",
      given = { args = "users=alice:00", headers = { Authorization = "Basic YWxpY2U6c2VjcmV0" } },
      expect = { answer = 401, tags = { user = false } } },
    { "fails without users, and then nothing passes",
      given = {},
      expect = { failed = { contains = "no users=" }, refused = true } },
  },
}
