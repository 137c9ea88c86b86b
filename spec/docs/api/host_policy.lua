--- host as request policies have it. See request.lua.

return {
  title = "For policies: `host`",
  kind = "policy",
  owner = "host in policies",
  text = [[`local host = require("host")` in a request policy. All raise for arguments of another type.]],
  entries = {
    {
      "host.now_ms()", "number", "The wall clock, in milliseconds since 1970.",
      on_request = [[if host.now_ms() >= 1772496000000 then req:answer(410) end]],
      given = [[{ now = "2026-03-03T00:00:00Z" }]], expect = [[{ answer = 410 }]],
    },
    {
      "host.base64_decode(text)", "text, or nil for what is no base64", "Decodes base64; padding may be left out.",
      takes = "text: text",
      on_request = [[req:tag("who", host.base64_decode("YWxpY2U="))]], given = "{}",
      expect = [[{ tags = { who = "alice" } }]],
    },
    {
      "host.sha256(text)", "text: 64 hexadecimal digits", "The SHA-256 digest.", takes = "text: text",
      on_request = [[req:rate_key(host.sha256(req:header("Authorization") or ""):sub(1, 16))]], given = "{}",
      expect = [[{ rate_key = "e3b0c44298fc1c14" }]],
    },
    {
      "host.same_secret(a, b)", "boolean", "Are two texts equal? In a time that does not tell where they differ.",
      takes = "a, b: text",
      on_request = [[if not host.same_secret(req:header("X-Key") or "", req:arg("key", "none")) then
  req:answer(401)
end]],
      given = [[{ args = "key=k7", headers = { ["X-Key"] = "k7" } }]], expect = [[{ answer = false }]],
    },
  },
}
