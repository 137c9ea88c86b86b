--- Sends some requests to another instance or service: those with a header, those with a cookie, and a share
-- of the rest.
--
--   policy_args   to=v2 percent=10 header=X-Canary cookie=canary
--
-- to       instance or service of the canary; when it cannot take a request, the others do, and the other way
--          round
-- percent  share of the other requests, 0 without it
-- header   requests that have it, with any value, go to the canary
-- cookie   requests that have it, with any value, go to the canary

local function is_chosen(req)
  local header, cookie = req:arg("header"), req:arg("cookie")
  return header and req:header(header) or cookie and req:cookie(cookie)
    or req:random() * 100 < tonumber(req:arg("percent", "0"))
end

return {
  summary = "Canary by header, cookie and percentage.",
  on_request = function(req)
    local to = req:arg("to") or error("policy_args has no to=INSTANCE")
    if is_chosen(req) then
      req:use(to)
      req:tag("canary", "yes")
    else
      req:avoid(to)
    end
  end,
  examples = {
    { "sends those with the header to the canary",
      given = { args = "to=v2 header=X-Canary", members = { "v1", "v2" }, headers = { ["X-Canary"] = "1" } },
      expect = { members = { "v2" }, tags = { canary = "yes" } } },
    { "sends those with the cookie to the canary",
      given = { args = "to=v2 cookie=canary", members = { "v1", "v2" }, headers = { Cookie = "canary=1" } },
      expect = { members = { "v2" } } },
    { "sends the share there that percent says",
      given = { args = "to=v2 percent=10", members = { "v1", "v2" }, random = 0.0999 },
      expect = { members = { "v2" } } },
    { "keeps all others away from it",
      given = { args = "to=v2 percent=10", members = { "v1", "v2" }, random = 0.1 },
      expect = { members = { "v1" }, tags = { canary = false } } },
    { "leaves a group alone that is nothing but canary",
      given = { args = "to=v2", members = { "v2" } },
      expect = { members = { "v2" } } },
  },
}
