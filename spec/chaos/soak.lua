-- `make soak MINUTES=n`: the churn of a run of chaos, judged as that is, beside load of HTTP/1 and HTTP/2 and sessions
-- that come and go. Memory, descriptors and threads at rest have to be the same after it as before. README.md says how
-- it is measured, and what came of it.

local cleanup = require("spec.support.cleanup")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local plateau = require("spec.chaos.plateau")
local process = require("spec.support.process")
local run = require("spec.chaos.run")

local MINUTES = tonumber(os.getenv("TIDELOCK_SOAK_MINUTES") or "") or 30
local SEED = os.getenv("TIDELOCK_CHAOS_SEED") or "1"
local RATE = 600 -- requests a second, beside those that are judged
local HOST = "load.chaos.test"
-- Shorter than by default, so that a rest is, too.
local TIMEOUTS = { pool = "5s", spare_memory = "10s" }
local REST = 5 + 3 * 5 + 2 * 5 -- seconds: idle connections go, three looks of a worker, two of control

--- A session with routes of its own, from its beginning to its end.
local function one_session(self, i)
  local r = self.proxy:registry()
  r:register("churn", "churn-" .. i % 7)
  for n = 1, 5 do
    r:ok("ROUTE_ADD", ("churn%d.chaos.test"):format(i % 50), "/" .. n, "http://127.0.0.1:9", n)
  end
  r:ok("HEADERS_SET", "ALL", "X-Churn", i)
  r:ok("CONFIG_APPLY")
  r:ok("ROUTE_REMOVE", "r1")
  r:ok(i % 2 == 0 and "CONFIG_ROLLBACK" or "CONFIG_APPLY")
  r:ok("DRAIN_START", "0")
  r:ok("STATS_GET", "ALL")
  r:ok("CLIENT_SHUTDOWN")
  r:close()
  cleanup.remove(r)
end

local function sessions(self)
  while self.soaking do
    self.sessions = self.sessions + 1
    one_session(self, self.sessions)
    loop.delay(0.02)
  end
end

--- h2load, again and again: each run opens its connections anew.
local function streams(self)
  while self.soaking do
    local one = process.start({ "/usr/bin/h2load", "-c", "4", "-m", "10", "-n", "1000", "--rps", "50", "-H",
      ":authority: " .. HOST, self.proxy.url .. "/" }, { name = "h2load" })
    one:wait_exit(60 * loop.SLOWNESS)
    self.h2load = self.h2load + tonumber(one:output():match("(%d+) 2xx") or 0)
    one:cleanup()
    cleanup.remove(one)
  end
end

--- Starts all of it.
-- @return what ends it
local function start(self)
  self.soaking = true
  local tasks = { loop.spawn(sessions, self), loop.spawn(streams, self) }
  local requests = load.start { url = self.proxy.url, host = HOST, connections = 8, rate = RATE }
  return function()
    self.soaking = false
    for _, task in ipairs(tasks) do
      loop.join(task, 120 * loop.SLOWNESS)
    end
    local result = requests:stop()
    self.load.requests, self.load.failed = self.load.requests + result.requests, self.load.failed + result.failed
  end
end

local stop -- ends what is beside, while there is any

local function beside(self)
  local backend = origin.process { name = "load", size = 1000 }
  local r = self.proxy:registry()
  r:register("load", "one")
  r:route { to = backend.url, host = HOST }
  self.load, self.sessions, self.h2load = { requests = 0, failed = 0 }, 0, 0
  stop = start(self)
  return function()
    stop()
  end
end

--- No clients, no load, every instance in its place, for as long as idle connections and spare memory have.
local function rest(self, samples)
  stop()
  run.settle(self)
  loop.delay(REST * loop.SLOWNESS)
  samples:take_rest(self.proxy, self.count)
  stop = start(self)
end

describe("a soak of " .. MINUTES .. " minutes", function()
  it("finds nothing wrong, and ends where it began", function()
    local samples = plateau.new(MINUTES * 60)
    local ok, result = pcall(run.go, {
      seed = SEED, seconds = MINUTES * 60, think = 0.01, beside = beside, timeouts = TIMEOUTS,
      sample = function(self)
        samples:take(self.proxy, self.count)
        if samples:is_due() then
          rest(self, samples)
        end
      end,
    })
    io.stderr:write(samples:text())
    if not ok then
      error(result, 0)
    end
    io.stderr:write(("soak: seed %s, %d requests judged in %d epochs, %d of load, %d of h2load, %d sessions\n"):format(
      SEED, result.count, result.epochs, result.load.requests, result.h2load, result.sessions))
    local wrong = {}
    for i, problem in ipairs(result.problems) do
      wrong[i] = problem.kind .. ": " .. problem.why
    end
    assert.same({}, wrong)
    assert.equal(0, result.load.failed)
    assert.same({}, samples:grown())
  end)
end)
