--- What applies cost on 10,000 live routes, for who applies and for the workers; and what they do to requests beside
-- them.

local cpu = require("spec.bench.cpu")
local loads = require("spec.bench.loads")
local loop = require("spec.support.loop")
local peers = require("spec.bench.peers")
local registration = require("spec.bench.registration")
local statistics = require("spec.bench.statistics")
local sys = require("spec.support.sys")

local ROUTES, APPLIES = 10000, 40
local TO_OK_MS, LAG_MS = 20, 1
local SESSIONS, CONNECTED, BATCH, APPLIES_PER_SECOND, MOST = 10000, 3500, 100, 100, 1.2
-- Who keeps up with 100 a second has an OK every 10 ms, but for what is under way at the end.
local GAP_MS = 10.5

--- CPU time of a worker so far, ms.
local function worker_ms(pid, thread)
  return cpu.of_thread(pid, thread) * 1000
end

--- One apply of one changed route.
-- @return ms from its line to OK; ms of CPU that the worker took for it
local function apply(session, pid, worker, i)
  session:ok("ROUTE_UPDATE", "r" .. (i * 97 % ROUTES + 1), "priority", i)
  loop.delay(.02) -- what the worker does for the one before is over
  local before, started = worker_ms(pid, worker), sys.now()
  session:ok("CONFIG_APPLY")
  local took = (sys.now() - started) * 1000
  loop.delay(.02)
  return took, worker_ms(pid, worker) - before
end

local function value_row(name, what, unit, values, target, note)
  local low, mid, high = statistics.spread(values)
  return { work = name, what = what, unit = unit, ours = mid, low = low, mid = mid, high = high, target = target,
    rounds = values, note = note }
end

local NOTE = "%d applies of one changed route of %d; worker's loop: CPU time that the thread of an idle worker takes "
  .. "for one apply, the most that it can hold up a request"

local function run_apply()
  local origin = peers.origin { size = 1024 }
  local subject = peers.start("tidelock", { origin = origin, route = false, config = registration.CONFIG,
    cores = "both" })
  local session = registration.session(subject.proxy, "hosts", ROUTES, origin)
  local worker, times, lags = cpu.threads(subject.pid)["worker 0"][1], {}, {}
  for i = 0, APPLIES do
    local took, lag = apply(session, subject.pid, worker, i)
    if i > 0 then -- the first warms up
      times[i], lags[i] = took, lag
    end
  end
  return {
    value_row("apply", "line to OK", "ms", times, TO_OK_MS),
    value_row("apply", "worker's loop", "ms", lags, LAG_MS, NOTE:format(APPLIES, ROUTES)),
  }
end

--- Sessions first to last, each with a route; applied side by side, so that few snapshots do.
local function register_batch(p, origin, first, last)
  local batch = {}
  for i = first, last do
    local session = p:registry()
    session:register("service" .. i, "one")
    session:send(session:format("ROUTE_ADD", ("s%d.example"):format(i), "/", "http://127.0.0.1:" .. origin, 0) .. "\n"
      .. session:format("CONFIG_APPLY") .. "\n")
    batch[i - first + 1] = session
  end
  for _, session in ipairs(batch) do
    assert(session:receive() == "ROUTE_OK|r1")
    assert(session:receive() == "OK")
  end
  return batch
end

--- All sessions. Most have lost their connection: a process may have 20,000 descriptors here.
-- @return connections of those that still have one
local function register_sessions(p, origin)
  local sessions = {}
  for first = 1, SESSIONS, BATCH do
    for _, session in ipairs(register_batch(p, origin, first, first + BATCH - 1)) do
      if #sessions < CONNECTED then
        sessions[#sessions + 1] = session
      else
        session:close()
      end
    end
  end
  return sessions
end

--- Changes one session's route and applies it.
local function change(session, count, state)
  session:ok("ROUTE_UPDATE", "r1", "priority", count)
  session:ok("CONFIG_APPLY")
  state.done = state.done + 1
end

--- So many applies a second, each of another session, whether or not the ones before are done, until told to stop.
-- @param state stop; done counts; gap: ms from one OK to the next
local function applies(sessions, state)
  local began, tasks = loop.now(), {}
  while not state.stop do
    local count = #tasks + 1
    tasks[count] = loop.spawn(change, sessions[count * 31 % CONNECTED + 1], count, state)
    loop.delay(math.max(0, began + count / APPLIES_PER_SECOND - loop.now()))
  end
  state.gap = (loop.now() - began) / state.done * 1000
  for _, task in ipairs(tasks) do
    loop.join(task)
  end
end

local LIMITS = {
  registry_connections = 4000, registry_per_address = 4000, sessions = SESSIONS + 10,
}

local function run_sessions(bench)
  local origin = peers.origin { size = 1024, cores = "both" }
  local subject = peers.start("tidelock", { origin = origin, size = 1024, cores = "both",
    config = { health_checks = false, scripts_budget = registration.CONFIG.scripts_budget, limits = LIMITS } })
  local sessions = register_sessions(subject.proxy, origin)
  local function p99()
    local result = loads.client(subject,
      { connections = 16, rate = 2000, seconds = 2 * bench.seconds, cores = "both" })
    assert(not result.errors, result.errors)
    return result.p99
  end
  local idle, busy, gaps = {}, {}, {}
  p99()
  for round = 1, bench.rounds do
    idle[round] = p99()
    local state = { done = 0 }
    local task = loop.spawn(applies, sessions, state)
    busy[round] = p99()
    state.stop = true
    loop.join(task)
    gaps[round] = state.gap
  end
  local low, mid, high = statistics.spread(statistics.ratios(busy, idle))
  return {
    {
      work = "sessions", against = "idle", what = "p99", unit = "us", ours = statistics.median(busy),
      theirs = statistics.median(idle), low = low, mid = mid, high = high, target = MOST,
      note = ("%d sessions with a route each, %d of them connected; 2,000 requests a second, and an apply every 10 ms; "
        .. "OK to OK: how far apart these are answered"):format(SESSIONS, CONNECTED),
    },
    value_row("sessions", "OK to OK", "ms", gaps, GAP_MS),
  }
end

return {
  { name = "apply", summary = "an apply on 10,000 live routes: line to OK, and the workers' loops", run = run_apply },
  { name = "sessions", summary = "10,000 sessions, 100 applies a second while serving, and idle", run = run_sessions },
}
