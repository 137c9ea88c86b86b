--- One instance of a service: what it does with itself, as its own stream of random numbers says. Every deed is whole:
-- at its end the instance is either away, or connected with its backend up.
--
--   local i = instance.new(run, "red", 1); i:act(calm)

local loop = require("spec.support.loop")
local backends = require("spec.chaos.backends")
local random = require("spec.chaos.random")
local session = require("spec.chaos.session")

local instance = {}
instance.__index = instance

--- @param run seed, world, proxy, dir, page_url, grace (seconds), say(fields): notes a line of history; unsteady: the
--   service of which all instances may be away
function instance.new(run, service, number)
  local self = setmetatable({
    run = run, service = service, steady = number == 1 and service ~= run.unsteady,
    name = service .. "-" .. number, host = service .. ".chaos.test",
    rng = random.stream(run.seed, "instance/" .. service .. number), backends = {}, at = 1,
  }, instance)
  local scheme = self.rng:chance(0.25) and "h2c" or "http"
  for i, letter in ipairs { "a", "b" } do
    self.backends[i] = backends.new(run.world, run.dir, ("%s%d%s"):format(service, number, letter), scheme)
  end
  return self
end

function instance:backend()
  return self.backends[self.at]
end

local function pause(self, least, most)
  loop.delay(self.rng:between(least, most))
end

--- Stages by what the proxy is to find out that it is not well.
local function watch(self, own)
  if self.rng:chance(0.5) then
    own.conn:ok("CIRCUIT_BREAKER_SET", "ALL", self.rng:int(1, 4), "200ms", 1)
  end
  if self.rng:chance(0.4) then
    own.conn:ok("OPTIONS_SET", "ALL", "health_check_path", "/health")
  end
  own.conn:ok("OPTIONS_SET", "ALL", "health_check_interval", "300ms")
end

