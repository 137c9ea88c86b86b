--- What a health policy is told: the fields of check. See request.lua.

return {
  title = "A check's results (`check`)",
  kind = "health",
  owner = "check.",
  text = [[
What `judge(check)` of a health policy gets: a table. It returns a state (`"healthy"`, `"degraded"`, `"down"`),
  a reason (one word of
letters, digits, `_`, `-`, `.`, at most 63,
  or nil) and for `"degraded"` a share above 0 and at most 1; anything else is a failure. It is not asked about the
first result: passed is healthy, failed is down.]],
  entries = {
    {
      "check.results", "list of booleans", "The last results, newest first, at most 32.",
      judge = [[return check.results[1] and "healthy" or "down"]],
      given = [[{ results = "PPF" }]], expect = [[{ state = "down" }]],
    },
    {
      "check.count", "number, 2 to 32", "How many results there are.",
      judge = [[return "degraded", "new", check.count / 32]],
      given = [[{ results = "PPPP" }]], expect = [[{ state = "degraded", share = 0.125 }]],
    },
    {
      "check.passed", "number", "So many passed in a row, the newest included.",
      judge = [[return check.passed >= 3 and "healthy" or "down", "fresh"]],
      given = [[{ results = "FPP" }]], expect = [[{ state = "down", reason = "fresh" }]],
    },
    {
      "check.failed", "number", "So many failed in a row, the newest included; this or `passed` is 0.",
      judge = [[return check.failed >= 2 and "down" or "healthy"]],
      given = [[{ results = "PFF" }]], expect = [[{ state = "down" }]],
    },
    {
      "check.changes", "number", "How many of these results changed the state.",
      judge = [[if check.changes > 2 then
  return "degraded", "flaps", 0.5
end
return check.failed > 0 and "down" or "healthy"]],
      given = [[{ results = "PFPFP" }]], expect = [[{ state = "degraded", reason = "flaps" }]],
    },
    {
      "check.state", "text", "The state so far.",
      judge = [[return check.failed >= 3 and "down" or check.state, check.reason, check.share]],
      given = [[{ results = "PF" }]], expect = [[{ state = "healthy" }]],
    },
    {
      "check.reason", "text or nil", "The reason so far.",
      judge = [[if check.failed > 0 then
  return "down", check.error
end
return check.state, check.reason, check.share]],
      given = [[{ results = "PFP" }]], expect = [[{ state = "down", reason = "status_500" }]],
    },
    {
      "check.share", "number, 0 to 1", "The share so far: 1 while healthy, 0 while down.",
      judge = [[return "degraded", "less", math.max(check.share / 2, 0.1)]],
      given = [[{ results = "PPP" }]], expect = [[{ share = 0.25 }]],
    },
    {
      "check.since_ms", "number", "For so many milliseconds it has been in that state.",
      judge = [[return check.since_ms >= 60000 and "healthy" or "degraded", "warming_up", 0.5]],
      given = [[{ results = "PP", every = 1000 }]], expect = [[{ state = "degraded" }]],
    },
    {
      "check.latency_ms", "number", "Milliseconds that the newest check took.",
      judge = [[if check.latency_ms > 800 then
  return "degraded", "slow", 0.3
end
return "healthy"]],
      given = [[{ results = { "P", { latency_ms = 900, status = 200 } } }]],
      expect = [[{ state = "degraded", reason = "slow", share = 0.3 }]],
    },
    {
      "check.status", "number or nil", "Status of the newest answer; nil when none came.",
      judge = [[if check.status == 503 then
  return "degraded", "busy", 0.1
end
return check.state, check.reason, check.share]],
      given = [[{ results = { "P", { status = 503, error = "status_503" } } }]], expect = [[{ reason = "busy" }]],
    },
    {
      "check.error", "text or nil",
      "Why the newest failed: `connection_refused`, `timeout`, `status_503`, ...; nil when it passed.",
      judge = [[if check.error == "connection_refused" then
  return "down", check.error
end
return "healthy"]],
      given = [[{ results = { "P", { error = "connection_refused" } } }]],
      expect = [[{ state = "down", reason = "connection_refused" }]],
    },
  },
}
