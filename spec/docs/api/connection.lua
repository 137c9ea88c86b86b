--- A connection's handle, and the rest of cmd. See session.lua.

return {
  title = "The connection (`cmd.conn`)",
  kind = "commands",
  owner = "conn",
  text = [[
A handle for the length of one call; `stale handle` once the connection is closed. Beside it `cmd` has `name` (never
the alias), `session`, `session_id`, `txn` (the transaction id or nil) and each argument under its name.]],
  entries = {
    {
      "conn:session()", "session or nothing", "The session that it is bound to.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:session():info().service_name)]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|shop" },
    },
    {
      "conn:find(session_id)", "session or nothing; nil, reason", "A living session.",
      takes = "session_id: text",
      errors = "nil, reason: the connection's certificate is for another service",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:find("00") and "there" or "unknown")]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|unknown" },
    },
    {
      "conn:register(service, instance, port, metadata)", "session; nil, reason",
      "A new session, bound to the connection.",
      takes = "service, instance: text; port: 0 to 65535 or nil; metadata: JSON text or nil",
      errors = "raises for what is no port; nil, reason: the connection's certificate is for another service",
      run = [[local session = cmd.conn:register("blog", "blog-1", 0)
return reply.ok("EXAMPLE_OK", session:info().service_name)]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|blog" },
    },
    {
      "conn:reconnect(session_id)", "true or nothing; nil, reason",
      "Binds the connection to a living session; nothing: it is unknown.",
      takes = "session_id: text", errors = "nil, reason: the connection's certificate is for another service",
      run = [[return reply.ok(cmd.conn:reconnect("00") and "OK" or "REREGISTER")]],
      talk = { "> EXAMPLE|<sid>", "< REREGISTER" },
    },
    {
      "conn:certificate()", "list of texts or nothing",
      "The names in the client's verified certificate: DNS names, then its CN; nothing: it showed none.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:certificate() and "certified" or "none")]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|none" },
    },
    {
      "conn:authorized()", "boolean", "Was AUTH right, or is no token needed?",
      run = [[return reply.ok("EXAMPLE_OK", tostring(cmd.conn:authorized()))]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|true" },
    },
    {
      "conn:auth(token)", "true; nil, reason", "Authorizes the connection if the token is right.",
      takes = "token: text",
      run = [[local ok, err = cmd.conn:auth("secret")
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "conn:subscribe(type, session)", "true; nil, reason", "The connection gets these events from now on.",
      takes = "type: text, as in SUBSCRIBE; session: whose events, where the connection is bound to none",
      run = [[local ok, err = cmd.conn:subscribe("drain_completed")
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      setup = "live",
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK", "> DRAIN_START|<sid>|0", "< DRAIN_OK|*", "< "
        .. "EVENT|drain_completed|*" },
    },
    {
      "conn:unsubscribe(type, session)", "true; nil, reason", "No longer.", takes = "as subscribe",
      run = [[local ok, err = cmd.conn:unsubscribe("weather")
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      talk = { "> EXAMPLE|<sid>", "< ERROR|unknown event type: weather" },
    },
    {
      "conn:probe(url, ms)", "waits; nil, reason",
      "Asks a backend. Result: `reachable`: boolean; `response_time_ms`; `status_code`, `tls`, `tls_valid` "
        .. "when it answered, else `error`: text.",
      takes = "url: text; ms: 1 to 600000, the longest wait", errors = "raises for another wait",
      run = [[return cmd.conn:probe("http://127.0.0.1:1/", 1000)]],
      finish = [[return reply.ok("EXAMPLE_OK", tostring(result.reachable))]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|false" },
    },
    {
      "conn:peer()", "text", "The client's address, `127.0.0.1:5555`.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:peer():match("^(.*):"))]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|127.0.0.1" },
    },
    {
      "conn:scripts_reload()", "waits", "Reads the scripts anew. Result: `generation`: number; `changed`: boolean.",
      run = [[return cmd.conn:scripts_reload()]],
      finish = [[return reply.ok("EXAMPLE_OK", tostring(result.changed))]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|false" },
    },
    {
      "conn:scripts_status()", "table",
      "As SCRIPTS_STATUS writes it: `generation`, `since_ms`, `failures`, `last_good`, "
        .. "`taken_back_generation`: numbers; `directory`: text; `watched`: boolean; "
        .. "`files`, `policies_off`, `request_policies_off`: lists; `last_failure`, `refused`, `taken_back`: "
        .. "`{ file =, line =, reason "
        .. "=, at_ms = }` or nil.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:scripts_status().generation)]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|1" },
    },
    {
      "conn:certificates()", "list of tables",
      "The certificates that listeners have: `file`, `key` (its kind), `fingerprint`: texts; `names`: list; "
        .. "`not_before_ms`, "
        .. "`not_after_ms`, `days_left`: numbers; `stapled`: boolean; `stapled_until_ms`: number or nil.",
      run = [[return reply.ok("EXAMPLE_OK", #cmd.conn:certificates())]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|0" },
    },
    {
      "conn:handshakes()", "table", "TLS handshakes with clients since the start: `done`, `resumed` (of "
        .. "these), `failed`.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:handshakes().done)]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|0" },
    },
    {
      "conn:proxy_status()", "table",
      "All that the proxy counts, with all workers, since the start: `version`: text; `uptime_ms`, `workers`, "
        .. "`requests`, `buffer_bytes` (in use), `bodies_waited`, `log_lines_dropped`, `scripts_generation`: numbers; "
        .. "`connections`: `{ open =, open_tls =, open_http2 =, accepted =, accept_pauses =, http2 =, "
        .. "http2_streams = }`; `handshakes` as of `conn:handshakes()`; `refused`, `broken_off`, `closed`: tables "
        .. "of numbers by name, without those that are 0; `limits`: `{ used = (or nil), limit =, refused = }` by "
        .. "name; `registry`: `connections` (open), `accepted`, `lines`, `sessions_dropped`, `bad_lines`, "
        .. "`events`, `auth_failures`, `auth_delayed`: numbers; `closed`, `handshakes` as above; `sessions`: `{ "
        .. "connected =, disconnected =, superseded = }`; `routes`: `{ live =, staged = }`.",
      run = [[return reply.ok("EXAMPLE_OK", cmd.conn:proxy_status().registry.sessions.connected)]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|1" },
    },
    {
      "conn:close()", "nothing", "Closes the connection once the answer is written.",
      run = [[cmd.conn:close()
return reply.ok("BYE")]],
      talk = { "> EXAMPLE|<sid>", "< BYE" },
    },
  },
}
