--- HTTP/1.1 in clear text: small and large answers, new connections, uploads.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")

local MIB = 1048576

--- The usual subjects on a backend of their own.
local function subjects(size, names)
  local origin, list = peers.origin { size = size }, {}
  for i, name in ipairs(names) do
    list[i] = peers.start(name, { origin = origin, size = size })
  end
  return list
end

local function wrk(bench, connections)
  return function(subject)
    return loads.wrk(subject, { connections = connections, seconds = bench.seconds })
  end
end

local ALL = { "tidelock", "nginx", "haproxy", "floor" }

local function kept(name, size, connections, targets)
  return function(bench)
    return compare.run {
      name = name, subjects = subjects(size, ALL), rounds = bench.rounds, targets = targets,
      load = wrk(bench, connections),
    }
  end
end

return {
  {
    name = "small", summary = "answers of 1 KiB, 64 kept connections",
    run = kept("small", 1024, 64,
      { { against = "nginx", cpu = .82, p99 = 1 }, { against = "haproxy", cpu = .78, p99 = 1 } }),
  },
  {
    name = "small256", summary = "answers of 1 KiB, 256 kept connections",
    run = kept("small256", 1024, 256, { { against = "nginx", cpu = .80 }, { against = "haproxy", cpu = .72 } }),
  },
  {
    name = "connections", summary = "a new connection for each request, 64 at a time",
    run = function(bench)
      return compare.run {
        name = "connections", subjects = subjects(1024, ALL), rounds = bench.rounds,
        load = function(subject)
          return loads.client(subject, { connections = 64, seconds = bench.seconds, close = true })
        end,
        targets = { { against = "nginx", cpu = .95 }, { against = "haproxy", cpu = .87 } },
      }
    end,
  },
  {
    name = "large", summary = "answers of 1 MiB, 16 kept connections",
    run = kept("large", MIB, 16, { { against = "nginx", cpu = .35 }, { against = "haproxy", cpu = .65 } }),
  },
  {
    name = "uploads", summary = "request bodies of 1 MiB, 16 kept connections",
    run = function(bench)
      return compare.run {
        name = "uploads", subjects = subjects(1024, { "tidelock", "haproxy", "floor" }), rounds = bench.rounds,
        load = function(subject)
          return loads.client(subject, { connections = 16, seconds = bench.seconds, body_size = MIB })
        end,
        targets = { { against = "haproxy", cpu = .7 } },
      }
    end,
  },
}