--- Stages its routes in a fresh session and applies them.
-- @param changes facts that come with it
local function settle_in(self, own, changes)
  local backend = self:backend()
  own:add("/", backend)
  if self.rng:chance(0.6) then
    own:add("/deep", backend)
  end
  own.conn:ok("OPTIONS_SET", "ALL", "lb_policy", self.run.policies[self.service])
  if self.rng:chance(0.3) then
    own.conn:ok("OPTIONS_SET", "ALL", "policy", "request_id")
  end
  watch(self, own)
  own:stamp()
  own.conn:ok("CONFIG_VALIDATE")
  own:doubt()
  for _, change in ipairs(own:placed(backend.name)) do
    changes[#changes + 1] = change
  end
  own:apply(changes)
  own:sure()
  self.session = own
end

local deeds = {}

function deeds.enter(self)
  self:backend():start()
  settle_in(self, session.new(self.run, self), {})
end

--- A configuration that differs in its stamp alone.
function deeds.retune(self)
  self.session:stamp()
  self.session:apply({}, self.rng:chance(0.5) and "headers" or nil)
end

--- The second route comes or goes.
function deeds.reroute(self)
  local own = self.session
  local there = own.routes["/deep"]
  own:stamp()
  if there then
    own.conn:ok("ROUTE_REMOVE", there.id)
    own:apply({ { there.member.at, false } })
    own.routes["/deep"] = nil
  else
    own:add("/deep", self:backend())
    own:doubt()
    own:apply({ { own.routes["/deep"].member.at, self:backend().name } })
    own:sure()
  end
end

--- All routes to the other backend.
function deeds.move(self)
  local own = self.session
  self.at = 3 - self.at
  self:backend():start()
  for _, path in ipairs(session.PATHS) do
    if own.routes[path] then
      own.conn:ok("ROUTE_UPDATE", own.routes[path].id, "backend_url", self:backend().url)
    end
  end
  own:stamp()
  own:doubt()
  own:apply(own:placed(self:backend().name))
  own:sure()
end

--- Staged and taken back: nothing of it may be seen.
function deeds.rollback(self)
  local own = self.session
  own.conn:ok("HEADERS_SET", "ALL", "X-Chaos-Config", 1000000)
  own.conn:ok("ROUTE_REMOVE", own.routes["/"].id)
  own.conn:ok("ROUTE_ADD", "other." .. self.host, "/", self:backend().url, 5)
  own.conn:ok("CONFIG_DIFF")
  pause(self, 0, 0.1)
  own.conn:ok("CONFIG_ROLLBACK")
end

--- Refused: nothing of it may be seen.
function deeds.trespass(self)
  local own = self.session
  local host = self.rng:pick(self.run.services) .. ".chaos.test"
  local answer = own.conn:call("ROUTE_ADD", host, "/", self:backend().url, 0)
  assert(answer:find("^ERROR|unauthorized") or answer:find("^ERROR|duplicate route")
    or answer:find("^ROUTE_OK"), answer)
  assert(own.conn:call("ROUTE_REMOVE", "r999") == "ERROR|route not found")
  own.conn:ok("CONFIG_ROLLBACK")
end

local SMALL = { { "retune", 2 }, { "rollback", 1 }, { "reroute", 1 }, { "takeover", 1 }, { "blink", 1 }, { "none", 2 } }
local SMALL_CALM = { { "retune", 2 }, { "rollback", 1 }, { "takeover", 1 }, { "blink", 1 }, { "none", 2 } }

local function meanwhile(self)
  local deed = self.rng:weighted(self.calm and SMALL_CALM or SMALL)
  pause(self, 0, 0.3)
  if deed ~= "none" then
    deeds[deed](self)
    pause(self, 0, 0.3)
  end
end

function deeds.drain(self)
  self.session:drain_start(self.rng:pick { 0, 0.2, 0.5 })
  meanwhile(self)
  pause(self, 0, 0.5)
  if self.session then
    self.session:drain_cancel()
  end
end

function deeds.maintain(self)
  local own = self.session
  local targets = { "ALL", own.routes["/"].id, self.host, own.routes["/deep"] and "/deep" or "ALL" }
  local target = self.rng:pick(targets)
  own:maintenance_enter(target, self.rng:chance(0.4) and self.run.page_url or nil)
  pause(self, 0, 0.3)
  if self.rng:chance(0.3) then
    deeds.retune(self)
  end
  pause(self, 0, 0.3)
  own:maintenance_exit(target, self.rng:chance(0.5))
end

--- A new connection takes the session over from the old one.
function deeds.takeover(self)
  assert(self.session:reconnect(), "a connected session was unknown")
end

function deeds.blink(self)
  local cut = loop.now()
  self.session:crash(self.run.grace)
  pause(self, 0, self.run.grace * 0.2)
  if not self.session:reconnect() then
    -- On a machine that is busy enough this comes too late.
    assert(loop.now() - cut > self.run.grace - 0.1, "a session was gone before its grace period was over")
    self.session:gone()
    self.session, self.run.uncounted = nil, true
  end
end

function deeds.kill(self)
  self.session:doubt()
  self:backend():kill()
  pause(self, 0, 0.6)
  self:backend():start()
  self.session:sure()
end

--- A restarted container: another session of the same names, at another address.
function deeds.restart(self)
  local old, before = self.session, self:backend()
  if self.rng:chance(0.5) then
    old:crash(self.run.grace)
    if self.rng:chance(0.5) then
      old:doubt()
      before:kill()
    end
    pause(self, 0, 0.5)
  end
  self.at = 3 - self.at
  self:backend():start()
  local own = old:supersede()
  pause(self, 0, 0.2)
  settle_in(self, own, old:placed(false))
end

--- Lost, and not back before the end of the grace period.
function deeds.expire(self)
  self.session:crash(self.run.grace)
  if self.rng:chance(0.5) then
    self.session:doubt()
    self:backend():kill()
  end
  self.session:wait_gone()
  self.session = nil
end

function deeds.leave(self)
  if self.rng:chance(0.5) then
    self.session:drain_start(self.rng:pick { 0, 0.2 })
    pause(self, 0, 0.4)
  end
  self.session:leave()
  self.session = nil
  if self.rng:chance(0.5) then
    self:backend():kill()
  end
end

local CALM = { { "retune", 3 }, { "move", 1 }, { "rollback", 2 }, { "trespass", 1 }, { "drain", 3 },
  { "maintain", 3 }, { "takeover", 1 }, { "blink", 2 } }
local WILD = { { "retune", 2 }, { "reroute", 2 }, { "move", 2 }, { "rollback", 1 }, { "trespass", 1 }, { "drain", 3 },
  { "maintain", 3 }, { "takeover", 1 }, { "blink", 2 }, { "kill", 4 }, { "restart", 3 }, { "expire", 1 },
  { "leave", 2 } }

-- The first instance of a service that always has somebody who can take its requests.
local STEADY = { { "retune", 3 }, { "rollback", 2 }, { "trespass", 1 }, { "takeover", 1 }, { "blink", 1 } }

--- Comes, if it is away.
function instance:settle()
  if not self.session then
    deeds.enter(self)
  end
end

--- Does one thing.
-- @param calm nothing that removes a route or kills a backend
function instance:act(calm)
  pause(self, 0, 0.4)
  self.calm = calm
  local deed = not self.session and "enter" or self.rng:weighted(self.steady and STEADY or calm and CALM or WILD)
  self.run.say { what = "deed", who = self.name, deed = deed }
  deeds[deed](self)
  self.run.done[deed] = (self.run.done[deed] or 0) + 1
end

return instance
