--- `make run TOUR=1`: a guided tour with the real proxy, real services and clients that never stop asking.
--
-- usage: luajit spec/demo/tour.lua [SCALE]
--
-- SCALE (default 1) shortens all times: 0.3 runs in a third. Exit status: 0 when all promises were kept, 1 when not,
-- 130 when it was interrupted.

package.path = "./?.lua;" .. package.path
require("jit").off() -- as for the specs, see spec/support/helper.lua

local cast = require("spec.demo.cast")
local guide = require("spec.demo.guide")
local screen = require("spec.demo.screen")
local summary = require("spec.demo.summary")
local terminal = require("spec.demo.terminal")
local traffic = require("spec.demo.traffic")

local ACTS = { "steady", "drain", "maintenance", "circuit", "limit", "health" }
local SHOP_RATE, API_RATE = 200, 20

local acts = {}
for i, name in ipairs(ACTS) do
  acts[i] = require("spec.demo.acts." .. name)
end

local function start_services(p, settings)
  local services, by_instance = {}, {}
  for i, wanted in ipairs(cast.SERVICES) do
    local service = cast.start_service(p, wanted, settings)
    services[i], by_instance[wanted.instance] = service, service
    screen.say("%s (process %d) has registered %s%s.", service.instance, service.process.pid, cast.HOST, service.path)
  end
  return services, by_instance
end

local function start_traffic(p, path, rate, clients)
  return traffic.start { url = p.url, host = cast.HOST, path = path, rate = rate, clients = clients }
end

-- What clients saw during an act: of the shops, of the api, and of requests that the act made itself.
local function count(g)
  local tally = { shop = g.shop:count(), api = g.api:count(), extra = traffic.tally() }
  tally.all = function()
    local all = traffic.tally()
    for _, part in ipairs({ tally.shop, tally.api, tally.extra }) do
      traffic.merge(all, part)
    end
    return all
  end
  return tally
end

local function run_act(g, number, act)
  screen.title(("%d. %s"):format(number, act.title))
  screen.say("%s\n", act.text)
  local broken, tally = g.broken, count(g)
  act.run(g, tally)
  g.shop:uncount(tally.shop)
  g.api:uncount(tally.api)
  screen.leave()
  return { name = act.name, tally = tally.all(), broken = g.broken - broken }
end

local function run_acts(g)
  local rows = {}
  for _, service in pairs(g.services) do
    g:listen(service)
  end
  for number, act in ipairs(acts) do
    rows[number] = run_act(g, number, act)
  end
  screen.title("What clients saw")
  summary.print(rows)
end

local function tour(scale)
  local parent_gone = terminal.watch_parent()
  local p = cast.start_proxy(screen.say)
  screen.say("The proxy (process %d): HTTP on %s, registry on %s.", p.pid, p.address, p.registry_address)
  local settings = { health_interval = ("%dms"):format(500 * scale), slow_start = ("%dms"):format(3000 * scale) }
  local services, by_instance = start_services(p, settings)
  local g = guide.new {
    proxy = p, services = by_instance, settings = settings, scale = scale, parent_gone = parent_gone,
    shop = start_traffic(p, "/", SHOP_RATE, 6), api = start_traffic(p, "/api/hello", API_RATE, 2),
    replace_service = function(_, service)
      for i, old in ipairs(services) do
        services[i] = old.instance == service.instance and service or old
      end
      by_instance[service.instance] = service
    end,
  }
  local ok, err = pcall(run_acts, g)
  if not ok and err ~= guide.INTERRUPTED then
    error(err, 0)
  end
  g.shop:stop()
  g.api:stop()
  cast.stop(p, services)
  return ok and g.broken or nil
end

local scale = tonumber(arg[1]) or 1
local broken
local well = terminal.run("tour", function()
  broken = tour(math.max(0.05, scale))
end)
if well and not broken then
  screen.leave()
  screen.say("Interrupted; everything has ended.")
  os.exit(130)
elseif not well or broken > 0 then
  screen.say(well and ("%d promises were broken."):format(broken) or "The tour has failed.")
  os.exit(1)
end
screen.say("All promises were kept. Everything has ended.")
