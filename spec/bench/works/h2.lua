--- HTTP/2 to clients: 4 connections with 100 streams each, answers of 1 KiB.

local compare = require("spec.bench.compare")
local loads = require("spec.bench.loads")
local peers = require("spec.bench.peers")
local pki = require("spec.support.pki")

local NAMES = { "tidelock", "haproxy", "h2o", "nginx" }
local CLIENTS, STREAMS = 4, 100

local function subjects(tls)
  local origin, list = peers.origin { size = 1024 }, {}
  for i, name in ipairs(NAMES) do
    list[i] = peers.start(name, { origin = origin, size = 1024, tls = tls, http2 = true })
  end
  return list
end

--- h2load counts requests, not seconds: as many for each as it does in about a round.
local function load_of(bench, tls)
  local counts = {}
  return function(subject)
    local options = { clients = CLIENTS, streams = STREAMS, requests = counts[subject.name] or 5000, tls = tls }
    local result = loads.h2load(subject, options)
    counts[subject.name] = counts[subject.name] or math.max(5000, math.floor((result.rps or 0) * bench.seconds))
    return result
  end
end

local function run(name, tls)
  return function(bench)
    local load, spoken = load_of(bench, tls), {}
    local rows = compare.run {
      name = name, subjects = subjects(tls and pki.certificate { names = { "bench.example" } }), rounds = bench.rounds,
      load = function(subject)
        local result = load(subject)
        spoken[subject.name] = result.tls and ("%s %s %s"):format(subject.name, result.tls, result.cipher)
        return result
      end,
      targets = { { against = "haproxy", cpu = 1 }, { against = "h2o", cpu = .75 }, { against = "nginx", cpu = .65 } },
    }
    local list = {}
    for _, text in pairs(spoken) do
      list[#list + 1] = text
    end
    table.sort(list)
    rows[1].note = #list > 0 and "spoken: " .. table.concat(list, ", ") or nil
    return rows
  end
end

return {
  { name = "h2_tls", summary = "HTTP/2 over TLS, 4 connections, 100 streams each", run = run("h2_tls", true) },
  { name = "h2_clear", summary = "HTTP/2 in clear text, the same", run = run("h2_clear", false) },
}
