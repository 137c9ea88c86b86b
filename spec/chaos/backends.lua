--- Backends of a run: processes (spec/chaos/backend.lua) that are killed and come back on the same port, and what they
-- executed, as they wrote it down themselves.

local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local process = require("spec.support.process")
local socket = require("socket")
local sys = require("spec.support.sys")
local timeline = require("spec.chaos.timeline")

local backends = {}

local backend = {}
backend.__index = backend

--- A port that stays a backend's while it is down: bound by us, and nobody listens. Else somebody could get it
-- meanwhile, be it as the port of a connection that goes out.
local function reserve()
  local sock = assert(socket.tcp4())
  assert(sock:setoption("reuseaddr", true))
  assert(sock:bind("127.0.0.1", 0))
  local _, port = sock:getsockname()
  return sock, tonumber(port)
end

--- A backend that does not run yet.
-- @param world up[name] becomes its timeline
-- @param name as answers say it
-- @param scheme "http" or "h2c"
function backends.new(world, dir, name, scheme)
  local self = setmetatable({ name = name, scheme = scheme, dir = dir, world = world }, backend)
  self.reserved, self.port = reserve()
  self.url = ("%s://127.0.0.1:%d"):format(scheme, self.port)
  cleanup.add(self)
  self.path = ("%s/%s.executed"):format(dir, name:gsub("/", "-"))
  self.up = timeline.new(false)
  world.up[name] = self.up
  world.backends[#world.backends + 1] = self
  return self
end

--- Starts it, again on the port that it had.
function backend:start()
  if self.process then
    return
  end
  local change = self.up:begin(true, loop.now())
  local one = process.start({ "/usr/bin/luajit", "spec/chaos/backend.lua", self.name, self.scheme, tostring(self.port),
    self.path }, { name = self.name })
  self.process = one
  one:wait_line("^listening %d+$")
  self.up:settle(change, loop.now())
end

--- A backend that has ended by itself is a fault of this bench.
local function assert_runs(one)
  if not one:running() then
    error("a backend ended by itself\n" .. one:output(), 0)
  end
end

--- kill -9.
function backend:kill()
  local one = self.process
  if not one then
    return
  end
  assert_runs(one)
  self.process = nil
  local change = self.up:begin(false, loop.now())
  one:signal("KILL")
  one:wait_exit()
  self.up:settle(change, loop.now())
  one:cleanup()
  cleanup.remove(one)
end

--- What it has executed since the last call, at a time when nothing is under way: adds { id, backend, at } to a list.
function backend:executed(list)
  if self.process then
    assert_runs(self.process)
  end
  local text = sys.read_file(self.path)
  for id, at in (text or ""):gmatch("(%S+) ([%d.]+)\n") do
    list[#list + 1] = { id = id, backend = self.name, at = tonumber(at) }
  end
  sys.write_file(self.path, "")
end

function backend:cleanup()
  self.reserved:close()
end

return backends
