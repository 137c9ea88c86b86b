--- Memory of idle clients: what a proxy grows by with 9,500 that have asked once and keep their connection. In fresh
-- processes, after a load of 64 connections, so that what any request needs is there before.

local cleanup = require("spec.support.cleanup")
local cpu = require("spec.bench.cpu")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local place = require("spec.bench.place")
local process = require("spec.support.process")
local statistics = require("spec.bench.statistics")

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"
local CLIENTS, MOST, ROUNDS = 9500, 450, 3
-- By default half of the descriptors that the process may have, 20,000 here.
local LIMITS = { connections = 9600 }

local function bytes_each(subject)
  loads.wrk(subject, { connections = 64, seconds = 1 })
  local before = cpu.memory(subject.pid)
  local client = process.start(place.on(place.LOAD, TOOLS .. "/bench-idle-client", "--port", tostring(subject.port),
    "--connections", tostring(CLIENTS)), { name = "idle-client" })
  local open = tonumber((client:wait_line("^open (%d+)$", 120)))
  local grown = cpu.memory(subject.pid) - before
  client:signal("TERM")
  client:wait_line("^still " .. CLIENTS .. "$")
  client:wait_exit()
  assert(open == CLIENTS, "clients were sent away")
  return grown / CLIENTS
end

local function run(bench)
  local found = { tidelock = {}, nginx = {} }
  for round = 1, math.min(ROUNDS, bench.rounds) do
    for name, list in pairs(found) do
      local origin = peers.origin { size = 1024 }
      list[round] = bytes_each(peers.start(name, { origin = origin, size = 1024, config = { limits = LIMITS } }))
      cleanup.run(false)
    end
  end
  local low, mid, high = statistics.spread(found.tidelock)
  return { {
    work = "idle", what = "bytes each", ours = mid, low = low, mid = mid, high = high, target = MOST,
    note = ("%d clients; nginx %.0f bytes each, beside what it keeps for all of them from its start"):format(CLIENTS,
      statistics.median(found.nginx)),
  } }
end

return { { name = "idle", summary = "memory of 9,500 idle clients that keep their connection", run = run } }
