--- Who is on stage, in the demo and in the tour: the proxy, on its usual ports where those are free, and
-- three services that register themselves.
--
-- Environment: DEMO_PORTS=any takes ports from the kernel.

local socket = require("socket")
local cleanup = require("spec.support.cleanup")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local cast = {
  HOST = "shop.localhost",
  SERVICES = {
    { service = "shop", instance = "shop-a", path = "/" },
    { service = "shop", instance = "shop-b", path = "/" },
    { service = "api", instance = "api-a", path = "/api" },
  },
}

local HTTP_PORT, HTTPS_PORT, REGISTRY_PORT = 8080, 8443, 8181
local DOMAINS = cast.HOST .. ",localhost,127.0.0.1"

--- The address with the wanted port, or with one from the kernel when it is taken.
local function address_of(port, say)
  if os.getenv("DEMO_PORTS") == "any" then
    return "127.0.0.1:0"
  end
  local probe = assert(socket.tcp4())
  probe:setoption("reuseaddr", true)
  local free = probe:bind("127.0.0.1", port) and probe:listen(1)
  probe:close()
  if not free then
    say("Port %d is taken; using another one.", port)
  end
  return "127.0.0.1:" .. (free and port or 0)
end

--- A certificate that signs itself, for as long as the show lasts.
-- @return certificate, key (file names)
local function make_certificate()
  local dir = sys.temp_dir()
  local pair = { certificate = dir .. "/certificate.pem", key = dir .. "/key.pem" }
  cleanup.add({
    cleanup = function()
      os.execute("rm -rf " .. dir)
    end,
  })
  local made = os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    .. "-subj /CN=%s -addext 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1' -keyout %s -out %s 2>/dev/null"):format(
    cast.HOST, cast.HOST, pair.key, pair.certificate))
  if made ~= 0 and made ~= true then
    error("openssl made no certificate", 0)
  end
  return pair
end

--- Starts the proxy. It gets its certificate's file name as p.certificate.
-- @param say function(format, ...) that tells of a port that is taken
-- @return proxy, as proxy.start makes it
function cast.start_proxy(say)
  if not sys.read_file(proxy.binary) then
    error(("there is no %s; `make run` builds it"):format(proxy.binary), 0)
  end
  local pair = make_certificate()
  local p = proxy.start {
    http = address_of(HTTP_PORT, say),
    https = address_of(HTTPS_PORT, say),
    registry = address_of(REGISTRY_PORT, say),
    config = {
      health_checks = true, access_log = { format = "text", file = "-" }, tls = { certificates = { pair } },
    },
    log_level = "info",
  }
  p.certificate = pair.certificate
  return p
end

--- Starts a service and waits until its route is live.
-- @param wanted one of cast.SERVICES
-- @param settings nil, or health_interval, slow_start (durations)
-- @return instance, path, process, session (id), route (id), url
function cast.start_service(p, wanted, settings)
  settings = settings or {}
  local self = { instance = wanted.instance, path = wanted.path, wanted = wanted }
  self.process = process.start({
    "/usr/bin/luajit", "spec/demo/service.lua", wanted.service, wanted.instance,
    p.registry_address, DOMAINS, wanted.path, settings.health_interval or "5s", settings.slow_start or "0",
  }, { name = wanted.instance })
  self.session, self.route, self.url = self.process:wait_line("^registered (%S+) (%S+) (%S+)$")
  return self
end

--- The services say good-bye, then the proxy stops.
function cast.stop(p, services)
  for _, service in ipairs(services) do
    service.process:signal("TERM")
    service.process:wait_exit()
  end
  p:stop()
end

return cast
