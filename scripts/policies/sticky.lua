--- Keeps a client with the backend that answered it first, by a cookie.
--
--   policy_args   cookie=backend max_age=3600
--
-- cookie   name of the cookie, "tidelock" without it
-- max_age  seconds; without it the cookie goes with the browser's session
--
-- When that backend cannot take a request another one does, and the cookie moves on.

local COOKIE = "%s=%s; Path=/; HttpOnly; SameSite=Lax"

return {
  summary = "Sticky sessions by cookie.",
  on_request = function(req)
    local member = req:cookie(req:arg("cookie", "tidelock"))
    if member then
      req:use(member)
    end
  end,
  on_response = function(res, req)
    local name, member = req:arg("cookie", "tidelock"), res:member()
    if not member or req:cookie(name) == member then
      return
    end
    local cookie, max_age = COOKIE:format(name, member), req:arg("max_age")
    res:add_header("Set-Cookie", max_age and cookie .. "; Max-Age=" .. max_age or cookie)
  end,
  examples = {
    { "gives a client that has none a cookie for who answered",
      given = { args = "max_age=60", members = { "one", "two" }, response = { from = "two" } },
      expect = { members = { "one", "two" }, response = { headers = {
        ["Set-Cookie"] = { matches = "^tidelock=%x+; Path=/; HttpOnly; SameSite=Lax; Max%-Age=60$" },
      } } } },
    { "sends it back there",
      given = { args = "cookie=backend", members = { "one", "two" }, headers = { Cookie = "backend=two" } },
      expect = { members = { "two" } } },
    { "says nothing for the proxy's own answers",
      given = { response = { status = 502, verdict = "connect_refused" } },
      expect = { response = { headers = { ["Set-Cookie"] = false } } } },
  },
}
