--- `make run`: the proxy with three services that register themselves, and live what happens.
--
-- Environment: DEMO_SECONDS ends the demo by itself after that time.

package.path = "./?.lua;" .. package.path

local cast = require("spec.demo.cast")
local http = require("spec.support.http")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local terminal = require("spec.demo.terminal")

local HOST = cast.HOST

local function say(format, ...)
  io.write(format:format(...), "\n")
  io.flush()
end

--- Calls fn with each new line of a growing file, each time it is called.
local function follower(path, fn)
  local position, rest = 0, ""
  return function()
    local file = io.open(path, "rb")
    if not file then
      return
    end
    file:seek("set", position)
    local text = file:read("*a")
    file:close()
    position = position + #text
    rest = rest .. text
    for line in rest:gmatch("([^\n]*)\n") do
      fn(line)
    end
    rest = rest:match("[^\n]*$")
  end
end

local function ms(value)
  return tonumber(value) and ("%.1f"):format(tonumber(value)) or "-"
end

-- One request's way: who asked for what, who answered, how long each part took.
local function show_request(line)
  local entry = log_line.parse(line)
  if not entry.status then
    return
  end
  local verdict = entry.verdict
  local answered = (not verdict or verdict == "" or verdict == "-")
    and ("%s/%s at %s"):format(entry.service or "-", entry.instance or "-", entry.member or "-")
    or ("the proxy itself (%s)"):format(verdict)
  say("request  %s  %s %s%s  route %s -> %s  %s  %s bytes  connect %s, first byte %s, total %s ms",
    entry.client or "-", entry.method or "-", entry.host or "", entry.path or "", entry.route or "-",
    answered, entry.status, entry.sent or "-", ms(entry.connect), ms(entry.first_byte),
    ms(entry.total))
end

local function show_log(line)
  say("log      %s", line)
end

local function start_service(p, wanted)
  local self = cast.start_service(p, wanted)
  say("%s (process %d) serves %s and registered it for %s%s as route %s.", self.instance,
    self.process.pid, self.url, HOST, self.path, self.route)
  return self
end

local function first_requests(p, follow)
  local port = p.address:match("%d+$")
  for _, path in ipairs({ "/", "/", "/api/hello", "/" }) do
    say("\n$ curl http://%s:%s%s", HOST, port, path)
    local response = http.get(p.url, { path = path, host = ("%s:%s"):format(HOST, port) })
    io.write(response.body)
    loop.delay(0.15) -- its line in the log
    follow()
  end
end

local function suggestions(p, services)
  local port, registry_port = p.address:match("%d+$"), p.registry_address:match("%d+$")
  local a = services[1]
  say("\nTry, in another terminal:")
  say("  curl http://%s:%s/               the two shops take turns", HOST, port)
  say("  curl http://%s:%s/api/hello      the service with a path of its own", HOST, port)
  say("  curl --cacert %s https://%s:%s/    the same with TLS", p.certificate, HOST,
    p.https_address:match("%d+$"))
  say("  curl -i http://nobody.localhost:%s/    an unknown host", port)
  say("  kill -9 %d    and ask again: the other shop answers", a.process.pid)
  say("  printf 'ROUTE_LIST|%s\\n' | nc -q1 127.0.0.1 %s", services[2].session, registry_port)
  say("  printf 'STATS_GET|%s|ALL\\n' | nc -q1 127.0.0.1 %s", services[2].session, registry_port)
  say("Ctrl-C ends everything.\n")
end

local function note_ends(services)
  for _, service in ipairs(services) do
    if not service.ended and not service.process:running() then
      service.ended = true
      say("service  %s has ended (%s)", service.instance,
        service.process.exit_signal or service.process.exit_code)
    end
  end
end

--- Shows what happens until the demo is told to end, its time is over or the proxy is gone.
local function watch(p, services, follow, started, parent_gone)
  local seconds = tonumber(os.getenv("DEMO_SECONDS"))
  while not parent_gone() and not (seconds and loop.now() - started >= seconds) do
    follow()
    note_ends(services)
    if not p.process:running() then
      error("the proxy has ended by itself", 0)
    end
    if terminal.wait_end(0.1) then
      return
    end
  end
end

local function main()
  local started, parent_gone = loop.now(), terminal.watch_parent()
  local p = cast.start_proxy(say)
  say("The proxy runs as process %d: HTTP on %s, HTTPS on %s, registry on %s.", p.pid, p.address,
    p.https_address, p.registry_address)
  local show_requests = follower(p.process.stdout, show_request)
  local show_logs = follower(p.process.stderr, show_log)
  local function follow()
    show_logs()
    show_requests()
  end
  local services = {}
  for i, wanted in ipairs(cast.SERVICES) do
    services[i] = start_service(p, wanted)
    follow()
  end
  first_requests(p, follow)
  suggestions(p, services)
  watch(p, services, follow, started, parent_gone)
  say("\nEnding: the services say good-bye, then the proxy stops.")
  cast.stop(p, services)
  follow()
end

if not terminal.run("demo", main) then
  os.exit(1)
end
say("Everything has ended.")
