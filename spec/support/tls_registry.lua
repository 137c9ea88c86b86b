--- Proxies whose registry listens with TLS, too.

local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")

local tls_registry = {}

--- Starts one.
-- @param own settings of registry_tls
-- @param config further settings
function tls_registry.start(own, config)
  local files = pki.certificate({ names = { "registry.example" } })
  local all = { listen = "127.0.0.1:0", certificate = files.certificate, key = files.key }
  for key, value in pairs(own or {}) do
    all[key] = value
  end
  config = config or {}
  config.registry_tls = all
  return proxy.start { config = config }
end

--- Settings of registry_tls that ask for certificates of the authority "spec".
function tls_registry.asking(mode, more)
  local own = { client_ca = pki.authority().certificate, client_certificates = mode }
  for key, value in pairs(more or {}) do
    own[key] = value
  end
  return own
end

return tls_registry
