--- Client of the registry protocol.
--
--   local r = proxy:registry()
--   r:register("shop", "a")                                 -- session id, kept in r.session
-- local route = r:ok("ROUTE_ADD", "a.example", "/", url, 0)   -- "r1": what follows the response
-- word
--   r:call("CONFIG_APPLY")                                  -- the response line, whatever it is
--
-- call and ok put the session id in; ask sends a line as it is. Lines the proxy sends by itself
-- are kept apart: events, next_event.

local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local stream = require("spec.support.stream")
local tls = require("spec.support.tls")

local registry = {}
registry.__index = registry

local UNASKED = { "^EVENT|", "^MAINT_OK|", "^SHUTDOWN$", "^ERROR|timeout waiting for ",
  "^ERROR|txn[-_:][^|]*|timeout waiting for " }
local SESSIONLESS = { REGISTER = true, RECONNECT = true, AUTH = true }

--- Connects.
-- @param address "127.0.0.1:8181" or "[::1]:8181"
-- @param options of stream.connect; tls: options of tls.context for a client
function registry.connect(address, options)
  local host, port = address:match("^%[?([^%]]+)%]?:(%d+)$")
  local bytes, err = stream.connect(host, tonumber(port), options)
  if bytes and options and options.tls then
    bytes, err = tls.connect(bytes, tls.context(options.tls))
  end
  if not bytes then
    error(("cannot connect to the registry at %s: %s"):format(address, err), 0)
  end
  return cleanup.add(setmetatable({ stream = bytes, address = address, events = {} }, registry))
end

--- Sends bytes as they are.
function registry:send(bytes)
  local ok, err = self.stream:write(bytes)
  if not ok then
    error("cannot send to the registry: " .. err, 0)
  end
end

local function is_unasked(line)
  for _, pattern in ipairs(UNASKED) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

--- Reads the next line, event or not.
-- @return line; nil, error
function registry:try_line()
  return self.stream:read_line()
end

--- Reads the next response. Events that come before it are added to events.
function registry:receive()
  while true do
    local line, err = self:try_line()
    if not line then
      error("no response from the registry: " .. err, 0)
    end
    if not is_unasked(line) then
      return line
    end
    self.events[#self.events + 1] = line
  end
end

--- The next line that the proxy sends by itself: the oldest in events, or one that comes.
function registry:next_event()
  if #self.events > 0 then
    return table.remove(self.events, 1)
  end
  local line, err = self:try_line()
  if not line then
    error("no event from the registry: " .. err, 0)
  end
  if not is_unasked(line) then
    error("expected an event, got a response: " .. line, 2)
  end
  return line
end

--- Sends a line and reads the response to it.
function registry:ask(line)
  self:send(line .. "\n")
  return self:receive()
end

--- Text of a command.
function registry:format(command, ...)
  local fields = { command }
  if self.session and not SESSIONLESS[command] then
    fields[2] = self.session
  end
  for i = 1, select("#", ...) do
    fields[#fields + 1] = tostring((select(i, ...)))
  end
  return table.concat(fields, "|")
end

--- Sends a command with the session's id in its place.
-- @return the response line
function registry:call(command, ...)
  return self:ask(self:format(command, ...))
end

--- The same; an ERROR (or REREGISTER) is raised.
-- @return what follows the response word and its "|"; "" for a response of one word
function registry:ok(command, ...)
  local response = self:call(command, ...)
  if response:find("^ERROR") or response == "REREGISTER" then
    error(("%s was refused: %s"):format(self:format(command, ...), response), 2)
  end
  return response:match("^[^|]*|(.*)$") or ""
end

--- Registers a session.
-- @return the session id
function registry:register(service, instance, maintenance_port, metadata)
  self.session = self:ok("REGISTER", service or "service", instance or "instance", maintenance_port or "",
    metadata or "")
  return self.session
end

--- Takes up a session.
-- @return the response line
function registry:reconnect(session)
  local response = self:call("RECONNECT", session)
  if response == "OK" then
    self.session = session
  end
  return response
end

--- Adds one route and applies.
-- @param route to (URL), host (default "*"), path (default "/"), priority (default 0), options
--   (table)
-- @return route id
function registry:route(route)
  local id = self:ok("ROUTE_ADD", route.host or "*", route.path or "/", route.to, route.priority or 0)
  for key, value in pairs(route.options or {}) do
    self:ok("OPTIONS_SET", id, key, value)
  end
  if route.circuit then
    local circuit = route.circuit
    self:ok("CIRCUIT_BREAKER_SET", id, circuit.threshold, circuit.cooldown, circuit.half_open or 1)
  end
  self:ok("CONFIG_APPLY")
  return id
end

--- Waits for the end of the connection; responses that come before it are an error, events are
-- kept.
function registry:wait_closed()
  while true do
    local line, err = self:try_line()
    if not line then
      if err == "timeout" then
        error("the registry connection stays open", 2)
      end
      return err
    end
    if not is_unasked(line) then
      error("expected the end of the connection, got: " .. line, 2)
    end
    self.events[#self.events + 1] = line
  end
end

--- Waits until an event matches.
function registry:wait_event(pattern, timeout)
  local deadline = loop.now() + (timeout or loop.TIMEOUT)
  repeat
    local line = self:next_event()
    if line:find(pattern) then
      return line
    end
  until loop.now() > deadline
  error("no event like " .. pattern, 2)
end

function registry:ended()
  return self.stream:ended()
end

function registry:reset()
  self.stream:reset()
end

function registry:close()
  self.stream:close()
end

function registry:cleanup()
  self.stream:close()
end

return registry
