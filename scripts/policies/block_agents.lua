--- Turns programs away by what they call themselves (User-Agent).
--
--   policy_args   agents=badbot,curl/ empty=true
--
-- agents  texts; a User-Agent that has one of them in it, in capital or small letters, is turned away
-- empty   "true": requests without a User-Agent are turned away, too

local function is_blocked(agent, req)
  if agent == "" then
    return req:arg("empty") == "true"
  end
  for text in req:arg("agents", ""):gmatch("[^,]+") do
    if agent:find(text:lower(), 1, true) then
      return true
    end
  end
  return false
end

return {
  summary = "Block by user agent.",
  on_request = function(req)
    if is_blocked((req:header("User-Agent") or ""):lower(), req) then
      req:answer(403, nil, "Not for programs like yours.\n")
    end
  end,
  examples = {
    { "turns away who has one of the texts in its name",
      given = { args = "agents=badbot,curl/", headers = { ["User-Agent"] = "Mozilla/5.0 (BadBot 2)" } },
      expect = { answer = 403 } },
    { "lets others pass",
      given = { args = "agents=badbot,curl/", headers = { ["User-Agent"] = "Mozilla/5.0" } },
      expect = { answer = false } },
    { "lets nameless ones pass",
      given = { args = "agents=badbot" },
      expect = { answer = false } },
    { "turns nameless ones away with empty=true",
      given = { args = "agents=badbot empty=true" },
      expect = { answer = 403 } },
  },
}
