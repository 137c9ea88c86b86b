--- tidelock as it is by default, one worker, its one route registered by a session.

local place = require("spec.bench.place")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local POLICY = [[
return {
  summary = "One header read, one set each way.",
  on_request = function(req)
    if req:header("User-Agent") then
      req:set_header("X-Seen", "yes")
    end
  end,
  on_response = function(res)
    res:set_header("X-Answered", "yes")
  end,
}
]]

--- The product's scripts and the benchmark's policy.
local function scripts()
  local dir = sys.temp_dir()
  os.execute(("cp -r scripts %s/scripts"):format(dir))
  sys.write_file(dir .. "/scripts/policies/bench.lua", POLICY)
  return dir .. "/scripts"
end

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
    scripts = options.script and scripts() or nil, route = options.route ~= false and route or nil,
  }
  if options.setup then
    options.setup(p)
  end
  return {
    pid = p.pid, port = tonumber(p.address:match("%d+$")), proxy = p,
    tls_port = p.https_address and tonumber(p.https_address:match("%d+$")),
  }
end
