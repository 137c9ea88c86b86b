--- Response headers that a service sets in place of its backend's own. Staged until CONFIG_APPLY.

local check = require("check")
local reply = require("registry.reply")

return {
  {
    name = "HEADERS_SET",
    summary = "Stage a response header for a route, or for ALL routes of the session.",
    args = {
      { "target", check.target },
      { "name", check.text },
      { "value", check.any, rest = true },
    },
    reply = "HEADERS_OK",
    since = "0.1",
    errors = {
      "route not found", "name: \"a b\" is not a header name", "value: not a header value",
      "name: Content-Length is the proxy's own to set",
    },
    notes = "Headers that frame a message or hold for one connection only (Content-Length, "
      .. "Transfer-Encoding, "
      .. "Connection and their like) are the proxy's own and refused.",
    example = { "HEADERS_SET|<sid>|ALL|Strict-Transport-Security|max-age=31536000", "HEADERS_OK" },
    run = function(cmd)
      local ok, err = cmd.session:put("headers", cmd.target, cmd.name, cmd.value)
      if not ok then
        return nil, err
      end
      return reply.ok("HEADERS_OK")
    end,
  },
  {
    name = "HEADERS_REMOVE",
    summary = "Stage the end of a HEADERS_SET.",
    args = {
      { "target", check.target },
      { "name", check.text },
    },
    reply = "HEADERS_OK",
    since = "0.1",
    errors = { "route not found", "headers not set: X-Frame-Options" },
    example = { "HEADERS_REMOVE|<sid>|ALL|Strict-Transport-Security", "HEADERS_OK" },
    run = function(cmd)
      local ok, err = cmd.session:drop("headers", cmd.target, cmd.name)
      if not ok then
        return nil, err
      end
      return reply.ok("HEADERS_OK")
    end,
  },
}
