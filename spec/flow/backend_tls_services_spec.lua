local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls_origin = require("spec.support.tls_origin")

local DENIED = "tls_cert: backend_tls.certificates.proxy is not for this service"

--- The configuration: a certificate for backends that these services may choose.
local function config(own, services, routes)
  return { backend_tls = {
    authorities = { internal = pki.authority().certificate },
    certificates = { proxy = { certificate = own.certificate, key = own.key, services = services } },
  }, routes = routes }
end

local function backend()
  return tls_origin.start(nil, { client_ca = pki.authority().certificate })
end

local OPTIONS = { tls_ca = "internal", tls_cert = "proxy" }

--- Stages a route that shows the certificate, in a session of this service.
local function stage(p, service, o)
  local r = p:registry()
  r:register(service, "one")
  local id = r:ok("ROUTE_ADD", service .. ".example", "/", o.url, 0)
  for key, value in pairs(OPTIONS) do
    r:ok("OPTIONS_SET", id, key, value)
  end
  return r
end

describe("a certificate for backends that names its services", function()
  it("is shown for those, and refused to others by name", function()
    local o = backend()
    local p = proxy.start { config = config(pki.certificate({ subject = "/CN=the proxy" }), { "shop", "cart" }) }
    for _, service in ipairs({ "shop", "cart" }) do
      assert.equal("OK", stage(p, service, o):call("CONFIG_APPLY"))
      assert.equal(200, p:get("/", { host = service .. ".example" }).status)
      assert.equal("/CN=the proxy", o.handshakes[#o.handshakes].peer)
    end
    local thief = stage(p, "thief", o)
    assert.equal("ERROR|route r1: " .. DENIED, thief:call("CONFIG_VALIDATE"))
    assert.equal("ERROR|route r1: " .. DENIED, thief:call("CONFIG_APPLY"))
    assert.equal(404, p:get("/", { host = "thief.example" }).status)
    thief:ok("OPTIONS_REMOVE", "r1", "tls_cert")
    assert.equal("OK", thief:call("CONFIG_APPLY"))
  end)

  it("is refused for all routes of a session, too", function()
    local p = proxy.start { config = config(pki.certificate({}), "shop") }
    local r = p:registry()
    r:register("thief", "one")
    r:ok("ROUTE_ADD", "a.example", "/", "https://127.0.0.1:9", 0)
    r:ok("OPTIONS_SET", "ALL", "tls_cert", "proxy")
    assert.equal("ERROR|route r1: " .. DENIED, r:call("CONFIG_APPLY"))
  end)

  it("is the operator's own to use in the configuration file, whatever a service calls itself", function()
    local o = backend()
    local p = proxy.start { config = config(pki.certificate({ subject = "/CN=the proxy" }), {}, {
      { domains = "own.example", backend_url = o.url, options = OPTIONS },
    }) }
    assert.equal(200, p:get("/", { host = "own.example" }).status)
    assert.equal("/CN=the proxy", o.handshakes[1].peer)
    assert.equal("ERROR|route r1: " .. DENIED, stage(p, "static", o):call("CONFIG_APPLY"))
  end)

  it("is shown no longer once a reload takes it away", function()
    local o, own = backend(), pki.certificate({ subject = "/CN=the proxy" })
    local p = proxy.start { config = config(own) }
    stage(p, "shop", o):ok("CONFIG_APPLY")
    assert.equal(200, p:get("/", { host = "shop.example" }).status)
    local before = #o.handshakes
    p:write_config(config(own, { "cart" }))
    p:reload()
    p:wait_log("(is not for this service)")
    proxy.eventually(function()
      return p:get("/", { host = "shop.example" }).status == 502
    end)
    for i = before + 1, #o.handshakes do
      assert.equal("/CN=the proxy", o.handshakes[i].peer) -- one that was under way
    end
    local shown = #o.handshakes
    assert.equal(502, p:get("/", { host = "shop.example" }).status)
    assert.equal(shown, #o.handshakes)
  end)
end)

describe("services of a certificate for backends", function()
  it("have to be names", function()
    local own, file = pki.certificate({}), pki.path("services.lua")
    for _, services in ipairs({ "1", "{ 1 }", "{ shop = true }", "{ '' }" }) do
      sys.write_file(file, ("backend_tls = { certificates = { a = { certificate = %q, key = %q, services = %s } } }")
        :format(own.certificate, own.key, services))
      local code, _, err = proxy.run({ "--check", "--config", file })
      assert.equal(1, code)
      assert.matches("backend_tls.certificates.a has to have a list of names under services", err)
    end
  end)
end)
