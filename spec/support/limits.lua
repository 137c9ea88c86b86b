--- What specs of the registry's limits ask and expect.

local cjson = require("cjson")
local proxy = require("spec.support.proxy")

local limits = {}

--- What PROXY_STATUS says.
-- @param r registry connection
function limits.status(r)
  return cjson.decode((r:ask("PROXY_STATUS"):match("^PROXY_STATUS_OK|(.*)$")))
end

--- The refusal that names a limit: what there was too much of, its setting below limits, its value.
function limits.too_many(what, limit, value)
  return ("ERROR|%s: limits.%s = %d"):format(what, limit, value)
end

--- A registry connection with a session of this service and instance.
function limits.session(p, service, instance)
  local r = p:registry()
  r:register(service, instance)
  return r
end

--- A proxy with limits and a session of the service "shop".
-- @param values settings below limits; more: further settings
-- @return proxy, the session's registry connection
function limits.start(values, more)
  local config = more or {}
  config.limits = values
  local p = proxy.start { config = config }
  local r = p:registry()
  if config.registry_token then
    r:ok("AUTH", config.registry_token)
  end
  r:register("shop", "one")
  return p, r
end

return limits
