--- Trying a backend before traffic is sent to it.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local TIMEOUT_MS = 5000

return {
  {
    name = "BACKEND_TEST",
    summary = "Send one GET to a URL from the proxy and say what came back.",
    args = {
      { "url", check.text },
    },
    reply = "BACKEND_OK|{json}, or BACKEND_FAIL|{json} when no answer came",
    since = "0.1",
    errors = { "missing field: url", "too many commands are under way: limits.registry_waiting = 2000" },
    notes = "Any answer counts as reachable, whatever its status; it has 5 s. tls_valid is false "
      .. "for http and ws.",
    example = {
      "BACKEND_TEST|<sid>|http://10.0.0.7:8080/health",
      [[BACKEND_OK|{"reachable":true,"response_time_ms":4,"status_code":200,"tls_valid":false}]],
    },
    run = function(cmd)
      return cmd.conn:probe(cmd.url, TIMEOUT_MS)
    end,
    finish = function(result)
      if not result.reachable then
        return reply.json("BACKEND_FAIL", json.pick(result, { "reachable", "error" }))
      end
      local keys = { "reachable", "response_time_ms", "status_code", "tls_valid" }
      return reply.json("BACKEND_OK", json.pick(result, keys))
    end,
  },
}
