-- Backends of h2://: HTTP/2 over TLS, which ALPN has to choose.

local pki = require("spec.support.pki")
local checks = require("spec.flow.checks")
local nghttpd = require("spec.support.nghttpd")
local sys = require("spec.support.sys")
local tls_origin = require("spec.support.tls_origin")

local function server()
  return nghttpd.start(pki.certificate { names = { "backend.example", "127.0.0.1" } })
end

local function status_of(p)
  local r = p:get("/")
  return { r.status, r.headers["Proxy-Status"]:match('details="([^"]+)"') }
end

describe("an h2:// backend", function()
  it("is spoken to with HTTP/2 over TLS, many requests over one connection", function()
    local s = server()
    local p = tls_origin.proxy({ to = s.url }, { workers = 1 })
    for _ = 1, 10 do
      assert.equal(sys.read_file("spec/support/sys.lua"), p:get("/sys.lua").body)
    end
    s:wait_line(":scheme: https")
    local _, connections = sys.read_file(s.stdout):gsub("The negotiated protocol: h2", "")
    assert.equal(1, connections)
  end)

  it("is refused when its certificate is not trusted", function()
    local p = tls_origin.proxy({ to = server().url, options = { tls_ca = "other" } }, { workers = 1 })
    local got = status_of(p)
    assert.equal(502, got[1])
    assert.matches("^tls_certificate: ", got[2])
    assert.same(got, status_of(p))
  end)

  it("that speaks TLS, but chooses no HTTP/2, is told apart", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = (o.url:gsub("^https", "h2")) }, { workers = 1 })
    local got = status_of(p)
    assert.equal(502, got[1])
    assert.is_true(got[2] == "backend_no_http2" or got[2]:find("^tls_alert") ~= nil, got[2])
    assert.equal(0, o:count())
  end)

  it("is not mixed up with an https:// backend at the same address", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    assert.equal(200, p:get("/").status)
    p.session:ok("ROUTE_ADD", "two.test", "/", (o.url:gsub("^https", "h2")), 0)
    p.session:ok("OPTIONS_SET", "r2", "tls_ca", "internal")
    p.session:ok("CONFIG_APPLY")
    assert.equal(502, p:get("/", { host = "two.test" }).status)
    assert.equal(200, p:get("/").status)
  end)

  it("is checked in HTTP/2 over TLS, with the route's trust", function()
    local s = server()
    local p = tls_origin.proxy({ to = s.url, options = {
      tls_ca = "internal", health_check_path = "/sys.lua", health_check_interval = "100ms" } },
      { workers = 1, config = { health_checks = true } })
    checks.wait_state(p.session, "healthy")
    s:wait_line("user%-agent: tidelock")
    assert.matches('"status_code":404', p.session:ok("BACKEND_TEST", s.url .. "/none"))
  end)

  it("that chooses no HTTP/2 fails its check", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = (o.url:gsub("^https", "h2")), options = {
      tls_ca = "internal", health_check_path = "/", health_check_interval = "100ms" } },
      { workers = 1, config = { health_checks = true } })
    local result = checks.wait_state(p.session, "down").last_result
    assert.is_true(result == "bad_answer" or result == "tls_failed", result)
  end)
end)
