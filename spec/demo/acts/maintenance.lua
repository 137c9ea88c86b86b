--- Maintenance: of one member, of the whole service, and what clients get instead.

local screen = require("spec.demo.screen")

local SHOPS = { "shop-a", "shop-b" }
local FIELDS = { "Content-Type", "Retry-After", "X-Maintenance-Mode", "Proxy-Status" }

-- What is asked for comes as two lines: ACK when it is in force, MAINT_OK when all is as wanted.
local function command(console, instance, ...)
  screen.say("  > %s|...|ALL  (%s)", (...), instance)
  screen.say("  < %s, %s", console:ok(...) == "" and "ACK", console:next_event())
end

local function show_pages(g)
  screen.say("\n  a browser gets")
  local html = g:get("/", "text/html,*/*;q=0.8")
  g.print_answer(html, FIELDS, "<title>")
  screen.say("  a program that asks for JSON gets")
  local json = g:get("/", "application/json")
  g.print_answer(json, { "Content-Type" }, "{")
  g:promise(html.status == 503 and json.status == 503 and html.headers["X-Maintenance-Mode"] == "true"
    and json.body:find('"maintenance"', 1, true), "503 that says why, in the client's own format")
end

-- Who answers right after the ACK?
local function promise_in_force(g, instance)
  local reached = 0
  for _ = 1, 8 do
    reached = reached + (g:get("/", "*/*").body:find(instance, 1, true) and 1 or 0)
  end
  g:promise(reached == 0, "of eight requests made after the ACK %d reached %s", reached, instance)
end

return {
  name = "maintenance",
  title = "Maintenance: MAINT_ENTER, MAINT_EXIT",
  text = "First one shop, which nobody notices; then the whole service.",
  run = function(g, tally)
    local consoles = {}
    for i, instance in ipairs(SHOPS) do
      consoles[i] = g:console(g.services[instance])
    end
    command(consoles[1], SHOPS[1], "MAINT_ENTER", "ALL", "", "Counting the stock", "10m")
    promise_in_force(g, SHOPS[1])
    g:pause(1.5)
    g:promise_all_well(tally.all(), "with one of two in maintenance")
    command(consoles[2], SHOPS[2], "MAINT_ENTER", "ALL", "", "Counting the stock", "10m")
    show_pages(g)
    g:pause(1.5)
    for i, instance in ipairs(SHOPS) do
      command(consoles[i], instance, "MAINT_EXIT", "ALL")
    end
    local after = g.shop:count()
    g:pause(1.5)
    g.shop:uncount(after)
    local all = tally.all()
    g:promise(all.failed == 0 and all.unmarked == 0, "%d clients got the page, each with Retry-After; none failed",
      all.statuses[503] or 0)
    g:promise_all_well(after, "after the exit")
  end,
}
