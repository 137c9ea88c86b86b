--- A rate limit: a client that asks too much is told so, others notice nothing.

local cast = require("spec.demo.cast")
local loop = require("spec.support.loop")
local screen = require("spec.demo.screen")
local traffic = require("spec.demo.traffic")

local REQUESTS, REFUSALS, SOURCE = 50, 70, "127.0.0.9"
local FIELDS = { "Retry-After", "RateLimit", "RateLimit-Policy", "Proxy-Status" }

-- A client that asks as fast as it can until it was refused often enough.
-- @return its last refusal, how many seconds it took
local function be_greedy(g, tally)
  local started, refusal = loop.now(), nil
  local client = traffic.start {
    url = g.proxy.url, host = cast.HOST, path = "/api/hello", rate = 1000, clients = 6, source = SOURCE,
    on_answer = function(response)
      refusal = response.status == 429 and response or refusal
    end,
  }
  tally.extra = client:count()
  g:wait("answers 429", 30, function()
    return (tally.extra.statuses[429] or 0) >= REFUSALS
  end)
  client:stop()
  return refusal, loop.now() - started
end

return {
  name = "limit",
  title = "A rate limit: RATELIMIT_SET",
  text = ("%d requests a second for each source address; one of them sends far more."):format(REQUESTS),
  run = function(g, tally)
    local api = g.services["api-a"]
    local console = g:console(api)
    screen.say("  > RATELIMIT_SET|...|%s|%d|1s   > CONFIG_APPLY", api.route, REQUESTS)
    console:ok("RATELIMIT_SET", api.route, REQUESTS, "1s")
    console:ok("CONFIG_APPLY")
    g:pause(1)

    local refusal, seconds = be_greedy(g, tally)
    local passed = tally.extra.statuses[200] or 0
    screen.say("\n  the greedy client gets, at first %d times 200, then", REQUESTS)
    g.print_answer(refusal, FIELDS, "address")
    g:promise(refusal.headers["RateLimit"] and tally.extra.unmarked == 0, "429 says when to come again")
    g:promise(passed >= REQUESTS and passed <= REQUESTS * (1 + seconds) + 1,
      "%d of its %d requests passed in %.2f s; %d at once and %d a second may", passed, tally.extra.answers,
      seconds, REQUESTS, REQUESTS)
    g:promise_all_well(traffic.merge(traffic.merge(traffic.tally(), tally.shop), tally.api), "for everybody else")
  end,
}
