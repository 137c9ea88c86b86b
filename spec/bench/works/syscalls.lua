--- System calls of a request: answers of 1 KiB, 64 kept connections. Counted by perf, which hardly slows the proxy;
-- under strace it would be so slow that many more events share each epoll_wait.

local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local place = require("spec.bench.place")
local statistics = require("spec.bench.statistics")
local sys = require("spec.support.sys")

local NAMES = { "tidelock", "nginx", "haproxy", "floor" }
local MOST = 4.1

--- System calls for each request of a load. perf looks at the proxy from before the load to after it.
local function count(subject, seconds)
  local out = place.dir .. "/counts"
  local perf = { place.program("perf"), "stat", "-x,", "-o", out, "-e", "raw_syscalls:sys_enter", "-p",
    tostring(subject.pid), "--" }
  local result = loads.wrk(subject, { connections = 64, seconds = seconds, under = perf })
  local text = sys.read_file(out) or ""
  local calls = tonumber(text:match("\n(%d+),[^\n]*raw_syscalls"))
  if not calls or result.errors then
    error(result.errors or "perf cannot count system calls here: " .. text, 0)
  end
  return calls / result.requests
end

local function run(bench)
  local origin, found, said = peers.origin { size = 1024 }, {}, {}
  for i, name in ipairs(NAMES) do
    local subject, counts = peers.start(name, { origin = origin, size = 1024 }), {}
    count(subject, bench.seconds) -- connections to the backend are made
    for round = 1, bench.rounds do
      counts[round] = count(subject, bench.seconds)
    end
    found[i] = counts
    said[i] = ("%s %.2f"):format(name, statistics.median(counts))
  end
  local low, mid, high = statistics.spread(found[1])
  return { {
    work = "syscalls", what = "calls a request", ours = mid, low = low, mid = mid, high = high, target = MOST,
    note = "medians: " .. table.concat(said, ", "),
  } }
end

return { { name = "syscalls", summary = "system calls of a request, 1 KiB, 64 kept connections", run = run } }
