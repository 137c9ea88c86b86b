--- From exec to the first served request, with 10,000 routes: in the configuration file, and by a service that
-- registers them as soon as there is a registry.

local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local peers = require("spec.bench.peers")
local place = require("spec.bench.place")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local registration = require("spec.bench.registration")
local registry = require("spec.support.registry")
local socket = require("socket")
local statistics = require("spec.bench.statistics")
local sys = require("spec.support.sys")

local ROUTES, MOST_MS = 10000, 200
local REQUEST = ("GET / HTTP/1.1\r\nHost: h%d.example\r\nConnection: close\r\n\r\n"):format(ROUTES)

local function config_text(routes, origin)
  local lines, url = { "health_checks = false", "routes = {" }, "http://127.0.0.1:" .. origin
  for i = 1, routes do
    lines[#lines + 1] = ('{ domains = "h%d.example", path = "/", backend_url = "%s" },'):format(i, url)
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

--- Tries until it is connected.
local function connect(run, port)
  local deadline = sys.now() + 30
  while run:running() and sys.now() < deadline do
    local sock = socket.connect("127.0.0.1", port)
    if sock then
      return sock
    end
    loop.delay(.0005)
  end
  error("nobody listens: " .. run:output(), 0)
end

--- Asks until the answer is 200.
local function ask(run, port)
  local deadline = sys.now() + 30
  repeat
    local sock = connect(run, port)
    sock:settimeout(30)
    sock:send(REQUEST)
    local line = sock:receive("*l")
    sock:close()
    if line and line:find(" 200 ", 1, true) then
      return
    end
  until sys.now() > deadline
  error("no answer of 200: " .. run:output(), 0)
end

local function launch(config)
  local http, control = place.port(), place.port()
  local dir = sys.temp_dir()
  sys.write_file(dir .. "/tidelock.lua", config)
  local started = sys.now()
  local run = process.start(place.on(nil, proxy.binary, "--config", dir .. "/tidelock.lua",
    "--http", "127.0.0.1:" .. http, "--registry", "127.0.0.1:" .. control, "--log-level", "warn"),
    { name = "tidelock", dir = dir })
  run.own_dir = true
  return run, http, control, started
end

local function from_file(config)
  local run, http, _, started = launch(config)
  ask(run, http)
  local took = sys.now() - started
  run:cleanup()
  cleanup.remove(run)
  return took * 1000
end

--- The lines wait for the registry, not the other way round.
local function from_registry(lines)
  local run, http, control, started = launch("health_checks = false\n")
  connect(run, control):close()
  local session = registry.connect("127.0.0.1:" .. control)
  session:register("bench", "one")
  local text = {}
  for i, line in ipairs(lines) do
    text[i] = session:format("ROUTE_ADD_BULK", line)
  end
  text[#text + 1] = session:format("CONFIG_APPLY")
  session:send(table.concat(text, "\n") .. "\n")
  for _ = 1, #text do
    local answer = session:receive()
    assert(not answer:find("^ERROR"), answer)
  end
  ask(run, http)
  local took = sys.now() - started
  session:close()
  run:cleanup()
  cleanup.remove(run)
  return took * 1000
end

local function row(name, what, target, rounds, once, input)
  once(input) -- reads the disk
  local times = {}
  for round = 1, rounds do
    times[round] = once(input)
  end
  local low, mid, high = statistics.spread(times)
  return { work = name, what = what, unit = "ms", ours = mid, low = low, mid = mid, high = high, target = target,
    rounds = times }
end

local function run_file(bench)
  local origin = peers.origin { size = 1024 }
  return { row("start", "exec to 200", MOST_MS, bench.rounds, from_file, config_text(ROUTES, origin)) }
end

local function run_registry(bench)
  local origin = peers.origin { size = 1024 }
  local lines = registration.lines("hosts", ROUTES, origin)
  return { row("start_registry", "exec to 200", nil, bench.rounds, from_registry, lines) }
end

return {
  { name = "start", summary = "exec to the first served request, 10,000 routes in the file", run = run_file },
  { name = "start_registry", summary = "the same with 10,000 routes that a service registers", run = run_registry },
}
