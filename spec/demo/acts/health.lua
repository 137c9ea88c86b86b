--- Health checks: a backend dies, traffic moves; a new one comes, traffic moves back.

local cast = require("spec.demo.cast")
local screen = require("spec.demo.screen")

local NAME = "shop-b"

local function draw(g)
  return function()
    return g:shop_lines(), nil
  end
end

local function show(g, mark)
  screen.show(g:shop_lines(), mark)
  screen.leave()
end

-- Registered under the same names, the new process supersedes the dead one's session.
local function restart(g)
  local service = cast.start_service(g.proxy, g.services[NAME].wanted, g.settings)
  g:replace_service(service)
  screen.say("  %s starts again (process %d), registers and waits for its first check", NAME, service.process.pid)
  local console = g:console(service)
  g:wait("a healthy " .. NAME, 30, function()
    return g:json(console, "ROUTE_STATUS", service.route).health.state == "healthy"
  end, draw(g))
end

return {
  name = "health",
  title = "Health checks: HEALTH_SET",
  text = "A shop's process is killed under load; three failed checks later it is down.",
  run = function(g, tally)
    local victim = g.services[NAME]
    screen.say("  $ kill -9 %d   (%s)", victim.process.pid, NAME)
    victim.process:signal("KILL")
    victim.process:wait_exit()
    g:wait_event("backend_health_changed", { instance = NAME, state = "down" }, 30, draw(g))
    g:pause(1.5, draw(g))
    show(g, "moved")
    g:promise((g.recent.from[NAME] or 0) == 0, "nothing comes from %s any more", NAME)
    g:promise_all_well(tally.all(), "after the kill")

    restart(g)
    g:pause(4, draw(g))
    show(g, "back")
    g:promise((g.recent.from[NAME] or 0) > 0, "%s serves again", NAME)
    g:promise_all_well(tally.all(), "over all")
  end,
}
