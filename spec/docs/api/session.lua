--- A session's handle. See request.lua; setup is what is said before the example's own lines (spec/docs/api.lua).

return {
  title = "The session (`cmd.session`)",
  kind = "commands",
  owner = "session",
  text = [[
A handle for the length of one call. What can be refused in the normal course of things returns `nil, reason`, for
the command to hand on. All methods raise for arguments of another type and, once the session has gone, with `stale
handle`. Times are wall clock, milliseconds since 1970, durations milliseconds. What **waits** is the last thing
`run` does; its result goes to `finish`.]],
  entries = {
    {
      "session:id()", "text", "The session id: 32 hexadecimal digits, a secret of the service.",
      run = [[return reply.ok("EXAMPLE_OK", #cmd.session:id())]], talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|32" },
    },
    {
      "session:info()", "table",
      "`session_id`, `service_name`, `instance_name`: texts; `connected_at_ms`, `last_activity_ms`; "
        .. "`last_apply_ms`: nil when never; "
        .. "`uptime_seconds`, `routes_active`, `routes_staged`: numbers; `metadata`: JSON text or nil.",
      run = [[local info = cmd.session:info()
return reply.ok("EXAMPLE_OK", info.service_name, info.instance_name, info.routes_active)]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|shop|shop-1|1" },
    },
    {
      "session:touch()", "nothing", "Counts as activity of the session; done for every command.",
      run = [[cmd.session:touch()
return reply.ok("EXAMPLE_OK")]], talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "session:add_routes(routes)", "list of route ids; nil, reason, index of the refused one", "Stages "
        .. "routes: all or none.",
      takes = "routes: list of `{ domains = list of texts, path = text, backend_url = text, priority = whole "
        .. "number or nil }`",
      errors = "raises when a field is of another type; the index is nil where all together are more than a limit",
      run = [[local ids, err = cmd.session:add_routes({
  { domains = { "shop.example" }, path = "/", backend_url = "http://127.0.0.1:9000" },
  { domains = { "shop.example" }, path = cmd.path, backend_url = "http://127.0.0.1:9001", priority = 1 },
})
if not ids then
  return nil, err
end
return reply.ok("EXAMPLE_OK", table.concat(ids, ","))]],
      fields = [[{ "path", check.text }]],
      talk = {
        "> EXAMPLE|<sid>|no-path", "< ERROR|*path*", "> EXAMPLE|<sid>|/api", "< EXAMPLE_OK|r*,r*",
      },
    },
    {
      "session:update_route(route, field, value)", "true; nil, reason", "Stages another value of a staged or "
        .. "live route.",
      takes = "route: id; field: text: `domains`, `path`, `backend_url` or `priority`; value: text, as in "
        .. "ROUTE_UPDATE",
      run = [[local ok, err = cmd.session:update_route("r1", "path", "/api")
if not ok then
  return nil, err
end
return reply.ok("EXAMPLE_OK")]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "session:remove_route(route)", "true; nil, reason", "Stages the end of a route.", takes = "route: id",
      run = [[local ok, err = cmd.session:remove_route("r7")
if not ok then
  return nil, err
end
return reply.ok("EXAMPLE_OK")]],
      talk = { "> EXAMPLE|<sid>", "< ERROR|route not found" },
    },
    {
      "session:put(scope, target, key, value)", "true; nil, reason", "Stages a setting.",
      takes = "scope: text: `headers`, `options`, `health`, `ratelimit`, `circuit`; target: `ALL` or a route "
        .. "id; key, value: texts; "
        .. "for the last three scopes key is `\"\"` and value made by `require(\"setting\")`",
      errors = "raises for another scope",
      run = [[local ok, err = cmd.session:put("options", "ALL", "timeout", "10s")
if not ok then
  return nil, err
end
return reply.ok("EXAMPLE_OK")]],
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "session:drop(scope, target, key)", "true; nil, reason", "Stages the end of a setting.", takes = "as put",
      errors = "raises for another scope",
      run = [[local ok, err = cmd.session:drop("headers", "ALL", "X-None")
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      talk = { "> EXAMPLE|<sid>", "< ERROR|headers not set: X-None" },
    },
    {
      "session:routes()", "list of tables",
      "`route_id`, `path`, `backend`: texts; `domains`: list; `priority`: number; `status`: `active`, `staged` "
        .. "or `pending_removal`.",
      run = [[local route = cmd.session:routes()[1]
return reply.ok("EXAMPLE_OK", route.route_id, route.domains[1] .. route.path, route.status)]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|r1|shop.example/|staged" },
    },
    {
      "session:active_routes()", "list of route ids", "Those that are live.",
      run = [[return reply.ok("EXAMPLE_OK", #cmd.session:active_routes())]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|1" },
    },
    {
      "session:route_exists(route)", "boolean", "Is there a staged or live route of this id?", takes = "route: text",
      run = [[return reply.ok("EXAMPLE_OK", tostring(cmd.session:route_exists("r1")))]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|true" },
    },
    {
      "session:staged_places()", "list of tables", "`route_id`, `domain`, `path`: what the next apply would "
        .. "have live.",
      run = [[local place = cmd.session:staged_places()[1]
return reply.ok("EXAMPLE_OK", place.domain, place.path)]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|shop.example|/" },
    },
    {
      "session:taken()", "table or nothing",
      "The first place that the next apply would take from another service: `route_id`, `domain`, `path`, `owner`.",
      run = [[local place = cmd.session:taken()
return reply.ok("EXAMPLE_OK", place and place.owner or "nobody")]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|nobody" },
    },
    {
      "session:owner(domain, path)", "text or nothing", "The other service that has the place live.",
      takes = "domain: text in small letters; path: text",
      run = [[return reply.ok("EXAMPLE_OK", cmd.session:owner("shop.example", "/") or "nobody")]],
      setup = "live", talk = { "blog> EXAMPLE|<sid>", "blog< EXAMPLE_OK|shop" },
    },
    {
      "session:validate()", "true; nil, reason", "Could what is staged be applied?",
      run = [[local ok, err = cmd.session:validate()
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "session:apply(scopes)", "waits; nil, reason", "Makes what is staged live. `finish` runs once every "
        .. "worker serves it.",
      takes = "scopes: list of texts (`routes`, `headers`, `options`, `health`, `ratelimit`, `circuit`), nil for all",
      run = [[return cmd.session:apply({ "routes" })]], finish = [[return reply.ok("EXAMPLE_OK")]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
    {
      "session:rollback()", "true", "Drops what is staged.",
      run = [[cmd.session:rollback()
return reply.ok("EXAMPLE_OK", #cmd.session:routes())]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|0" },
    },
    {
      "session:diff()", "table",
      "`routes`: `{ added =, removed =, modified = lists of ids }`; every other scope: the same with numbers.",
      run = [[local diff = cmd.session:diff()
return reply.ok("EXAMPLE_OK", diff.routes.added[1], diff.headers.added)]],
      setup = "staged", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|r1|0" },
    },
    {
      "session:route_status(route)", "table; nil, reason",
      "All that ROUTE_STATUS says, times as numbers in fields that end in `_ms`; `settings.health`, "
        .. "`.ratelimit`, `.circuit` are texts "
        .. "for `setting.describe`.",
      takes = "route: id",
      run = [[local status, err = cmd.session:route_status("r1")
if not status then
  return nil, err
end
return reply.ok("EXAMPLE_OK", status.status, status.backend, status.effective.use)]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|active|http://127.0.0.1:9000|full" },
    },
    {
      "session:stats(route)", "table; nil, reason", "All that STATS_GET says; latencies in milliseconds, sizes "
        .. "in bytes.",
      takes = "route: id",
      run = [[local stats = cmd.session:stats("r1")
return reply.ok("EXAMPLE_OK", stats.requests, stats.rejected.drain, stats.p99_latency_ms)]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|0|0|0" },
    },
    {
      "session:circuit_status(route)", "table; nil, reason",
      "`state`: `closed`, `open` or `half-open`; `failures`, `successes`, `maintenance_hits`, "
        .. "`drain_rejected`, `drain_remaining_seconds`: numbers; "
        .. "`healthy`, `draining`, `in_maintenance`: booleans; `opened_at_ms`, `last_failure_ms`, "
        .. "`next_attempt_ms`, `drain_started_at_ms`: nil when there is none.",
      takes = "route: id",
      run = [[local circuit = cmd.session:circuit_status("r1")
return reply.ok("EXAMPLE_OK", circuit.state, circuit.failures, tostring(circuit.healthy))]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|closed|0|true" },
    },
    {
      "session:circuit_reset(route)", "true; nil, reason", "Closes the circuit.", takes = "route: id",
      run = [[local ok, err = cmd.session:circuit_reset("r9")
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< ERROR|route not found" },
    },
    {
      "session:drain(ms)", "number: when it will be over, wall clock ms; nil, reason", "Turns requests away, "
        .. "from none to all in that time.",
      takes = "ms: number, from 0 on", errors = "raises for what is no duration",
      run = [[local ends_at, err = cmd.session:drain(60000)
if not ends_at then
  return nil, err
end
return reply.ok("EXAMPLE_OK", json.time(ends_at))]],
      setup = "live",
      talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|20*Z", "> EXAMPLE|<sid>", "< ERROR|drain already in progress" },
    },
    {
      "session:drain_status()", "table; nil, reason",
      "`started_at_ms`, `duration_ms`, `elapsed_ms`; `traffic_percent`: what still passes; `in_flight`: "
        .. "requests; `completed`: boolean.",
      run = [[local status, err = cmd.session:drain_status()
if not status then
  return nil, err
end
return reply.ok("EXAMPLE_OK", status.duration_ms)]],
      setup = "live",
      talk = { "> EXAMPLE|<sid>", "< ERROR|no drain in progress", "> DRAIN_START|<sid>|1m", "< DRAIN_OK|*", "> "
        .. "EXAMPLE|<sid>", "< EXAMPLE_OK|60000" },
    },
    {
      "session:drain_cancel()", "true; nil, reason", "Ends the drain.",
      run = [[local ok, err = cmd.session:drain_cancel()
return ok and reply.ok("EXAMPLE_OK") or nil, err]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< ERROR|no drain in progress" },
    },
    {
      "session:maintenance_enter(target, page_url, reason, ms, txn)", "waits; nil, reason",
      "Puts routes into maintenance. `finish` makes the `ACK`; what comes later, `MAINT_OK` or an error, is "
        .. "the proxy's.",
      takes = "target: text as in MAINT_ENTER; page_url, reason: text or nil; ms: how long it is expected to "
        .. "take, number or nil; txn: `cmd.txn`",
      errors = "raises for what is no duration",
      run = [[return cmd.session:maintenance_enter("ALL", nil, "new disks", 60000, cmd.txn)]],
      finish = [[return reply.ok("ACK")]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< ACK", "< MAINT_OK|ALL" },
    },
    {
      "session:maintenance_exit(target, force, txn)", "waits; nil, reason", "Takes them out again.",
      takes = "target: text as in MAINT_EXIT; force: boolean: wait for no backend; txn: `cmd.txn`",
      run = [[return cmd.session:maintenance_exit("ALL", true, cmd.txn)]], finish = [[return reply.ok("ACK")]],
      setup = "live",
      talk = { "> MAINT_ENTER|<sid>|ALL", "< ACK", "< MAINT_OK|ALL", "> EXAMPLE|<sid>", "< ACK", "< MAINT_OK|ALL" },
    },
    {
      "session:maintenance_status()", "table",
      "`in_maintenance`: list of route ids; `maintenance_backend`, `reason`, `waiting`: texts or nil; "
        .. "`entered_at_ms`, `expected_end_ms`: nil when unknown.",
      run = [[return reply.ok("EXAMPLE_OK", #cmd.session:maintenance_status().in_maintenance)]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK|0" },
    },
    {
      "session:shutdown()", "waits", "The session and its routes are gone; `finish` runs once no worker serves "
        .. "them, then the connection closes.",
      run = [[return cmd.session:shutdown()]], finish = [[return reply.ok("EXAMPLE_OK")]],
      setup = "live", talk = { "> EXAMPLE|<sid>", "< EXAMPLE_OK" },
    },
  },
}
