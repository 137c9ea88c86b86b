--- Backends with TLS, and proxies that trust them.
--
--   local o = tls_origin.start(handler)                        -- for backend.example and 127.0.0.1, signed by "spec"
--   local p = tls_origin.proxy({ to = o.url })                 -- tls_ca=internal is that authority

local pki = require("spec.support.pki")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local tls_origin = {}

local usual -- certificate, made once

--- @param handler of origin.start
-- @param options of tls.context; certificate: what pki.certificate takes
function tls_origin.start(handler, options)
  local own = {}
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  usual = usual or pki.certificate { names = { "backend.example", "127.0.0.1" } }
  local files = own.certificate and pki.certificate(own.certificate) or usual
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
    internal = pki.authority().certificate, other = pki.authority("other").certificate } }
  if route then
    route.options = route.options or { tls_ca = "internal" }
  end
  own.route = route
  return proxy.start(own)
end

return tls_origin
