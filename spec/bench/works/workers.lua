--- Two workers and one. All programs share both cores: there are no others for the load.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")

local function run(bench)
  local origin = peers.origin { size = 1024, cores = "both" }
  local function subject(name, workers)
    return peers.start("tidelock", { name = name, origin = origin, size = 1024, workers = workers, cores = "both" })
  end
  local rows = compare.run {
    name = "workers", rounds = bench.rounds, targets = { { against = "one worker", cpu = 1.05 } },
    subjects = { subject("two workers", 2), subject("one worker", 1) },
    load = function(s)
      return loads.wrk(s, { connections = 64, threads = 2, seconds = bench.seconds, cores = "both" })
    end,
  }
  rows[1].busy = nil -- of which core?
  return rows
end

return { { name = "workers", summary = "two workers and one, load and backend on the same two cores", run = run } }
