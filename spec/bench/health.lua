--- What health checks cost: CPU time of the proxy's control thread with many routes at a short interval.
--
-- usage: luajit spec/bench/health.lua [ROUTES [INTERVAL [SECONDS]]]     default: 3000 1s 10
-- The backends are three processes of spec/support/origin_server.c; nothing else asks the proxy.

package.path = "./?.lua;" .. package.path
require("jit").off() -- the packaged LuaJIT now and then crashes in compiled code

local cjson = require("cjson")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local ROUTES, INTERVAL, SECONDS = tonumber(arg[1] or 3000), arg[2] or "1s", tonumber(arg[3] or 10)
local BATCH = 100

--- CPU time of the main thread, which is control, in seconds.
local function control_seconds(pid)
  local stat = sys.read_file(("/proc/%d/task/%d/stat"):format(pid, pid))
  local user, system = stat:match("%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)")
  return (user + system) / 100
end

local function add_routes(session, origins)
  for first = 1, ROUTES, BATCH do
    local list = {}
    for i = first, math.min(first + BATCH - 1, ROUTES) do
      list[#list + 1] = {
        domains = { "*" }, path = "/" .. i, backend_url = origins[i % #origins + 1].url, priority = 0,
      }
    end
    session:ok("ROUTE_ADD_BULK", cjson.encode(list))
  end
  session:ok("OPTIONS_SET", "ALL", "health_check_path", "/health")
  session:ok("OPTIONS_SET", "ALL", "health_check_interval", INTERVAL)
  session:ok("CONFIG_APPLY")
end

local function checks(session)
  local sum = 0
  for i = 1, ROUTES do
    local answer = session:ok("ROUTE_STATUS", "r" .. i)
    sum = sum + cjson.decode(answer).health.checks
  end
  return sum
end

local origins = { origin.process {}, origin.process {}, origin.process {} }
local p = proxy.start { workers = 1, config = { health_checks = true }, log_level = "warn" }
local session = p:registry()
session:register("bench", "one")
add_routes(session, origins)
loop.delay(5)
local asked, checks_before = loop.now(), checks(session)
local cpu, time = control_seconds(p.pid), loop.now()
loop.delay(SECONDS)
cpu, time = control_seconds(p.pid) - cpu, loop.now() - time
asked = loop.now() - asked -- from each route's first answer to its second
local rate = (checks(session) - checks_before) / asked
print(("%d routes, interval %s: %.0f checks a second, %.1f %% of a core, %.1f us a check"):format(
  ROUTES, INTERVAL, rate, cpu / time * 100, cpu / time / rate * 1e6))
cleanup.run(false)
