--- Answers with JSON, whatever the client accepts, where the proxy answers itself.
--
-- {"error":"connect_refused","status":502,"path":"/x"}; the backend's own errors pass as they are.

local json = require("json")

return {
  summary = "JSON body for errors.",
  on_response = function(res, req)
    if not res:is_own() or res:status() < 400 then
      return
    end
    local body = json.object("error", res:verdict(), "status", res:status(), "path", req:path())
    res:set_body(json.encode(body) .. "\n", "application/json")
    res:set_header("Vary", nil)
  end,
  examples = {
    { "writes the proxy's own error as JSON",
      given = { path = "/x?y", response = { status = 502, verdict = "connect_refused" } },
      expect = { response = {
        status = 502, headers = { ["Content-Type"] = "application/json" },
        body = '{"error":"connect_refused","status":502,"path":"/x"}\n',
      } } },
    { "leaves the backend's errors alone",
      given = { response = { status = 500, headers = { ["Content-Type"] = "text/html" } } },
      expect = { response = { status = 500, headers = { ["Content-Type"] = "text/html" }, body = false } } },
  },
}
