--- Which events a connection is told about.

local host = require("host")
local reply = require("registry.reply")

local function event_type(text, name)
  if text == "" then
    return nil, "missing field: " .. name
  elseif not host.event_known(text) then
    return nil, "unknown event type: " .. text
  end
  return text
end

return {
  {
    name = "SUBSCRIBE",
    summary = "Ask for events of one type, or of all, on this connection.",
    args = {
      { "type", event_type },
    },
    reply = "SUBSCRIBE_OK",
    since = "0.1",
    errors = { "unknown event type: weather" },
    example = { "SUBSCRIBE|<sid>|all", "SUBSCRIBE_OK" },
    run = function(cmd)
      local ok, err = cmd.conn:subscribe(cmd.type, cmd.session)
      if not ok then
        return nil, err
      end
      return reply.ok("SUBSCRIBE_OK")
    end,
  },
  {
    name = "UNSUBSCRIBE",
    summary = "Ask for no more events of one type, or of all.",
    args = {
      { "type", event_type },
    },
    reply = "UNSUBSCRIBE_OK",
    since = "0.1",
    errors = { "unknown event type: weather" },
    example = { "UNSUBSCRIBE|<sid>|all", "UNSUBSCRIBE_OK" },
    run = function(cmd)
      local ok, err = cmd.conn:unsubscribe(cmd.type, cmd.session)
      if not ok then
        return nil, err
      end
      return reply.ok("UNSUBSCRIBE_OK")
    end,
  },
}
