--- tidelock as it is by default, one worker, its one route registered by a session.

local place = require("spec.bench.place")
local policy = require("spec.bench.policy")
local proxy = require("spec.support.proxy")

--- @param options of peers.start; besides: config (settings), workers, cores (nil: the proxy's), route (false: none),
--   setup (function(proxy): what more is registered)
return function(options)
  local config = { health_checks = true }
  for key, value in pairs(options.config or {}) do
    config[key] = value
  end
  if options.tls then
    config.tls = { certificates = { { certificate = options.tls.certificate, key = options.tls.key } } }
  end
  local core = options.cores ~= "both" and place.PROXY or nil
  local route = { to = "http://127.0.0.1:" .. options.origin, options = options.script and { policy = "bench" } or nil }
  local p = proxy.start {
    workers = options.workers or 1, config = config, https = options.tls and true or nil, log_level = "warn",
    under = place.on(core),
    scripts = options.script and policy.scripts() or nil, route = options.route ~= false and route or nil,
  }
  if options.setup then
    options.setup(p)
  end
  return {
    pid = p.pid, port = tonumber(p.address:match("%d+$")), proxy = p,
    tls_port = p.https_address and tonumber(p.https_address:match("%d+$")),
  }
end
