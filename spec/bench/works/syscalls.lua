--- System calls of a request: answers of 1 KiB, 64 kept connections. Counted by perf, which hardly slows the proxy;
-- under strace it would be so slow that many more events share each epoll_wait.

local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local place = require("spec.bench.place")
local process = require("spec.support.process")
local statistics = require("spec.bench.statistics")
local sys = require("spec.support.sys")

local NAMES = { "tidelock", "nginx", "haproxy", "floor" }
local MOST = 4.1

--- System calls for each request of a load.
local function count(subject, load)
  local out = subject.counts or sys.temp_dir() .. "/counts"
  subject.counts = out
  local run = process.start({ place.program("perf"), "stat", "-x,", "-o", out, "-e", "raw_syscalls:sys_enter", "-p",
    tostring(subject.pid) }, { name = "perf" })
  local result = load(subject)
  run:signal("INT")
  run:wait_exit(10)
  local calls = tonumber((sys.read_file(out) or ""):match("\n(%d+),[^\n]*raw_syscalls"))
  if not calls then
    error("perf cannot count system calls here: " .. run:output(), 0)
  elseif result.errors then
    error(result.errors, 0)
  end
  return calls / result.requests
end

local function run(bench)
  local origin, found, said = peers.origin { size = 1024 }, {}, {}
  local function load(subject)
    return loads.wrk(subject, { connections = 64, seconds = bench.seconds })
  end
  for i, name in ipairs(NAMES) do
    local subject, counts = peers.start(name, { origin = origin, size = 1024 }), {}
    load(subject)
    for round = 1, bench.rounds do
      counts[round] = count(subject, load)
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
