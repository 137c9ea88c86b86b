--- A proxy that checks the health of its members, for the specs of that.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local checks = {}

--- @param options of proxy.start; config may be a table
-- @return proxy, registry connection with a session that subscribed to changes of health
function checks.start(options)
  options = options or {}
  options.workers, options.config = 1, options.config or {}
  if options.config.health_checks == nil then
    options.config.health_checks = true
  end
  local p = proxy.start(options)
  local r = p:registry()
  r:register("shop", "shop-1")
  r:ok("SUBSCRIBE", "backend_health_changed")
  return p, r
end

--- A copy of scripts/ with health policies of one's own: name to the body of judge(check).
function checks.scripts(policies)
  local dir = sys.temp_dir()
  os.execute("cp -r scripts/commands scripts/hooks scripts/health " .. dir)
  for name, body in pairs(policies) do
    local text = "return { summary = \"\", judge = function(check)\n%s\nend }\n"
    sys.write_file(("%s/health/%s.lua"):format(dir, name), text:format(body))
  end
  return dir
end

--- Adds a route and applies.
-- @param check path (explicit check), interval, timeout (texts), policy, host, all optional
-- @return route id
function checks.route(r, url, check)
  check = check or {}
  local id = r:ok("ROUTE_ADD", check.host or "*", "/", url, 0)
  for key, option in pairs { interval = "health_check_interval", timeout = "health_check_timeout",
    path = "health_check_path", policy = "health_policy" } do
    if check[key] then
      r:ok("OPTIONS_SET", id, option, check[key])
    end
  end
  r:ok("CONFIG_APPLY")
  return id
end

--- What ROUTE_STATUS says about a route's health.
function checks.health(r, route)
  return cjson.decode(r:ok("ROUTE_STATUS", route or "r1")).health
end

--- Waits until a route's health is in a state.
-- @return what ROUTE_STATUS says then
function checks.wait_state(r, state, route)
  return loop.eventually(function()
    local health = checks.health(r, route)
    return health.state == state and health
  end)
end

--- The next change of health that the session is told, as a table.
function checks.event(r)
  return cjson.decode(r:next_event():match("^EVENT|backend_health_changed|(.*)$"))
end

--- How often something is in the log so far.
function checks.count_log(p, text)
  local count, from = 0, 1
  while true do
    local _, stop = p:log():find(text, from, true)
    if not stop then
      return count
    end
    count, from = count + 1, stop + 1
  end
end

--- Waits until something is in the log this often.
function checks.wait_log(p, text, count)
  loop.eventually(function() return checks.count_log(p, text) == count end)
end

return checks
