-- Everything that can change what a route is like, at random and by several sessions at once, against a build that
-- compares each snapshot with one made of all routes (src/config/snapshot_check.h) and aborts when they differ: because
-- somebody touched nothing, or as a piece was shared that is another's.
--
-- Environment: TIDELOCK_FAULTS, a build with DEBUG (default: the build under test); TIDELOCK_TOUCH_SEED (1), the
-- first of three seeds; TIDELOCK_TOUCH_DEEDS (1000), how many deeds each.

local dns = require("spec.support.dns")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local random = require("spec.chaos.random")

local BINARY = (os.getenv("TIDELOCK_FAULTS") or os.getenv("TIDELOCK_BUILD") or "build") .. "/tidelock"
local HOSTS = { "a.example", "b.example", "*.example", "*", "a.example,b.example", "b.example,c.example" }
local PATHS = { "/", "/one", "/one/", "/one/two", "/%6fne/three" }
local OPTIONS = {
  timeout = { "1s", "0" }, http2 = { "false", "true" }, encoded_separators = { "true", "false" },
  lb_policy = { "ip_hash", "round_robin" }, policy = { "request_id" }, max_body_size = { "1", "1k" },
  retries = { "0", "2" }, slow_start = { "10s" }, panic = { "fail_open" }, compression = { "true" },
  tls_verify = { "false", "true" }, tls_ca = { "internal" }, tls_server_name = { "other.test" },
  circuit_failure_rate = { "50" }, ratelimit_shadow = { "true" }, preserve_host = { "false" },
  health_check_path = { "/up" }, max_requests = { "5" }, websocket_max = { "5" },
}
local OPTION_NAMES = {}
for name in pairs(OPTIONS) do
  OPTION_NAMES[#OPTION_NAMES + 1] = name
end
table.sort(OPTION_NAMES)

local deeds = {}

--- One of the routes that the session has added, or ALL.
local function target(self)
  return self.added > 0 and self.rng:chance(0.7) and "r" .. self.rng:int(1, self.added) or "ALL"
end

function deeds.add(self)
  local id = self.conn:call("ROUTE_ADD", self.rng:pick(HOSTS), self.rng:pick(PATHS), self.rng:pick(self.world.urls),
    self.rng:int(0, 2))
  self.added = tonumber(id:match("^ROUTE_OK|r(%d+)$")) or self.added
end

function deeds.remove(self)
  self.conn:call("ROUTE_REMOVE", target(self))
end

function deeds.update(self)
  local field = self.rng:pick { "domains", "path", "priority", "backend_url" }
  local values = { domains = HOSTS, path = PATHS, priority = { 0, 1, 2 }, backend_url = self.world.urls }
  self.conn:call("ROUTE_UPDATE", target(self), field, self.rng:pick(values[field]))
end

function deeds.option(self)
  local name = self.rng:pick(OPTION_NAMES)
  if self.rng:chance(0.3) then
    self.conn:call("OPTIONS_REMOVE", target(self), name)
  else
    self.conn:call("OPTIONS_SET", target(self), name, self.rng:pick(OPTIONS[name]))
  end
end

function deeds.header(self)
  local name = self.rng:pick { "X-One", "x-one", "X-Two" }
  if self.rng:chance(0.4) then
    self.conn:call("HEADERS_REMOVE", target(self), name)
  else
    self.conn:call("HEADERS_SET", target(self), name, self.rng:int(1, 3))
  end
end

function deeds.guard(self)
  self.conn:call("RATELIMIT_SET", target(self), self.rng:int(1, 9), "1s")
  self.conn:call("CIRCUIT_BREAKER_SET", target(self), self.rng:int(1, 9), "1s", 1)
end

function deeds.apply(self)
  if self.conn:call("CONFIG_APPLY") == "OK" then
    self.world.applied = self.world.applied + 1
  end
end

function deeds.apply_part(self)
  self.conn:call("CONFIG_APPLY_PARTIAL", self.rng:pick { "routes", "headers", "options", "ratelimit,circuit" })
end

function deeds.rollback(self)
  self.conn:call("CONFIG_ROLLBACK")
end

function deeds.enter(self)
  self.conn:call("MAINT_ENTER", self.rng:pick { "ALL", "/one", "a.example", target(self) },
    self.rng:pick { "", self.world.page.url, self.world.page_by_name }, "moving", "")
end

function deeds.exit(self)
  local whom = self.rng:pick { "ALL", "/one", "a.example", target(self) }
  self.conn:call("MAINT_EXIT", whom, self.rng:pick { "", "force" })
end

function deeds.drain(self)
  self.conn:call("DRAIN_START", "5s")
  self.conn:call("DRAIN_CANCEL")
end

--- Another connection registers the same names: what was live serves on until it applies.
function deeds.take_over(self)
  self.conn = self.world.proxy:registry()
  self.conn:register("spec", self.name)
  self.added = 0
end

function deeds.leave(self)
  self.conn:call("CLIENT_SHUTDOWN")
  deeds.take_over(self)
end

--- Without a connection, until its grace period is over.
function deeds.lose(self)
  self.conn.stream:close()
  self.name = self.name .. "'"
  deeds.take_over(self)
end

--- Static routes whose ids belong to others than before, other limits, the same files read anew.
function deeds.reload(self)
  local config, routes = self.world.config, {}
  for i = 1, self.rng:int(0, 4) do
    routes[i] = { domains = "static" .. self.rng:int(1, 2) .. ".example", path = self.rng:pick { "/", "/one", "/two" },
      backend_url = self.rng:pick(self.world.urls), priority = self.rng:int(0, 1),
      headers = self.rng:chance(0.5) and { ["X-Static"] = tostring(self.rng:int(1, 3)) } or nil }
  end
  config.routes = routes
  config.retries = self.rng:int(0, 3)
  config.limits = { body_size = self.rng:pick { "1k", "2k" } }
  self.world.proxy:write_config(config)
  self.world.proxy:reload()
end

function deeds.resolve(self)
  self.world.names["backend.test"] = { ttl = 1, "127.0.0." .. self.rng:int(1, 3) }
  self.world.names["page.test"] = { ttl = 1, "127.0.0.1", self.rng:chance(0.5) and "127.0.0.2" or nil }
end

local WEIGHTS = { { "add", 8 }, { "remove", 3 }, { "update", 8 }, { "option", 10 }, { "header", 6 }, { "guard", 2 },
  { "apply", 14 }, { "apply_part", 5 }, { "rollback", 1 }, { "enter", 3 }, { "exit", 3 }, { "drain", 1 },
  { "take_over", 1 }, { "leave", 0.5 }, { "lose", 0.5 }, { "reload", 1.5 }, { "resolve", 1 } }

local function start(seed)
  local o = origin.start()
  local names = dns.start { ["backend.test"] = { ttl = 1, "127.0.0.1" }, ["page.test"] = { ttl = 1, "127.0.0.1" } }
  local config = { resolver = { servers = { names.address } }, timeouts = { grace = "1s" },
    backend_tls = { authorities = { internal = pki.authority().certificate } } }
  local p = proxy.start { binary = BINARY, workers = 2, config = config }
  local world = { applied = 0, proxy = p, config = config, names = names.names, page = o,
    page_by_name = ("http://page.test:%d/"):format(o.port),
    urls = { o.url, o.url .. "/base", ("http://backend.test:%d"):format(o.port), "h2c://127.0.0.1:1",
      "https://127.0.0.1:1", "https://backend.test:1" } }
  local sessions = {}
  for i = 1, 3 do
    sessions[i] = { world = world, rng = random.stream(seed, "session " .. i), name = tostring(i), added = 0 }
    deeds.take_over(sessions[i])
  end
  return world, sessions
end

local FIRST = tonumber(os.getenv("TIDELOCK_TOUCH_SEED") or "") or 1
local DEEDS = tonumber(os.getenv("TIDELOCK_TOUCH_DEEDS") or "") or 1000

describe("snapshots of what was touched", function()
  for seed = FIRST, FIRST + 2 do
    it("are as those of everything, whatever changes: seed " .. seed, function()
      local world, sessions = start(seed)
      for i = 1, DEEDS do
        local session = sessions[i % 3 + 1]
        deeds[session.rng:weighted(WEIGHTS)](session)
      end
      assert.is_true(world.proxy.process:running())
      assert.is_true(world.applied > DEEDS / 20)
    end)
  end
end)
