--- Who a service is: registering, coming back, leaving.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local function metadata(text)
  if not json.is_object(text) then
    return nil, "invalid metadata json"
  end
  return text
end

local function describe(info)
  return json.object(
    "session_id", info.session_id,
    "service_name", info.service_name,
    "instance_name", info.instance_name,
    "connected_at", json.time(info.connected_at_ms),
    "uptime_seconds", info.uptime_seconds,
    "routes_active", info.routes_active,
    "routes_staged", info.routes_staged,
    "last_activity", json.time(info.last_activity_ms),
    "last_apply", json.time(info.last_apply_ms),
    "metadata", info.metadata and json.raw(info.metadata) or json.null
  )
end

return {
  {
    name = "AUTH",
    summary = "Show the registry token. With a token set, it is the first line a connection must "
      .. "send.",
    session = "none",
    args = {
      { "token", check.text, rest = true },
    },
    reply = "OK",
    since = "0.1",
    errors = { "unauthorized" },
    example = { "AUTH|open-sesame", "OK" },
    run = function(cmd)
      local ok, err = cmd.conn:auth(cmd.token)
      if not ok then
        return nil, err
      end
      return reply.ok("OK")
    end,
  },
  {
    name = "REGISTER",
    summary = "Start a session for one instance of a service and bind this connection to it.",
    session = "none",
    args = {
      { "service", check.name(255) },
      { "instance", check.name(255) },
      { "maintenance_port", check.port },
      { "metadata", metadata, optional = true, rest = true },
    },
    too_few = "invalid format",
    reply = "ACK|session_id",
    since = "0.1",
    errors = { "invalid format", "invalid metadata json", "invalid port: maintenance_port",
      "too many sessions: limits.sessions = 10000", "metadata is too long: limits.metadata_size = 16384" },
    notes = "An empty maintenance_port means none. A living session of the same service and "
      .. "instance is superseded.",
    example = {
      [[REGISTER|shop|shop-1|0|{"version":"2.1"}]],
      "ACK|4f1c0a9be2d34c57a8d1f60b7e92c315",
    },
    run = function(cmd)
      local conn, port = cmd.conn, cmd.maintenance_port
      local session, err = conn:register(cmd.service, cmd.instance, port, cmd.metadata)
      if not session then
        return nil, err
      end
      return reply.ok("ACK", session:id())
    end,
  },
  {
    name = "RECONNECT",
    summary = "Bind a new connection to a session that lost its own, or take it over from a "
      .. "living one.",
    session = "id",
    args = {},
    reply = "OK, or REREGISTER when the session is unknown or has expired",
    since = "0.1",
    errors = { "no session", "too many takeovers of this session: limits.session_takeovers = 10" },
    example = { "RECONNECT|4f1c0a9be2d34c57a8d1f60b7e92c315", "OK" },
    run = function(cmd)
      local ok, err = cmd.conn:reconnect(cmd.session_id)
      if err then
        return nil, err
      end
      return reply.ok(ok and "OK" or "REREGISTER")
    end,
  },
  {
    name = "PING",
    summary = "Ask for a sign of life; counts as activity of the session.",
    args = {},
    reply = "PONG",
    since = "0.1",
    example = { "PING|4f1c0a9be2d34c57a8d1f60b7e92c315", "PONG" },
    run = function()
      return reply.ok("PONG")
    end,
  },
  {
    name = "SESSION_INFO",
    summary = "Say what is known about the session.",
    args = {},
    reply = "SESSION_OK|{json}",
    since = "0.1",
    notes = "last_apply is null until the first apply, metadata when none was given; "
      .. "routes_staged counts the routes "
      .. "that the next apply adds, changes or removes.",
    run = function(cmd)
      return reply.json("SESSION_OK", describe(cmd.session:info()))
    end,
  },
  {
    name = "CLIENT_SHUTDOWN",
    summary = "End the session: its routes are gone at once, requests in flight finish, the "
      .. "connection is closed.",
    args = {},
    reply = "SHUTDOWN_OK",
    since = "0.1",
    notes = "Answered once no worker serves the session's routes any more.",
    run = function(cmd)
      return cmd.session:shutdown()
    end,
    finish = function()
      return reply.ok("SHUTDOWN_OK")
    end,
  },
}
