--- Adds the headers that tell browsers to be careful; those that the backend sets itself stay.
--
--   policy_args   hsts=31536000 csp='default-src https:' frame=SAMEORIGIN
--
-- hsts   seconds browsers keep to HTTPS (Strict-Transport-Security); none without it
-- csp    Content-Security-Policy; none without it
-- frame  X-Frame-Options, DENY without it

local function offer(res, name, value)
  if value and not res:header(name) then
    res:set_header(name, value)
  end
end

return {
  summary = "Security headers on every response.",
  on_response = function(res, req)
    local hsts = req:arg("hsts")
    offer(res, "X-Content-Type-Options", "nosniff")
    offer(res, "Referrer-Policy", "strict-origin-when-cross-origin")
    offer(res, "X-Frame-Options", req:arg("frame", "DENY"))
    offer(res, "Content-Security-Policy", req:arg("csp"))
    offer(res, "Strict-Transport-Security", hsts and "max-age=" .. hsts)
  end,
  examples = {
    { "adds what is missing",
      given = { args = "hsts=600 csp='default-src https:'" },
      expect = { response = { headers = {
        ["X-Content-Type-Options"] = "nosniff", ["X-Frame-Options"] = "DENY",
        ["Strict-Transport-Security"] = "max-age=600", ["Content-Security-Policy"] = "default-src https:",
      } } } },
    { "leaves what the backend says",
      given = { response = { headers = { ["X-Frame-Options"] = "SAMEORIGIN" } } },
      expect = { response = { headers = {
        ["X-Frame-Options"] = "SAMEORIGIN", ["Strict-Transport-Security"] = false,
      } } } },
  },
}
