--- Backends with TLS, and proxies that trust them.
--
--   local o = tls_origin.start(handler)                        -- for backend.example and 127.0.0.1, signed by "spec"
--   local p = tls_origin.proxy({ to = o.url })                 -- tls_ca=internal is that authority

local certificates = require("spec.support.certificates")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local tls_origin = {}

--- @param handler of origin.start
-- @param options of tls.context; certificate: what certificates.make takes
function tls_origin.start(handler, options)
  local own = {}
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  local files = certificates.make(own.certificate or { dns = { "backend.example" }, ip = { "127.0.0.1" } })
  own.certificate, own.key = files.certificate, files.key
  return origin.start(handler, { tls = own })
end

--- @param route of proxy.start; option tls_ca is "internal" when it has no options
-- @param options of proxy.start; its config, a table, gets the authorities "internal" and "other"
function tls_origin.proxy(route, options)
  local own = { config = {} }
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  own.config.backend_tls = own.config.backend_tls or { authorities = {
    internal = certificates.authority().file, other = certificates.authority("other").file } }
  if route then
    route.options = route.options or { tls_ca = "internal" }
  end
  own.route = route
  return proxy.start(own)
end

return tls_origin
