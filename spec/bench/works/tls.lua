--- TLS 1.3: kept connections, full handshakes, resumed ones.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local pki = require("spec.support.pki")

local NAMES = { "tidelock", "nginx", "haproxy" }

local function subjects(size, kind)
  local origin, list = peers.origin { size = size }, {}
  local certificate = pki.certificate { names = { "bench.example" }, kind = kind }
  for i, name in ipairs(NAMES) do
    list[i] = peers.start(name, { origin = origin, size = size, tls = certificate })
  end
  return list
end

local function both(target)
  return { { against = "nginx", cpu = target }, { against = "haproxy", cpu = target } }
end

-- Rounds are twice as long as others': each begins with a handshake for each connection.
local function kept(name, size, connections)
  return function(bench)
    return compare.run {
      name = name, subjects = subjects(size, "ec"), rounds = bench.rounds, targets = both(.85),
      load = function(subject)
        return loads.wrk(subject, { connections = connections, seconds = 2 * bench.seconds, tls = true })
      end,
    }
  end
end

local function handshakes(name, kind, resume)
  return function(bench)
    return compare.run {
      name = name, subjects = subjects(1024, kind), rounds = bench.rounds, targets = both(1),
      load = function(subject)
        return loads.handshakes(subject, { connections = 16, seconds = bench.seconds, resume = resume })
      end,
    }
  end
end

return {
  { name = "tls_small", summary = "TLS, answers of 1 KiB, 64 kept connections", run = kept("tls_small", 1024, 64) },
  { name = "tls_large", summary = "TLS, answers of 1 MiB, 16 kept connections", run = kept("tls_large", 1048576, 16) },
  {
    name = "handshakes_rsa", summary = "a full handshake (RSA 2048) and one request",
    run = handshakes("handshakes_rsa", "rsa", false),
  },
  {
    name = "handshakes_p256", summary = "a full handshake (P-256) and one request",
    run = handshakes("handshakes_p256", "ec", false),
  },
  { name = "resumed", summary = "a resumed handshake and one request", run = handshakes("resumed", "ec", true) },
}
