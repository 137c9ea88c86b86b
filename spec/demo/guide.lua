--- What the acts of the tour have in common: their time, their conversation with the registry, the events that come,
-- the promises they make, and what clients saw meanwhile.

local cjson = require("cjson")
local cast = require("spec.demo.cast")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local registry = require("spec.support.registry")
local screen = require("spec.demo.screen")
local terminal = require("spec.demo.terminal")
local traffic = require("spec.demo.traffic")

local guide = { INTERRUPTED = {} }
guide.__index = guide

local WINDOW = 0.8 -- seconds that "recent" looks back at, at full length
local BAR = 36

--- @param options proxy, services (by instance), shop and api (traffic), scale (of times), parent_gone (function)
function guide.new(options)
  local self = setmetatable({ events = {}, seen = 0, broken = 0, started = loop.now() }, guide)
  for key, value in pairs(options) do
    self[key] = value
  end
  self.counting, self.recent = self.shop:count(), traffic.tally()
  self.recent_until = loop.now() + self:seconds(WINDOW)
  return self
end

--- Seconds of a full-length tour, as long as they last in this one.
function guide:seconds(seconds)
  return seconds * self.scale
end

--- The same as the registry reads it.
function guide:duration(seconds)
  return ("%dms"):format(seconds * self.scale * 1000)
end

-- recent is what the shop's clients got in the last whole window.
local function turn_window(self)
  if loop.now() >= self.recent_until then
    self.shop:uncount(self.counting)
    self.recent, self.counting = self.counting, self.shop:count()
    self.recent_until = loop.now() + self:seconds(WINDOW)
  end
end

--- Lets the traffic go on until a condition holds.
-- @param what the condition in words
-- @param limit seconds, not scaled; an error is raised when they are over
-- @param draw nil, or function() -> lines, mark for screen.show, called twenty times a second
function guide:wait(what, limit, condition, draw)
  local deadline = loop.now() + limit * loop.SLOWNESS
  while true do
    turn_window(self)
    if draw then
      screen.show(draw())
    end
    local result = condition()
    if result then
      return result
    elseif loop.now() > deadline then
      error(("waited %g s in vain: %s"):format(limit, what), 0)
    elseif terminal.wait_end(0.05) or self.parent_gone() then
      error(guide.INTERRUPTED, 0)
    end
  end
end

--- Lets the traffic go on for a while.
-- @param seconds of a full-length tour
function guide:pause(seconds, draw)
  local over = loop.now() + self:seconds(seconds)
  self:wait("time", math.huge, function()
    return loop.now() >= over
  end, draw)
end

--- A registry connection that speaks for a service, next to the one that the service holds: any connection that
-- knows the session's id may.
function guide:console(service)
  local console = registry.connect(self.proxy.registry_address)
  console.session = service.session
  return console
end

--- The JSON that a command answers with.
function guide:json(console, command, ...)
  return cjson.decode((console:ok(command, ...)))
end

local DESCRIBE = {
  circuit_changed = function(e)
    return ("%s: %s %s %s (%s)"):format(e.instance, e.from, screen.symbol("→", "->"), e.to, e.cause)
  end,
  backend_health_changed = function(e)
    return ("%s is %s%s"):format(e.instance, e.state, type(e.reason) == "string" and ", " .. e.reason or "")
  end,
  drain_completed = function(e)
    return ("%s: %d requests turned away"):format(e.instance, e.requests_turned_away)
  end,
  maintenance_changed = function(e)
    return ("%s %s maintenance"):format(e.instance, e.in_maintenance and "enters" or "leaves")
  end,
}

local function note_event(self, line)
  local name, text = line:match("^EVENT|([%w_]+)|(.*)$")
  if DESCRIBE[name] then
    local event = cjson.decode(text)
    event.name = name
    self.events[#self.events + 1] = event
    screen.say("  %s  %s  %s", screen.paint("dim", ("%5.1f s"):format(loop.now() - self.started)),
      screen.paint("cyan", name), DESCRIBE[name](event))
  end
end

--- Prints a service's events as they come, and keeps them for wait_event.
function guide:listen(service)
  local ear = self:console(service)
  ear:ok("SUBSCRIBE", "all")
  loop.spawn(function()
    ear.stream.timeout = math.huge
    local line = ear:try_line()
    while line do
      note_event(self, line)
      line = ear:try_line()
    end
  end)
end

--- Waits for an event that came after those waited for before.
-- @param wanted fields and their values
function guide:wait_event(name, wanted, limit, draw)
  local function matches(event)
    for key, value in pairs(wanted) do
      if event[key] ~= value then
        return false
      end
    end
    return event.name == name
  end
  return self:wait("the event " .. name, limit, function()
    while self.seen < #self.events do
      self.seen = self.seen + 1
      if matches(self.events[self.seen]) then
        return self.events[self.seen]
      end
    end
  end, draw)
end

--- Says what was promised and whether it was kept.
function guide:promise(kept, format, ...)
  local text = format:format(...)
  if not kept then
    self.broken = self.broken + 1
  end
  screen.leave()
  screen.say("  %s %s", kept and screen.paint("green", screen.symbol("✓", "kept:"))
    or screen.paint("red", screen.symbol("✗ broken:", "BROKEN:")), text)
end

--- The promise of all acts that keep a member to serve: clients saw nothing but 200.
function guide:promise_all_well(tally, format, ...)
  local well = tally.failed == 0 and tally.statuses[200] == tally.answers
  self:promise(well, "%s: %d answers, all of them 200, not one failed", format:format(...), tally.answers)
  if tally.failed > 0 then
    screen.say("    %d failed, the last one: %s", tally.failed, tostring(tally.error))
  end
end

--- One line: a share as a bar.
function guide.share_line(label, share, colour, note)
  local line = ("  %-12s%s %3.0f %%"):format(label, screen.bar(share, BAR, colour), share * 100)
  return note and line .. "  " .. note or line
end

--- The lines of the shops' shares of what clients got lately.
function guide:shop_lines()
  local lines, answers = {}, math.max(1, self.recent.answers)
  for i, instance in ipairs({ "shop-a", "shop-b" }) do
    local got = self.recent.from[instance] or 0
    lines[i] = guide.share_line(instance, got / answers, i == 1 and "blue" or "green",
      i == 1 and "of what clients got" or nil)
  end
  return lines
end

--- A request like a browser's, outside of the steady traffic.
function guide:get(path, accept, source)
  return http.get(self.proxy.url, {
    path = path, host = cast.HOST, source = source, headers = { Accept = accept },
  })
end

local function print_folded(text, paint)
  local width = screen.WIDTH - 4
  for at = 1, #text, width do
    screen.say("    %s", paint(text:sub(at, at + width - 1)))
  end
end

local function plain(text)
  return text
end

local function dim(text)
  return screen.paint("dim", text)
end

--- Prints an answer: status, the named fields, the lines of its body that match a pattern.
function guide.print_answer(response, fields, pattern)
  screen.leave()
  screen.say("    %s", screen.paint("yellow", ("HTTP/1.1 %d %s"):format(response.status, response.reason)))
  for _, name in ipairs(fields) do
    for _, value in ipairs(response:values(name)) do
      print_folded(name .. ": " .. value, plain)
    end
  end
  for line in response.body:gmatch("[^\n]+") do
    if line:find(pattern) then
      print_folded(line, dim)
    end
  end
  screen.say("")
end

return guide
