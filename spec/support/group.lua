--- A proxy with one group: every given backend is a member of it, in a session of its own or in one.
--
--   local g = group.start({ a.url, b.url }, { options = { retries = "0" }, circuit = { 3, "30s", 1 } })
--   g:get("/").status; g:circuit("r1").state; g:stats("r1").requests; g.session:call("DRAIN_START", "10")

local cjson = require("cjson")
local proxy = require("spec.support.proxy")

local group = {}
group.__index = group

local function set_up(session, id, options)
  for key, value in pairs(options.options or {}) do
    session:ok("OPTIONS_SET", id, key, value)
  end
  for command, fields in pairs { CIRCUIT_BREAKER_SET = options.circuit, HEALTH_SET = options.health,
    RATELIMIT_SET = options.ratelimit } do
    session:ok(command, id, unpack(fields))
  end
end

--- Starts a proxy, registers a session (service "spec", instance "one") with a route for each URL, applies.
-- @param urls list; routes are r1, r2, ...
-- @param options options (of every route), circuit, health, ratelimit (lists of the command's fields), config,
--   workers (default 1), https, scripts, env (of proxy.start), host (default "*"), apart = true: a session for each
--   member,
--   instances "1", "2", ..., each with its route r1 (sessions[i])
function group.start(urls, options)
  options = options or {}
  local self = setmetatable({ sessions = {} }, group)
  self.proxy = proxy.start { config = options.config, workers = options.workers or 1, scripts = options.scripts,
    https = options.https, env = options.env }
  for i, url in ipairs(urls) do
    local session = self.sessions[#self.sessions]
    if options.apart or not session then
      session = self.proxy:registry()
      session:register("spec", options.apart and tostring(i) or "one")
      self.sessions[#self.sessions + 1] = session
    end
    set_up(session, session:ok("ROUTE_ADD", options.host or "*", "/", url, 0), options)
  end
  for _, session in ipairs(self.sessions) do
    session:ok("CONFIG_APPLY")
  end
  self.session = self.sessions[1]
  return self
end

function group:get(path, request)
  return self.proxy:get(path, request)
end

--- The JSON that a command answers with.
function group:json(command, ...)
  return cjson.decode((self.session:ok(command, ...)))
end

function group:circuit(route)
  return self:json("CIRCUIT_BREAKER_STATUS", route)
end

function group:status(route)
  return self:json("ROUTE_STATUS", route)
end

function group:stats(route)
  return self:json("STATS_GET", route)
end

return group
