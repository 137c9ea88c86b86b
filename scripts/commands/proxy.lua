--- The proxy as a whole: what it has served and refused, and how near its limits are.

local json = require("json")
local reply = require("registry.reply")

--- Counts by name, in the order of the names.
local function describe_counts(counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names)
  return json.pick(counts, names)
end

local HANDSHAKES = { "done", "resumed", "failed" }

local function describe_registry(registry)
  return json.object(
    "connections", registry.connections,
    "accepted", registry.accepted,
    "closed", describe_counts(registry.closed),
    "sessions", json.pick(registry.sessions, { "connected", "disconnected", "superseded" }),
    "sessions_dropped", registry.sessions_dropped,
    "routes", json.pick(registry.routes, { "live", "staged" }),
    "lines", registry.lines,
    "bad_lines", registry.bad_lines,
    "events", registry.events,
    "auth_failures", registry.auth_failures,
    "auth_delayed", registry.auth_delayed,
    "handshakes", json.pick(registry.handshakes, { "done", "failed" })
  )
end

local function describe_limits(limits)
  local described = {}
  for name, limit in pairs(limits) do
    described[name] = json.pick(limit, { "used", "limit", "refused" })
  end
  return describe_counts(described)
end

local CONNECTIONS = { "open", "open_tls", "open_http2", "accepted", "accept_pauses", "http2", "http2_streams" }

local function describe(status)
  return json.object(
    "version", status.version,
    "uptime_seconds", math.floor(status.uptime_ms / 1000),
    "workers", status.workers,
    "scripts_generation", status.scripts_generation,
    "connections", json.pick(status.connections, CONNECTIONS),
    "requests", status.requests,
    "refused", describe_counts(status.refused),
    "broken_off", describe_counts(status.broken_off),
    "closed", describe_counts(status.closed),
    "handshakes", json.pick(status.handshakes, HANDSHAKES),
    "registry", describe_registry(status.registry),
    "limits", describe_limits(status.limits),
    "buffer_bytes", status.buffer_bytes,
    "bodies_waited", status.bodies_waited,
    "log_lines_dropped", status.log_lines_dropped
  )
end

return {
  {
    name = "PROXY_STATUS",
    summary = "Say what the proxy as a whole has served and refused, and how near its limits are.",
    session = "none",
    args = {
      { "session_id", function(text) return text end, optional = true },
    },
    reply = "PROXY_STATUS_OK|{json}",
    since = "0.1",
    example = { "PROXY_STATUS", 'PROXY_STATUS_OK|{"version":"0.1","uptime_seconds":86400,"workers":2,...}' },
    notes = "For operators: it needs no session, and a session id is not looked at. A rule in the hook can say who "
      .. "may ask. Counts are exact sums over all workers since the start. refused: requests that the proxy "
      .. "answered itself, by reason, those without a route too; broken_off: requests that ended before their "
      .. "answer did; closed: ends of connections with clients and backends, and of HTTP/2 streams, by reason; "
      .. "only what is not zero is there. connections: open ones now, and how many there were; accept_pauses: how "
      .. "often there was no room for one more; handshakes: of TLS with clients. registry: the same for its own "
      .. "connections; lines are commands, bad_lines those that were too long or no text; sessions_dropped: idle "
      .. "ones that made room; auth_failures: wrong tokens, auth_delayed: lines without AUTH that had to wait for "
      .. "them. limits: each by the name of its setting (descriptors: what the process may have, less what is kept "
      .. "back; probes: checks of backends at a time, half of them of their health); where it holds for one "
      .. "connection, session or address, used is what the one that uses most does, or null. refused is how often it "
      .. "was met: lines of registry_lines waited, clients waited to be accepted (connections) or others made room "
      .. "(descriptors), probes waited. buffer_bytes: memory in buffers of connections. "
      .. "bodies_waited: how often a piece of a large body was left for the next turn of a worker's loop, so that "
      .. "other requests need not wait for it.",
    run = function(cmd)
      return reply.json("PROXY_STATUS_OK", describe(cmd.conn:proxy_status()))
    end,
  },
}
