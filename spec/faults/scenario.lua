--- What happens while something fails: a bit of everything that the proxy does. Every part goes on whatever it meets;
-- what must not be is noted in the world.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local websocket = require("spec.support.websocket")
local world = require("spec.faults.world")

local scenario = {}

-- ---- the registry

local service = {}
service.__index = service

--- A service that tries again as services do: with a new connection when the old one broke.
local function new_service(w, name)
  return setmetatable({ world = w, name = name }, service)
end

function service:connect()
  local ok, r = pcall(self.world.proxy.registry, self.world.proxy)
  self.registry = ok and r or nil
  return ok
end

--- Sends a command. Answers are what the registry may say; silence is wrong.
-- @return the answer, or nil when the connection broke
function service:call(...)
  if not self.registry and not self:connect() then
    return nil
  end
  local began = loop.now()
  self.registry.session = self.session or "none"
  local ok, line = pcall(self.registry.call, self.registry, ...)
  if ok then
    return line
  elseif loop.now() - began >= loop.TIMEOUT then
    self.world:complain("%s: no answer in time", (...))
  end
  pcall(self.registry.close, self.registry)
  self.registry = nil
  return nil
end

--- Registers and applies the routes of all hosts.
-- @return true when each command was answered well
function service:set_up()
  local line = self:call("REGISTER", self.name, "one", "", "")
  self.session = line and line:match("^ACK|([^|]+)") or line and line:match("|([%x-]+)$")
  if not self.session then
    return false, line
  end
  self.routes = {}
  for _, host in ipairs(world.HOSTS) do
    local added = self:call("ROUTE_ADD", host, "/", self.world.urls[host], 0) or ""
    local route = added:match("|(r%d+)$")
    if not route then
      return false, added
    end
    self.routes[host] = route
  end
  return self:settings()
end

function service:settings()
  local r = self.routes
  local lines = {
    { "OPTIONS_SET", r["tls.example"], "tls_ca", "internal" },
    { "OPTIONS_SET", r["a.example"], "compression", "true" },
    { "OPTIONS_SET", r["a.example"], "policy", "request_id" },
    { "HEADERS_SET", "ALL", "X-By", "tidelock" },
    { "HEALTH_SET", r["a.example"], "/health", "1s", "1s" },
    { "RATELIMIT_SET", r["h2.example"], "1000000", "1s" },
    { "CIRCUIT_BREAKER_SET", r["dead.example"], "1", "10s", "1" },
    { "CONFIG_VALIDATE" },
    { "CONFIG_APPLY" },
  }
  for _, line in ipairs(lines) do
    local answer = self:call(unpack(line)) or "nothing"
    if not answer:find("^OK") and not answer:find("_OK") then
      return false, answer
    end
  end
  return true
end

-- ---- traffic

local function ask_all(w, way)
  local client = w:client(way)
  for _, host in ipairs(world.HOSTS) do
    w:try(client, host, { path = "/way" .. way })
  end
  w:try(client, "a.example", { path = "/big" })
  w:try(client, "h2.example", { path = "/big" })
  w:try(client, "a.example", { method = "POST", path = "/up", body = world.UPLOAD })
  w:try(client, "tls.example", { method = "POST", path = "/up", body = world.UPLOAD })
  pcall(client.close, client)
end

-- Its body is not looked at, but has to be framed well.
local function ask_compressed(w)
  local client = w:client(1)
  local ok, r = pcall(client.request, client, { host = "a.example", path = "/big",
    headers = { ["Accept-Encoding"] = "gzip" } })
  if ok and r.status == 200 and not r.cut and r.headers["Content-Encoding"] ~= "gzip" and r.body ~= world.BIG then
    w:complain("what was asked for compressed has a wrong body")
  end
  pcall(client.close, client)
end

local function talk(w)
  pcall(function()
    local ws = websocket.connect(w.proxy, { host = "a.example" })
    if not ws then
      return
    end
    for i = 1, 3 do
      ws:send("message " .. i)
      local got = ws:receive_message()
      if got and got ~= "message " .. i then
        w:complain("a tunnel sends back %q", got)
      end
    end
    ws:close(1000)
  end)
end

-- ---- what services do meanwhile

local function steer(s)
  local dead, a = s.routes and s.routes["dead.example"] or "r5", s.routes and s.routes["a.example"] or "r1"
  s:call("SUBSCRIBE", "all")
  s:call("ROUTE_STATUS", "r1")
  s:call("STATS_GET", "ALL")
  s:call("BACKEND_TEST", s.world.urls["a.example"] .. "/")
  s:call("BACKEND_TEST", s.world.urls["h2.example"] .. "/")
  s:call("CIRCUIT_BREAKER_STATUS", dead)
  s:call("CIRCUIT_BREAKER_RESET", dead)
  s:call("MAINT_ENTER", a, "", "a pause", "")
  s:call("MAINT_STATUS")
  s:call("MAINT_EXIT", a, "force")
  s:call("DRAIN_START", "30s")
  s:call("DRAIN_STATUS")
  s:call("DRAIN_CANCEL")
  s:call("ROUTE_ADD_BULK", ('[{"domains":["bulk.example"],"path":"/","backend_url":"%s","priority":0}]'):format(
    s.world.urls["a.example"]))
  s:call("CONFIG_DIFF")
  s:call("CONFIG_ROLLBACK")
  s:call("HEADERS_SET", "ALL", "X-By", "others")
  s:call("CONFIG_APPLY")
  s:call("CERT_STATUS")
  s:call("SCRIPTS_RELOAD")
  s:call("SCRIPTS_STATUS")
end

--- Runs all of it.
function scenario.run(w)
  local s = new_service(w, "shop")
  if not s:set_up() then
    s:set_up()
  end
  local ways = {}
  for way = 1, 4 do
    ways[way] = function()
      ask_all(w, way)
    end
  end
  ways[5] = function()
    ask_compressed(w)
    talk(w)
  end
  ways[6] = function()
    steer(s)
  end
  for i, way in ipairs(ways) do
    ways[i] = loop.spawn(way)
  end
  for _, task in ipairs(ways) do
    loop.join(task, 8 * loop.TIMEOUT) -- each of its waits ends by itself
  end
  w.proxy:reload()
  ask_all(w, 1)
  s:call("CLIENT_SHUTDOWN")
end

-- ---- afterwards

local function check(ok, ...)
  if not ok then
    error(string.format(...), 0)
  end
end

-- A service that comes anew gets all it asks for, and every route serves.
local function serves(w)
  local s = new_service(w, "shop")
  local ok, answer = s:set_up()
  check(ok, "a new service cannot set itself up: %s", answer)
  for way = 1, 4 do
    local client = w:client(way)
    for i = 1, #world.HOSTS - 1 do
      local r = client:request { host = world.HOSTS[i], path = "/after" }
      local good = r.status == 200 and r.body == world.HOSTS[i] .. " /after"
      check(good, "%s does not serve afterwards: %s", world.HOSTS[i], r.status)
    end
    client:close()
  end
  -- All is counted, and nothing else: the route is new.
  loop.eventually(function()
    local stats = cjson.decode((s:call("STATS_GET", s.routes["tls.example"]) or ""):match("{.*}"))
    return stats.requests == 4 and stats.errors == 0
  end, 2)
  return true
end

--- Waits until everything is served again.
function scenario.heal(w)
  local last
  local ok = pcall(loop.eventually, function()
    local good, err = pcall(serves, w)
    last = err
    return good
  end, 10)
  if not ok then
    w:complain("%s", tostring(last))
  end
end

return scenario
