local pki = require("spec.support.pki")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

--- A backend whose certificate is as wished, for "backend.example" and 127.0.0.1 without a wish.
local function tls_origin(wish, options, handler)
  local files = pki.certificate(wish or { names = { "backend.example", "127.0.0.1" } })
  local own = { certificate = files.certificate, key = files.key }
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  return origin.start(handler, { tls = own })
end

--- A proxy that knows the authority of the specs as "internal" and another one as "other".
local function start(route, more)
  local own = more or {}
  own.config = own.config or {
    backend_tls = { authorities = {
      internal = pki.authority().certificate, other = pki.authority("other").certificate } },
  }
  own.route = route
  return proxy.start(own)
end

local function route(o, options)
  return { to = o.url, options = options }
end

local function refused(p)
  local response = p:get("/")
  assert.equal(502, response.status)
  return response.headers["Proxy-Status"]
end

describe("the certificate of a backend", function()
  it("is taken when a chosen authority has signed it for the address", function()
    local o = tls_origin()
    local p = start(route(o, { tls_ca = "internal" }))
    local response = p:get("/x")
    assert.equal(200, response.status)
    assert.equal("ok", response.body)
    assert.equal("/x", o.requests[1].target)
    assert.is_nil(o.handshakes[1].server_name)
  end)

  it("is taken for the name that tls_server_name has, which the backend is asked for", function()
    local o = tls_origin({ names = { "backend.example" } })
    local p = start(route(o, { tls_ca = "internal", tls_server_name = "backend.example" }))
    assert.equal(200, p:get("/").status)
    assert.equal("backend.example", o.handshakes[1].server_name)
  end)

  it("is taken for an address only when it has the address", function()
    local o = tls_origin({ names = { "DNS:127.0.0.1" } })
    local p = start(route(o, { tls_ca = "internal" }))
    assert.equal('tidelock; error=tls_certificate_error; details="tls_certificate: IP address mismatch"', refused(p))
    assert.equal(0, o:count())
  end)

  it("is taken for an address that tls_server_name has", function()
    local o = tls_origin({ names = { "10.1.2.3" } })
    local p = start(route(o, { tls_ca = "internal", tls_server_name = "10.1.2.3" }))
    assert.equal(200, p:get("/").status)
    assert.is_nil(o.handshakes[1].server_name)
  end)

  it("is refused for another name", function()
    local o = tls_origin()
    local p = start(route(o, { tls_ca = "internal", tls_server_name = "other.example" }))
    assert.matches('error=tls_certificate_error; details="tls_certificate: hostname mismatch"', refused(p))
  end)

  it("is refused when nobody who is trusted has signed it", function()
    local o = tls_origin()
    local p = start(route(o))
    assert.matches("error=tls_certificate_error", refused(p))
    assert.matches("alert", o.handshake_errors[1])
  end)

  it("is refused when another authority has signed it", function()
    local o = tls_origin()
    local p = start(route(o, { tls_ca = "other" }))
    assert.matches("error=tls_certificate_error", refused(p))
  end)

  it("is refused when it has signed itself", function()
    local o = tls_origin({ names = { "127.0.0.1" }, authority = false })
    local p = start(route(o, { tls_ca = "internal" }))
    assert.matches("self%-signed certificate", refused(p))
  end)

  it("is refused when it has expired", function()
    local o = tls_origin({ names = { "127.0.0.1" }, till = -3600 })
    local p = start(route(o, { tls_ca = "internal" }))
    assert.matches("certificate has expired", refused(p))
  end)

  it("is not looked at with tls_verify=false", function()
    local o = tls_origin({ subject = "/CN=whoever", authority = false, till = -3600 })
    local p = start(route(o, { tls_verify = "false" }))
    assert.equal(200, p:get("/").status)
  end)

  it("is looked up in the system's store without a choice", function()
    local o = tls_origin()
    local p = start(route(o), { env = { SSL_CERT_FILE = pki.authority().certificate } })
    assert.equal(200, p:get("/").status)
  end)

  it("counts from the next request on, when an apply has changed how it is verified", function()
    local o = tls_origin({ subject = "/CN=whoever", authority = false })
    local p = start(route(o, { tls_verify = "false" }))
    assert.equal(200, p:get("/").status)
    p.session:ok("OPTIONS_SET", p.route_id, "tls_verify", "true")
    p.session:ok("CONFIG_APPLY")
    assert.matches("tls_certificate_error", refused(p))
    p.session:ok("OPTIONS_REMOVE", p.route_id, "tls_verify")
    p.session:ok("OPTIONS_SET", "ALL", "tls_verify", "false")
    p.session:ok("CONFIG_APPLY")
    assert.equal(200, p:get("/").status)
  end)

  it("is not spared by a connection of a route that does not verify", function()
    local o = tls_origin({ subject = "/CN=whoever", authority = false })
    local p = start(nil, { workers = 1 })
    local s = p:registry()
    s:register("spec", "one")
    s:route({ to = o.url, host = "lax.example", options = { tls_verify = "false" } })
    s:route({ to = o.url, host = "strict.example" })
    assert.equal(200, p:get("/", { host = "lax.example" }).status)
    assert.equal(502, p:get("/", { host = "strict.example" }).status)
    assert.equal(200, p:get("/", { host = "lax.example" }).status)
    assert.equal(1, #o.handshakes)
  end)

  it("of the proxy is shown to a backend that asks for one", function()
    local own = pki.certificate({ subject = "/CN=the proxy" })
    local o = tls_origin(nil, { client_ca = pki.authority().certificate })
    local p = start(route(o, { tls_ca = "internal", tls_cert = "proxy" }), { config = { backend_tls = {
      authorities = { internal = pki.authority().certificate },
      certificates = { proxy = { certificate = own.certificate, key = own.key } },
    } } })
    assert.equal(200, p:get("/").status)
    assert.equal("/CN=the proxy", o.handshakes[1].peer)
  end)

  for _, version in ipairs({ "1.2", "1.3" }) do
    it("of the proxy is missed by a backend that asks for one, with TLS " .. version, function()
      local o = tls_origin(nil, { client_ca = pki.authority().certificate, version = version })
      local p = start(route(o, { tls_ca = "internal" }))
      assert.matches("error=tls_alert_received", refused(p))
      assert.equal(0, o:count())
    end)
  end
end)
