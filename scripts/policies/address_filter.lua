--- Lets requests pass by the client's address; behind trusted proxies it is the one that they name.
--
--   policy_args   allow=10.0.0.0/8,::1 deny=10.9.0.0/16
--
-- deny   addresses and ranges that are turned away
-- allow  when it is given, all others are turned away, too

--- Is the client's address in a list? nil: there is no list.
local function is_in(req, list)
  if not list then
    return nil
  end
  for range in list:gmatch("[^,]+") do
    if req:source_in(range) then
      return true
    end
  end
  return false
end

return {
  summary = "Allow and deny by address.",
  fail = "closed",
  on_request = function(req)
    local allow, deny = req:arg("allow"), req:arg("deny")
    if not allow and not deny then
      error("policy_args has neither allow= nor deny=")
    end
    if is_in(req, deny) or is_in(req, allow) == false then
      req:answer(403, nil, "This address may not be reached from where you are.\n")
    end
  end,
  examples = {
    { "turns away a range that is denied",
      given = { args = "deny=10.0.0.0/8", source = "10.1.2.3" },
      expect = { answer = { status = 403, body = { contains = "may not be reached" } } } },
    { "lets all others pass when there is no allow",
      given = { args = "deny=10.0.0.0/8", source = "192.0.2.7" },
      expect = { answer = false } },
    { "lets only those pass that allow names",
      given = { args = "allow=10.0.0.0/8,::1 deny=10.9.0.0/16", source = "::1" },
      expect = { answer = false } },
    { "turns away who is not allowed",
      given = { args = "allow=10.0.0.0/8,::1", source = "192.0.2.7" },
      expect = { answer = 403 } },
    { "denies what is allowed, too",
      given = { args = "allow=10.0.0.0/8 deny=10.9.0.0/16", source = "10.9.0.1" },
      expect = { answer = 403 } },
    { "fails without either, so that nothing passes unfiltered",
      given = {},
      expect = { failed = { contains = "neither allow= nor deny=" }, refused = true } },
  },
}
