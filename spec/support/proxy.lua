--- The proxy under test: the real program, on ports from the kernel, stopped at the spec's end.
--
--   local p = proxy.start { route = { to = o.url } }
--   p:get("/").status; p:request { method = "POST", body = "x" }; p:connect(); p:registry()
--
-- At its end it has to exit with 0 after SIGTERM and no sanitizer may have reported anything;
-- otherwise the spec fails.

local cjson = require("cjson")
local cleanup = require("spec.support.cleanup")
local http = require("spec.support.http")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local process = require("spec.support.process")
local registry = require("spec.support.registry")
local sys = require("spec.support.sys")

local proxy = { eventually = loop.eventually }
proxy.__index = proxy

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"
local SANITIZER_LOG = os.getenv("TIDELOCK_SANITIZER_LOG")

--- The program under test.
proxy.binary = BUILD .. "/tidelock"

local function literal(value, indent)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local lines, inner = {}, indent .. "  "
  for _, item in ipairs(value) do
    lines[#lines + 1] = inner .. literal(item, inner) .. ","
  end
  for key, item in pairs(value) do
    if type(key) == "string" then
      lines[#lines + 1] = ("%s[%q] = %s,"):format(inner, key, literal(item, inner))
    end
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

--- Text of a configuration file. Health checks are off unless the table says otherwise: most specs
-- count what their backends get. Files of specs come and go in directories of their own, so the sandbox lets all of
-- them be read.
-- @param config table of settings, or the text itself
function proxy.config_text(config)
  if type(config) == "string" then
    return config
  end
  local lines = {}
  if config.health_checks == nil then
    lines[1] = "health_checks = false"
  end
  if config.sandbox_paths == nil then
    lines[#lines + 1] = ("sandbox_paths = { %q }"):format(os.getenv("TMPDIR") or "/tmp")
  end
  for key, value in pairs(config) do
    lines[#lines + 1] = ("%s = %s"):format(key, literal(value, ""))
  end
  table.sort(lines)
  return table.concat(lines, "\n") .. "\n"
end

-- ThreadSanitizer of gcc 12 refuses to run where the kernel randomizes addresses by more than 28
-- bits.
local function launcher(options)
  local bits = tonumber(sys.read_file("/proc/sys/vm/mmap_rnd_bits") or "") or 28
  local before = {}
  if BUILD:find("tsan") and bits > 28 then
    before = { "/usr/bin/setarch", "-R" }
  end
  if options.descriptors then -- a shell's limit is soft and hard
    local set = ('ulimit -n %d && exec "$@"'):format(options.descriptors)
    before = { "/bin/sh", "-c", set, "sh", unpack(before) }
  end
  return before
end

local function command_line(self, options)
  local args = options.under and { unpack(options.under) } or launcher(options)
  local function add(...)
    for _, arg in ipairs({ ... }) do
      args[#args + 1] = tostring(arg)
    end
  end
  add(options.binary or proxy.binary)
  if options.http ~= false then
    add("--http", options.http or "127.0.0.1:0")
  end
  if options.https then
    add("--https", options.https == true and "127.0.0.1:0" or options.https)
  end
  if options.registry ~= false then
    add("--registry", options.registry or "127.0.0.1:0")
  end
  add("--workers", options.workers or 2)
  self:write_config(options.config or {})
  add("--config", self.config_path)
  if options.scripts then
    add("--scripts", options.scripts)
  end
  if options.log_level then
    add("--log-level", options.log_level)
  end
  add(unpack(options.args or {}))
  return args
end

local function launch(self, options)
  local env = { ASAN_OPTIONS = os.getenv("TIDELOCK_PROXY_ASAN_OPTIONS") }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  self.process = process.start(command_line(self, options), { name = "tidelock", dir = self.dir, env = env })
  cleanup.remove(self.process) -- ended by the proxy's own clean-up
  self.pid = self.process.pid
end

local function wait_ready(self)
  self.process:wait_line("^ready workers=%d+$")
  self.http_addresses, self.https_addresses = {}, {}
  for line in sys.read_file(self.process.stdout):gmatch("[^\n]+") do
    local kind, address = line:match("^listening (%S+) (%S+)$")
    if kind == "registry" then
      self.registry_address = address
    elseif kind == "registry_tls" then
      self.registry_tls_address = address
    elseif kind == "http" then
      table.insert(self.http_addresses, address)
    elseif kind == "https" then
      table.insert(self.https_addresses, address)
    end
  end
  self.address = self.http_addresses[1]
  self.url = self.address and "http://" .. self.address
  self.https_address = self.https_addresses[1]
end

--- Starts the proxy and waits until it is ready.
-- @param options workers (default 2), config (table or text; health checks are off in a table that does not
--   name them), scripts (directory), log_level,
--   args (list), env (table), under (list: what runs the program, and its arguments), descriptors (most that it may
--   have open), https (true or an address; needs config.tls), http, registry (addresses; default: 127.0.0.1 and a
--   port from the kernel; false: no such argument), route (one route, as registry:route takes it, registered in a
--   session: self.session, self.route_id), host (Host of requests that name none; default: the route's)
-- @return proxy: url, address, registry_address, pid, dir
function proxy.start(options)
  options = options or {}
  local self = setmetatable({ dir = sys.temp_dir(), exit_code = 0 }, proxy)
  cleanup.add(self)
  launch(self, options)
  wait_ready(self)
  local route = options.route
  self.host = options.host
  if route then
    self.session = self:registry()
    self.session:register("spec", "one")
    self.route_id = self.session:route(route)
    if not self.host and route.host and not route.host:find("*", 1, true) then
      self.host = route.host:match("^[^,]+")
    end
  end
  return self
end

--- Starts the proxy like start; a program that refuses to start is no error.
-- @param options as start takes them, without a route; binary: another build of the program
-- @return proxy; nil, its process
function proxy.try(options)
  local self = setmetatable({ dir = sys.temp_dir(), exit_code = 0 }, proxy)
  cleanup.add(self)
  launch(self, options)
  local ok, err = pcall(wait_ready, self)
  if ok then
    return self
  elseif self.process:running() then
    error(err, 0)
  end
  self.expected_end = true
  return nil, self.process
end

--- Runs the program to its end, for what refuses to start, --help and the like.
-- @param args list
-- @return exit code (nil when a signal ended it), standard output, standard error
function proxy.run(args, options)
  local command = { proxy.binary }
  for _, arg in ipairs(args) do
    command[#command + 1] = arg
  end
  local run = process.start(command, { name = "tidelock", env = options and options.env })
  local code = run:wait_exit(60)
  local stdout, stderr = sys.read_file(run.stdout), sys.read_file(run.stderr)
  run:cleanup()
  cleanup.remove(run)
  return code, stdout, stderr
end

--- Writes the configuration file (self.config_path); reload() makes a running proxy read it.
function proxy:write_config(config)
  self.config_path = self.dir .. "/tidelock.lua"
  sys.write_file(self.config_path, proxy.config_text(config))
end

--- SIGHUP.
function proxy:reload()
  self:signal("HUP")
end

--- A client connection; options as http.connect takes them.
function proxy:connect(options)
  local c = http.connect(self.url, options)
  c.authority = self.host or c.authority
  return c
end

--- A request on a connection of its own.
function proxy:request(request)
  local own = {}
  for key, value in pairs(request or {}) do
    own[key] = value
  end
  if own.host == nil then
    own.host = self.host
  end
  return http.request(self.url, own)
end

function proxy:get(path, request)
  local own = { path = path }
  for key, value in pairs(request or {}) do
    own[key] = value
  end
  return self:request(own)
end

--- A connection to the registry.
function proxy:registry(options)
  return registry.connect(self.registry_address, options)
end

--- What PROXY_STATUS says, as a table.
function proxy:status()
  local r = self:registry()
  local text = r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$")
  r:close()
  return cjson.decode(text)
end

--- A connection to the registry with TLS.
-- @param options of tls.context for a client
function proxy:registry_tls(options)
  local own = { client = true }
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  return registry.connect(self.registry_tls_address, { tls = own })
end

--- Everything it has logged so far.
function proxy:log()
  return sys.read_file(self.process.stderr) or ""
end

--- Waits for a line in the log.
-- @return the pattern's captures
function proxy:wait_log(pattern, timeout)
  local ok, found = pcall(loop.eventually, function()
    local captures = { self:log():match(pattern) }
    return #captures > 0 and captures
  end, timeout)
  if not ok then
    error("nothing in the log like " .. pattern, 2)
  end
  return unpack(found)
end

--- The access log on standard output: a list with a table of fields for each request, oldest
-- first.
function proxy:access_log()
  return log_line.access(sys.read_file(self.process.stdout) or "")
end

--- The times of all requests in the access log on standard output, oldest first, wall clock ms. For a
-- log that is long: its lines do not become strings, as LuaJIT takes ages for many long ones that are
-- nearly alike.
function proxy:access_times()
  local times = {}
  for text in (sys.read_file(self.process.stdout) or ""):gmatch('time="([^"]+)"') do
    times[#times + 1] = log_line.wall_ms(text)
  end
  return times
end

function proxy:signal(name)
  self.process:signal(name)
end

--- Resident memory now, bytes.
function proxy:rss()
  return self.process:rss()
end

--- By what resident memory grows at a step that is taken again and again, bytes: the median. A leak shows in most
-- of them; what the allocator takes once, as when more than before is under way on a busy machine, does not.
-- @param count steps that are measured; one goes before, to warm up
-- @param step function(i), i from 0 to count
function proxy:growth(count, step)
  step(0)
  local before, grown = self:rss(), {}
  for i = 1, count do
    step(i)
    grown[i], before = self:rss() - before, self:rss()
  end
  table.sort(grown)
  return grown[math.ceil(count / 2)]
end

--- Open descriptors now.
function proxy:descriptors()
  return self.process:descriptors()
end

--- CPU time used so far, seconds.
function proxy:cpu_seconds()
  return self.process:cpu_seconds()
end

--- Waits for its end and says that this end is no accident.
-- @return exit code, or nil and the signal's name
function proxy:wait_exit(timeout)
  local code, signal = self.process:wait_exit(timeout)
  self.expected_end = true
  return code, signal
end

local function sanitizer_report(self)
  if not SANITIZER_LOG then
    return nil
  end
  return sys.read_file(("%s.%d"):format(SANITIZER_LOG, self.pid))
end

--- Ends it by SIGTERM and checks that it ends well.
function proxy:stop()
  local ended_before = not self.process:running()
  self.process:signal("TERM")
  local code, signal = self.process:wait_exit()
  local report = sanitizer_report(self)
  if report then
    error("a sanitizer reported:\n" .. report, 0)
  elseif ended_before and not self.expected_end then
    error(("tidelock ended by itself: %s"):format(signal or "exit code " .. code), 0)
  elseif code ~= 0 and not self.expected_end then
    error(("tidelock ended badly after SIGTERM: %s"):format(signal or "exit code " .. code), 0)
  end
  self.expected_end = true
end

--- The end of the log, for a spec that failed.
local function print_logs(self)
  local text = self.process:output()
  if #text > 20000 then
    text = "... " .. text:sub(-20000)
  end
  io.stderr:write("\n", text)
end

function proxy:cleanup(failed)
  local ok, err = true, nil
  if self.process then
    ok, err = pcall(self.stop, self)
    if failed or not ok then
      print_logs(self)
    end
    self.process:cleanup()
  end
  os.execute("rm -rf " .. self.dir)
  if not ok then
    error(err, 0)
  end
end

return proxy
