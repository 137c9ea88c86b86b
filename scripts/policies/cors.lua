--- Lets web pages of other origins use a service (CORS, Fetch standard). Preflight requests are answered here.
--
--   policy_args   origins=https://a.example,https://b.example methods=GET,PUT headers=Content-Type
--                 credentials=true max_age=600
--
-- origins      who may; "*" for everybody, who then cannot send credentials
-- methods      beyond GET, HEAD and POST
-- headers      that requests may have
-- credentials  "true": cookies and the like may be sent
-- max_age      seconds a browser may keep the answer to a preflight request

--- The origin that may have the response, or nil.
local function allowed(req)
  local origin, origins = req:header("Origin"), req:arg("origins", "")
  if origin and origins == "*" then
    return "*"
  end
  for one in origins:gmatch("[^,]+") do
    if one == origin then
      return origin
    end
  end
end

local function is_preflight(req)
  return req:method() == "OPTIONS" and req:header("Access-Control-Request-Method") ~= nil
end

return {
  summary = "CORS, preflight requests included.",
  on_request = function(req)
    if not is_preflight(req) then
      return
    end
    req:answer(204, allowed(req) and {
      ["Access-Control-Allow-Methods"] = req:arg("methods", "GET"),
      ["Access-Control-Allow-Headers"] = req:arg("headers"),
      ["Access-Control-Max-Age"] = req:arg("max_age"),
    })
  end,
  on_response = function(res, req)
    local origin = allowed(req)
    if req:arg("origins") ~= "*" then
      res:add_header("Vary", "Origin")
    end
    if not origin then
      return
    end
    res:set_header("Access-Control-Allow-Origin", origin)
    if req:arg("credentials") == "true" and origin ~= "*" then
      res:set_header("Access-Control-Allow-Credentials", "true")
    end
  end,
  examples = {
    { "answers the preflight request of an origin that may",
      given = {
        args = "origins=https://a.example methods=GET,PUT max_age=600", method = "OPTIONS",
        headers = { Origin = "https://a.example", ["Access-Control-Request-Method"] = "PUT" },
      },
      expect = { answer = { status = 204, headers = {
        ["Access-Control-Allow-Origin"] = "https://a.example", ["Access-Control-Allow-Methods"] = "GET,PUT",
        ["Access-Control-Max-Age"] = "600", Vary = "Origin",
      } } } },
    { "promises nothing to others",
      given = {
        args = "origins=https://a.example", method = "OPTIONS",
        headers = { Origin = "https://c.example", ["Access-Control-Request-Method"] = "PUT" },
      },
      expect = { answer = { status = 204, headers = {
        ["Access-Control-Allow-Origin"] = false, ["Access-Control-Allow-Methods"] = false,
      } } } },
    { "lets an origin that may have the response, with credentials where it is told so",
      given = { args = "origins=https://a.example credentials=true", headers = { Origin = "https://a.example" } },
      expect = { answer = false, response = { headers = {
        ["Access-Control-Allow-Origin"] = "https://a.example", ["Access-Control-Allow-Credentials"] = "true",
      } } } },
    { "gives everybody no credentials",
      given = { args = "origins=* credentials=true", headers = { Origin = "https://c.example" } },
      expect = { response = { headers = {
        ["Access-Control-Allow-Origin"] = "*", ["Access-Control-Allow-Credentials"] = false, Vary = false,
      } } } },
  },
}
