--- A script on a request's way that reads one header and sets one each way, in each proxy's Lua.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")

local function run(bench)
  local origin, subjects = peers.origin { size = 1024 }, {}
  for _, name in ipairs { "tidelock", "nginx", "haproxy" } do
    subjects[#subjects + 1] = peers.start(name, { origin = origin, size = 1024, script = true })
  end
  subjects[#subjects + 1] = peers.start("tidelock", { name = "without", origin = origin, size = 1024 })
  subjects[#subjects + 1] = peers.start("floor", { origin = origin, size = 1024 })
  return compare.run {
    name = "policy", subjects = subjects, rounds = bench.rounds,
    load = function(subject)
      return loads.wrk(subject, { connections = 64, seconds = bench.seconds, header = "User-Agent: bench" })
    end,
    targets = {
      { against = "nginx", cpu = .80 }, { against = "haproxy", cpu = .68 }, { against = "without", cpu = 1.08 },
    },
  }
end

return { { name = "policy", summary = "a request policy in Lua: one header read, one set each way", run = run } }
