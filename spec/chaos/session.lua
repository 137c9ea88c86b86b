--- One session of the registry, and what is true of its members: each command notes when what it changes may be, and is
-- surely, in force. A change is noted before its command is sent and settled with the answer.

local cjson = require("cjson")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local timeline = require("spec.chaos.timeline")

local session = {}
session.__index = session

local PATHS = { "/", "/deep" }
session.PATHS = PATHS

-- A drain by the clock: workers look at it once a turn of their loops, and a turn on a busy machine may take this long.
local LAG = 0.25 * loop.SLOWNESS

--- A connection to the registry whose conversation is noted.
local function connect(run)
  local conn = run.proxy:registry()
  local ask = conn.ask
  function conn.ask(self, line)
    local sent = loop.now()
    local answer = ask(self, line)
    run.say { what = "command", line = line, answer = answer, sent = sent, done = loop.now() }
    return answer
  end
  return conn
end

local function hang_up(conn)
  conn:close()
  cleanup.remove(conn)
end

--- Registers.
-- @param run see instance.lua
-- @param instance { service, name, host }
function session.new(run, instance)
  local self = setmetatable({
    run = run, world = run.world, instance = instance, conn = connect(run), routes = {},
    config = timeline.new(0), drain = timeline.new("none"), connected = timeline.new("connected"),
    fit = timeline.new(true),
  }, session)
  self.id = self.conn:register(instance.service, instance.name)
  return self
end

function session:member(path)
  local m = {
    service = self.instance.service, instance = self.instance.name, path = path,
    name = ("%s/%s%s"):format(self.instance.service, self.instance.name, path),
    at = timeline.new(false), maintenance = timeline.new(false),
    config = self.config, drain = self.drain, session = self.connected, fit = self.fit,
  }
  table.insert(self.world.members, m)
  return m
end

--- Sends a command that changes facts.
-- @param changes list of { timeline, value }
-- @param fn sends it; an error is raised by it, and the run ends
function session:change(changes, fn)
  local begun, now = {}, loop.now()
  for i, one in ipairs(changes) do
    begun[i] = one[1]:begin(one[2], now)
  end
  local result = fn()
  now = loop.now()
  for i, one in ipairs(changes) do
    one[1]:settle(begun[i], now)
  end
  return result
end

--- Stages a route.
function session:add(path, backend)
  local id = self.conn:ok("ROUTE_ADD", self.instance.host, path, backend.url, 0)
  self.routes[path] = { id = id, member = self:member(path) }
end

--- Stages the number that answers are stamped with.
function session:stamp()
  self.stamped = (self.stamped or 0) + 1
  self.conn:ok("HEADERS_SET", "ALL", "X-Chaos-Config", self.stamped)
end

--- Makes what is staged live.
-- @param changes facts that come with it, beside the stamp
-- @param partial scopes; nil: all
function session:apply(changes, partial)
  local all = { { self.config, self.stamped }, unpack(changes or {}) }
  self:change(all, function()
    if partial then
      return self.conn:ok("CONFIG_APPLY_PARTIAL", partial)
    end
    return self.conn:ok("CONFIG_APPLY")
  end)
end

