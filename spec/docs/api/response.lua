--- The response of a policy: res. See request.lua.

return {
  title = "The response (`res`)",
  kind = "policy",
  owner = "res",
  text = [[
`on_response(res, req)` gets the final head, of a backend's response or of the proxy's own answer,
  about to be sent. All methods
raise when they are called outside of `on_response` or without the colon, or get an argument of another type.]],
  entries = {
    {
      "res:status()", "number", "The status.",
      on_response = [[req:tag("was", res:status())]], given = [[{ response = { status = 404 } }]],
      expect = [[{ tags = { was = "404" } }]],
    },
    {
      "res:set_status(status)", "nothing", "Another status; one that has a body stays one, as does one that "
        .. "has none.",
      takes = "status: whole number, 200 to 599", errors = "raises for another, and between 200 and 204, say",
      on_response = [[if res:status() == 404 then res:set_status(410) end]],
      given = [[{ response = { status = 404 } }]],
      expect = [[{ response = 410 }]],
    },
    {
      "res:header(name)", "text or nil", "The first header of that name.", takes = "name: text",
      on_response = [[req:tag("type", res:header("content-type"))]],
      given = [[{ response = { headers = { ["Content-Type"] = "text/css" } } }]],
      expect = [[{ tags = { type = "text/css" } }]],
    },
    {
      "res:set_header(name, value)", "nothing", "Sets a header, in place of all of that name; nil takes them away.",
      takes = "name: text; value: text or nil",
      errors = "raises as req:set_header does, and when the head gets too large",
      on_response = [[res:set_header("Server", nil) res:set_header("X-Frame-Options", "DENY")]],
      given = [[{ response = { headers = { Server = "old/1" } } }]],
      expect = [[{ response = { headers = { Server = false, ["X-Frame-Options"] = "DENY" } } }]],
    },
    {
      "res:add_header(name, value)", "nothing", "Adds a header beside those that are there.",
      takes = "name, value: text", errors = "raises as set_header does",
      on_response = [[res:add_header("Vary", "Origin")]],
      given = [[{ response = { headers = { Vary = "Accept" } } }]],
      expect = [[{ response = { headers = { Vary = "Accept, Origin" } } }]],
    },
    {
      "res:is_own()", "boolean", "Does the proxy answer itself?",
      on_response = [[if res:is_own() then res:set_header("X-From", "proxy") end]],
      given = [[{ response = { status = 502, verdict = "connect_refused" } }]],
      expect = [[{ response = { headers = { ["X-From"] = "proxy" } } }]],
    },
    {
      "res:verdict()", "text or nil", "Why the proxy answers itself, as in the access log; nil for a backend's "
        .. "response.",
      on_response = [[req:tag("why", res:verdict() or "none")]],
      given = [[{ response = { status = 503, verdict = "circuit_open" } }]],
      expect = [[{ tags = { why = "circuit_open" } }]],
    },
    {
      "res:set_body(text, content_type)", "nothing", "The body of the proxy's own answer.",
      takes = "text: text of at most 64 KiB; content_type: text",
      errors = "raises for a backend's response, and where the status has no body",
      on_response = [[if res:is_own() then res:set_body("Sorry.\n", "text/plain") end]],
      given = [[{ response = { status = 502, verdict = "connect_refused" } }]],
      expect = [[{ response = { body = "Sorry.\n", headers = { ["Content-Type"] = "text/plain" } } }]],
    },
    {
      "res:kept()", "text or nil", "What `req:keep` was given.",
      on_request = [[req:keep("a")]],
      on_response = [[res:set_header("X-Kept", res:kept())]], given = "{}",
      expect = [[{ response = { headers = { ["X-Kept"] = "a" } } }]],
    },
    {
      "res:member()", "text of 16 characters, or nil",
      "Stands for the member that answers, for `req:use` of later requests; nil for the proxy's own answers.",
      on_response = [[res:set_header("X-Member", res:member())]], given = [[{ response = { from = "one" } }]],
      expect = [[{ response = { headers = { ["X-Member"] = { matches = "^%x+$" } } } }]],
    },
    {
      "res:instance()", "text or nil", "The instance that answers; nil when the request had no member.",
      on_response = [[res:set_header("X-Instance", res:instance())]],
      given = [[{ members = { "v1", "v2" }, response = { from = "v2" } }]],
      expect = [[{ response = { headers = { ["X-Instance"] = "v2" } } }]],
    },
    {
      "res:service()", "text or nil", "The service that answers; nil when the request had no member.",
      on_response = [[res:set_header("X-Service", res:service())]],
      given = [[{ members = { { instance = "a", service = "blog" } }, response = { from = "a" } }]],
      expect = [[{ response = { headers = { ["X-Service"] = "blog" } } }]],
    },
  },
}
