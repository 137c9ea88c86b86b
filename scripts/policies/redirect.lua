--- Sends clients to the right address: HTTPS, with or without "www.".
--
--   policy_args   https=true www=remove status=308
--
-- https   "true": what came over plain HTTP goes to HTTPS. A trusted proxy in front that speaks TLS has to say so in
--         X-Forwarded-Proto
-- www     "add" or "remove"
-- status  308 without it

local function host_for(req)
  local authority, www = req:authority(), req:arg("www")
  local has_www = authority:lower():sub(1, 4) == "www."
  if www == "add" and not has_www then
    return "www." .. authority
  elseif www == "remove" and has_www then
    return authority:sub(5)
  end
  return authority
end

return {
  summary = "Redirect to HTTPS and to or from www.",
  on_request = function(req)
    local scheme, authority, host = req:scheme(), req:authority(), host_for(req)
    local wanted = req:arg("https") == "true" and "https" or scheme
    if authority == "" or (wanted == scheme and host == authority) then
      return
    end
    if wanted ~= scheme then
      host = host:gsub(":%d+$", "") -- the port is plain HTTP's
    end
    local location = ("%s://%s%s"):format(wanted, host, req:target())
    req:answer(tonumber(req:arg("status", "308")), { Location = location })
  end,
  examples = {
    { "sends plain HTTP to HTTPS, without its port",
      given = { args = "https=true", host = "shop.example:8080", path = "/a?b" },
      expect = { answer = { status = 308, headers = { Location = "https://shop.example/a?b" } } } },
    { "leaves alone what came over TLS",
      given = { args = "https=true", secure = true },
      expect = { answer = false } },
    { "believes a trusted proxy that it was HTTPS",
      given = { args = "https=true", trusted = true, headers = { ["X-Forwarded-Proto"] = "https" } },
      expect = { answer = false } },
    { "believes nobody else",
      given = { args = "https=true", headers = { ["X-Forwarded-Proto"] = "https" } },
      expect = { answer = 308 } },
    { "takes www. away",
      given = { args = "www=remove status=301", host = "www.shop.example", path = "/a" },
      expect = { answer = { status = 301, headers = { Location = "http://shop.example/a" } } } },
    { "puts www. before",
      given = { args = "www=add" },
      expect = { answer = { headers = { Location = "http://www.shop.example/" } } } },
  },
}