--- The changes that put its routes at a backend; false: away.
function session:placed(where)
  local changes = {}
  for _, path in ipairs(PATHS) do
    if self.routes[path] then
      changes[#changes + 1] = { self.routes[path].member.at, where }
    end
  end
  return changes
end

-- ---- what the proxy finds out by itself: circuits and health

--- From now on the proxy may, or may not, take its members for unfit.
function session:doubt()
  self.fit:begin(false, loop.now())
end

local function is_fit(self, id)
  local status = cjson.decode((self.conn:ok("ROUTE_STATUS", id)))
  if status.health.state == "down" or status.health.state == "awaited" then
    return false
  end
  -- What failed before does not count any more, nor what is in flight.
  self.conn:ok("CIRCUIT_BREAKER_RESET", id)
  return cjson.decode((self.conn:ok("CIRCUIT_BREAKER_STATUS", id))).state == "closed"
end

--- Waits until it takes them for fit; their backend is up.
function session:sure()
  for _, path in ipairs(PATHS) do
    local route = self.routes[path]
    if route then
      loop.eventually(function() return is_fit(self, route.id) end)
    end
  end
  local now = loop.now()
  self.fit:set(true, now, now)
end

-- ---- drain

function session:drain_start(seconds)
  local sent = loop.now()
  local some = self.drain:begin("some", sent)
  local full = self.drain:begin("full", sent + seconds)
  self.conn:ok("DRAIN_START", seconds == 0 and "0" or ("%dms"):format(seconds * 1000))
  local now = loop.now()
  self.drain:settle(some, now)
  self.drain:settle(full, seconds == 0 and now or now + seconds + LAG)
end

function session:drain_cancel()
  self:change({ { self.drain, "none" } }, function() return self.conn:ok("DRAIN_CANCEL") end)
end

-- ---- maintenance

--- Members that a target names.
function session:named(target)
  local list = {}
  for _, path in ipairs(PATHS) do
    local route = self.routes[path]
    if route and (target == "ALL" or target == path or target == route.id or target == self.instance.host) then
      list[#list + 1] = route.member.maintenance
    end
  end
  return list
end

local function end_of(self)
  local line = self.conn:next_event()
  return line:find("^MAINT_OK") and true or false, line
end

local function to(value, list)
  local changes = {}
  for i, one in ipairs(list) do
    changes[i] = { one, value }
  end
  return changes
end

--- @param url of a page, or nil
function session:maintenance_enter(target, url)
  self:change(to(true, self:named(target)), function()
    assert(self.conn:call("MAINT_ENTER", target, url or "") == "ACK")
  end)
  local ok, line = end_of(self)
  assert(ok, line)
end

--- Waits for the end of it.
-- @param force do not look at the backends first
function session:maintenance_exit(target, force)
  self:change(to(false, self:named(target)), function()
    assert(self.conn:call("MAINT_EXIT", target, unpack(force and { "force" } or {})) == "ACK")
    local ok, line = end_of(self)
    assert(ok, line)
  end)
end

-- ---- ends of connections and sessions

--- Its connection is cut.
-- @param grace seconds
function session:crash(grace)
  local now = loop.now()
  self.connected:begin("lost", now)
  self.expiry = {}
  for i, change in ipairs(self:placed(false)) do
    self.expiry[i] = { change[1], change[1]:begin(false, now + grace - 0.1) }
  end
  self.run.say { what = "cut", who = self.instance.name }
  self.conn:reset()
end

--- The end of the grace period has not come.
local function keeps(self)
  for _, one in ipairs(self.expiry or {}) do
    one[1]:cancel(one[2])
  end
  self.expiry = nil
end

--- Takes it up on a new connection. False: it is gone.
function session:reconnect()
  local old = self.conn
  self.conn = connect(self.run)
  self.conn.session = self.id
  local answer = self:change({ { self.connected, "connected" } }, function() return self.conn:reconnect(self.id) end)
  hang_up(old)
  if answer == "OK" then
    keeps(self)
    return true
  end
  assert(answer == "REREGISTER", answer)
  hang_up(self.conn)
  return false
end

--- Waits until its grace period is over.
function session:wait_gone()
  local asking = connect(self.run)
  loop.eventually(function()
    return asking:ask("SESSION_INFO|" .. self.id) == "ERROR|session not found"
  end)
  hang_up(asking)
  self:gone()
end

--- It is certain that it is gone.
function session:gone()
  for _, one in ipairs(self.expiry or {}) do
    one[1]:settle(one[2], loop.now())
  end
  self.expiry = nil
end

--- CLIENT_SHUTDOWN.
function session:leave()
  self:change(self:placed(false), function() return self.conn:ok("CLIENT_SHUTDOWN") end)
  self.conn:wait_closed()
  hang_up(self.conn)
end

--- A session of the same names takes the place of this one, which may still be connected.
-- @return the new session; its routes are to be added, and applied with old:placed(false)
function session:supersede()
  local new
  self:change({ { self.connected, "superseded" }, { self.drain, "none" } }, function()
    new = session.new(self.run, self.instance)
  end)
  hang_up(self.conn)
  return new
end

return session
