--- What many routes cost, and all that a route can have: tidelock by itself.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local registration = require("spec.bench.registration")

local MANY, MOST = 10000, 1.05

local function with_routes(name, kind, count, origin)
  local subject = peers.start("tidelock", {
    name = name, origin = origin, route = false, config = registration.CONFIG,
    setup = function(p)
      registration.session(p, kind, count, origin)
    end,
  })
  subject.script = registration.wrk_script(kind, count)
  return subject
end

local function many(kind)
  return function(bench)
    local origin = peers.origin { size = 1024 }
    local ours, one = with_routes("tidelock", kind, MANY, origin), with_routes("one", kind, 1, origin)
    local floor = peers.start("floor", { origin = origin, size = 1024 })
    floor.script = one.script
    return compare.run {
      name = kind, rounds = bench.rounds, subjects = { ours, one, floor },
      targets = { { against = "one", cpu = MOST } },
      load = function(subject)
        return loads.wrk(subject, { connections = 64, seconds = bench.seconds, script = subject.script })
      end,
    }
  end
end

--- What a route can have, none of it near its limit: a breaker, a rate limit, checks, the state of a drain. The drain
-- is over: one in progress has every answer end its connection, whose price is that of the work `connections`.
local function switch_on(p)
  p.session:ok("CIRCUIT_BREAKER_SET", p.route_id, 5, "10s", 1)
  p.session:ok("RATELIMIT_SET", p.route_id, 1000000000, "1s")
  p.session:ok("HEALTH_SET", p.route_id, "/", "1s", "1s")
  p.session:ok("CONFIG_APPLY")
  p.session:ok("DRAIN_START", "1h")
  p.session:ok("DRAIN_CANCEL")
end

local function features(bench)
  local origin = peers.origin { size = 1024 }
  return compare.run {
    name = "features", rounds = bench.rounds, targets = { { against = "without", cpu = MOST } },
    subjects = {
      peers.start("tidelock", { origin = origin, size = 1024, setup = switch_on }),
      peers.start("tidelock", { name = "without", origin = origin, size = 1024, config = { health_checks = false } }),
      peers.start("floor", { origin = origin, size = 1024 }),
    },
    load = function(subject)
      return loads.wrk(subject, { connections = 64, seconds = bench.seconds })
    end,
  }
end

return {
  { name = "hosts", summary = "10,000 hosts, asked for in random order, and one", run = many("hosts") },
  { name = "paths", summary = "10,000 paths on one host, and one", run = many("paths") },
  { name = "features", summary = "circuit, rate limit, health checks and drain, and none of them", run = features },
}
