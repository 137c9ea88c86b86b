--- A circuit breaker: a service that starts to fail is left alone, tried again, and back when it is well.

local http = require("spec.support.http")
local screen = require("spec.demo.screen")

local THRESHOLD, OPEN_SECONDS, PROBES = 5, 2, 2

local function wait_change(g, to, cause)
  return g:wait_event("circuit_changed", { to = to, cause = cause }, 30)
end

return {
  name = "circuit",
  title = "A circuit: CIRCUIT_BREAKER_SET",
  text = ("%d failures in a row open it for a while; then %d good probes close it."):format(THRESHOLD, PROBES),
  run = function(g, tally)
    local api = g.services["api-a"]
    local console = g:console(api)
    console:ok("CIRCUIT_BREAKER_SET", api.route, THRESHOLD, g:duration(OPEN_SECONDS), PROBES)
    console:ok("CONFIG_APPLY")
    screen.say("  > CIRCUIT_BREAKER_SET|...|%s|%d|%s|%d   > CONFIG_APPLY", api.route, THRESHOLD,
      g:duration(OPEN_SECONDS), PROBES)
    g:pause(1)
    g:promise_all_well(tally.all(), "so far")

    screen.say("  api-a breaks: it answers 500 from now on")
    http.get(api.url .. "/break")
    wait_change(g, "open", "failures in a row")
    screen.say("\n  a client of /api gets, from the proxy itself")
    local refused = g:get("/api/hello", "text/plain")
    g.print_answer(refused, { "Retry-After", "X-Circuit-State", "Proxy-Status" }, "backend")
    g:promise(refused.status == 503 and refused.headers["X-Circuit-State"] == "open",
      "503 at once, with the time to come again: the broken service is left alone")

    wait_change(g, "half-open", "the open time is over")
    wait_change(g, "open", "a probe failed")
    screen.say("  one failed probe opens it again, for longer; api-a is mended meanwhile")
    http.get(api.url .. "/mend")
    wait_change(g, "closed", "probes passed")
    local after = g.api:count()
    g:pause(1)
    g.api:uncount(after)
    local failures = tally.api.statuses[500] or 0
    local most = THRESHOLD + g.api.clients + PROBES
    g:promise(failures >= THRESHOLD and failures <= most, "clients saw %d answers 500 (%d to %d are due), and %d "
      .. "times 503", failures, THRESHOLD, most, tally.api.statuses[503] or 0)
    g:promise(tally.shop.statuses[200] == tally.shop.answers and tally.all().failed == 0,
      "the shops' clients noticed nothing: %d answers, all of them 200", tally.shop.answers)
    g:promise_all_well(after, "after it closed")
  end,
}
