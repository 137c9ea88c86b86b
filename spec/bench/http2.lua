--- What HTTP/2 costs: CPU time of the proxy for a request, by the versions that client and backend speak.
--
-- usage: luajit spec/bench/http2.lua [ROUNDS [REQUESTS [CLIENTS [STREAMS]]]]     default: 5 100000 8 16
-- Generator: h2load (streams of a client: with HTTP/1.1 as many connections). Backends: spec/support/origin_server.c
-- and nghttpd, both with 1 KiB. The proxy has core 0, all else core 1. Rounds go in turn; the median counts.

package.path = "./?.lua;" .. package.path
require("jit").off() -- the packaged LuaJIT now and then crashes in compiled code

local cleanup = require("spec.support.cleanup")
local cpu = require("spec.bench.cpu")
local nghttpd = require("spec.support.nghttpd")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local ROUNDS, REQUESTS = tonumber(arg[1] or 5), tonumber(arg[2] or 100000)
local CLIENTS, STREAMS = tonumber(arg[3] or 8), tonumber(arg[4] or 16)
local PATHS = { ["HTTP/1.1"] = "/one", ["HTTP/2"] = "/two" }

local function pin(pid, core)
  os.execute(("taskset -a -p -c %d %d >/dev/null"):format(core, pid))
end

local function run(p, client, backend)
  local http1 = client == "HTTP/1.1"
  local before = cpu.of(p.pid)
  local command = ("taskset -c 1 h2load %s -n %d -c %d -m %d http://%s%s/k 2>&1"):format(
    http1 and "--h1" or "", REQUESTS, http1 and CLIENTS * STREAMS or CLIENTS, http1 and 1 or STREAMS, p.address,
    PATHS[backend])
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  local done = tonumber(text:match("(%d+) 2xx"))
  assert(done == REQUESTS, text)
  return (cpu.of(p.pid) - before) / done * 1e6, tonumber(text:match("([%d.]+) req/s"))
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

local dir = sys.temp_dir()
os.execute("mkdir " .. dir .. PATHS["HTTP/2"])
sys.write_file(dir .. PATHS["HTTP/2"] .. "/k", ("x"):rep(1024))
nghttpd.DIRECTORY = dir
local one, two = origin.process { size = 1024 }, nghttpd.start(nil, true)
local p = proxy.start { workers = 1, log_level = "warn", config = { access_log = { format = "off" } },
  route = { to = one.url, path = PATHS["HTTP/1.1"] } }
p.session:ok("ROUTE_ADD", "*", PATHS["HTTP/2"], two.url, 0)
p.session:ok("CONFIG_APPLY")
pin(p.pid, 0)
pin(one.pid, 1)
pin(two.pid, 1)

local costs, speeds = {}, {}
for _ = 1, ROUNDS do
  for _, client in ipairs { "HTTP/1.1", "HTTP/2" } do
    for _, backend in ipairs { "HTTP/1.1", "HTTP/2" } do
      local key = client .. " in, " .. backend .. " out"
      costs[key], speeds[key] = costs[key] or {}, speeds[key] or {}
      local cost, speed = run(p, client, backend)
      table.insert(costs[key], cost)
      table.insert(speeds[key], speed)
    end
  end
end
local connections = io.popen(("ss -tnH state established dport = :%d | wc -l"):format(two.url:match("%d+$"))):read("*n")
for _, client in ipairs { "HTTP/1.1", "HTTP/2" } do
  for _, backend in ipairs { "HTTP/1.1", "HTTP/2" } do
    local key = client .. " in, " .. backend .. " out"
    print(("%-28s %6.2f us of CPU a request, %7.0f requests/s"):format(key, median(costs[key]), median(speeds[key])))
  end
end
print(("connections to the HTTP/2 backend now: %d"):format(connections))
os.execute("rm -rf " .. dir)
cleanup.run()
