local pki = require("spec.support.pki")
local checks = require("spec.flow.checks")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls_origin = require("spec.support.tls_origin")

local function session(p)
  local s = p:registry()
  s:register("spec", "one")
  return s
end

local function checked()
  return { config = { health_checks = true } }
end

describe("a health check of a TLS backend", function()
  it("passes when the certificate is verified as the route says", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url, options = {
      tls_ca = "internal", health_check_path = "/health", health_check_interval = "50ms" } }, checked())
    checks.wait_state(p.session, "healthy")
    assert.equal("/health", o.requests[1].target)
  end)

  it("fails when it is not, and says so", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url, options = {
      health_check_path = "/health", health_check_interval = "50ms" } }, checked())
    assert.equal("tls_certificate", checks.wait_state(p.session, "down").last_result)
    assert.equal(0, o:count())
  end)

  it("is another one as soon as an apply changes how it verifies", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url, options = {
      health_check_path = "/health", health_check_interval = "50ms" } }, checked())
    loop.eventually(function()
      return p:get("/").status == 503
    end)
    p.session:ok("OPTIONS_SET", p.route_id, "tls_ca", "internal")
    p.session:ok("CONFIG_APPLY")
    loop.eventually(function()
      return p:get("/").status == 200
    end)
  end)
end)

describe("BACKEND_TEST of a TLS backend", function()
  it("tells whether its certificate is valid and goes on either way", function()
    local o = tls_origin.start({ status = 204 })
    local p = tls_origin.proxy()
    local answer = session(p):ok("BACKEND_TEST", o.url)
    assert.matches('"status_code":204', answer)
    assert.matches('"tls_valid":false', answer)
    local trusting = tls_origin.proxy(nil, { env = { SSL_CERT_FILE = pki.authority().certificate } })
    assert.matches('"tls_valid":true', session(trusting):ok("BACKEND_TEST", o.url))
  end)
end)

describe("maintenance with TLS", function()
  it("takes its page from a server that is verified as ALL says", function()
    local o = tls_origin.start()
    local page = tls_origin.start({ body = "soon back", headers = { ["Content-Type"] = "text/html" } })
    local p = tls_origin.proxy({ to = o.url })
    local s = p.session
    s:ok("OPTIONS_SET", "ALL", "tls_ca", "internal")
    s:ok("CONFIG_APPLY")
    assert.equal("ACK", s:call("MAINT_ENTER", "ALL", page.url))
    assert.equal("MAINT_OK|ALL", s:next_event())
    local response = p:get("/")
    assert.equal(503, response.status)
    assert.equal("soon back", response.body)
    assert.equal("ACK", s:call("MAINT_EXIT", "ALL"))
    assert.equal("MAINT_OK|ALL", s:next_event())
    assert.equal("ok", p:get("/").body)
  end)

  it("shows the built-in page when the server is not to be trusted", function()
    local o = tls_origin.start()
    local page = tls_origin.start({ body = "soon back", headers = { ["Content-Type"] = "text/html" } })
    local p = tls_origin.proxy({ to = o.url },
      { config = { maintenance = { check_interval = "20ms", timeout = "200ms" } } })
    assert.equal("ACK", p.session:call("MAINT_ENTER", "ALL", page.url))
    assert.matches("^ERROR|timeout waiting for maintenance page", p.session:next_event())
    local response = p:get("/")
    assert.equal(503, response.status)
    assert.matches("maintenance", response.body)
    assert.equal(0, page:count())
  end)
end)

describe("names of TLS files", function()
  it("that the configuration does not have are refused with the apply, which changes nothing", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url })
    local s = p.session
    for key, setting in pairs({ tls_ca = "backend_tls.authorities", tls_cert = "backend_tls.certificates" }) do
      s:ok("OPTIONS_SET", p.route_id, key, "nobody")
      local reason = ("ERROR|route %s: %s: the configuration has no %s.nobody"):format(p.route_id, key, setting)
      assert.equal(reason, s:call("CONFIG_VALIDATE"))
      assert.equal(reason, s:call("CONFIG_APPLY"))
      assert.equal(200, p:get("/").status)
      s:ok("CONFIG_ROLLBACK")
    end
  end)

  it("are names: no path can be given", function()
    local s = session(tls_origin.proxy())
    assert.matches("^ERROR|invalid option tls_ca: takes a name",
      s:call("OPTIONS_SET", "ALL", "tls_ca", "/etc/ssl/a.pem"))
    assert.matches("^ERROR|invalid option tls_server_name: takes a host name",
      s:call("OPTIONS_SET", "ALL", "tls_server_name", "a b"))
  end)
end)

local function check(text)
  local dir = sys.temp_dir()
  local path = dir .. "/tidelock.lua"
  sys.write_file(path, text)
  local code, _, stderr = proxy.run({ "--check", "--config", path })
  os.execute("rm -rf " .. dir)
  return code, (stderr:gsub("^" .. path:gsub("%p", "%%%0"), "FILE"))
end

describe("TLS files of the configuration", function()
  it("that cannot be read are told with line and file", function()
    local garbage = pki.garbage()
    local code, err = check(("backend_tls = {\n authorities = {\n  a = %q } }"):format(garbage))
    assert.not_equal(0, code)
    assert.matches("^FILE:3: backend_tls.authorities.a ", err)
    assert.truthy(err:find(garbage .. ": no certificates of authorities", 1, true))
    code, err = check('backend_tls = {\n authorities = {\n  a = "/nowhere.pem" } }')
    assert.not_equal(0, code)
    assert.matches("^FILE:3: backend_tls.authorities.a /nowhere.pem: [^\n]*No such file or directory", err)
  end)

  it("have to be a certificate with its own key", function()
    local one, other = pki.certificate({ own_key = true }), pki.certificate({ own_key = true })
    local code, err = check(("backend_tls = { certificates = {\n a = { certificate = %q, key = %q } } }"):format(
      one.certificate, other.key))
    assert.not_equal(0, code)
    assert.matches("^FILE:2: backend_tls.certificates.a ", err)
    assert.matches("key values mismatch", err)
  end)

  it("that the file's own routes name have to be there", function()
    local code, err = check('routes = { { domains = "a.example", backend_url = "https://127.0.0.1:1",\n'
      .. ' options = {\n  tls_ca = "internal" } } }')
    assert.not_equal(0, code)
    assert.matches("^FILE:3: routes.1.options.tls_ca: there is no backend_tls.authorities.internal", err)
  end)

  it("serve the routes of the file", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy(nil, { config = { routes = { {
      domains = "*", backend_url = o.url, options = { tls_ca = "internal" } } } } })
    assert.equal(200, p:get("/").status)
  end)

  it("are read again by SIGHUP, and one that cannot be changes nothing", function()
    local o = tls_origin.start()
    local dir = sys.temp_dir()
    local file = dir .. "/ca.pem"
    local function write(path)
      sys.write_file(file, sys.read_file(path))
    end
    write(pki.authority("other").certificate)
    local p = tls_origin.proxy({ to = o.url, options = { tls_ca = "internal" } },
      { config = { backend_tls = { authorities = { internal = file } } } })
    assert.equal(502, p:get("/").status)
    write(pki.authority().certificate)
    p:reload()
    p:wait_log("configuration reloaded")
    assert.equal(200, p:get("/").status)
    write(pki.garbage())
    p:reload()
    p:wait_log("configuration refused")
    assert.equal(200, p:get("/").status)
    os.execute("rm -rf " .. dir)
  end)

  it("that the configuration no longer has are trusted no longer", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url })
    assert.equal(200, p:get("/").status)
    p:write_config({})
    p:reload()
    p:wait_log("configuration reloaded")
    assert.matches("error=tls_certificate_error", p:get("/").headers["Proxy-Status"])
    assert.matches("the configuration has no backend_tls.authorities.internal", p:log())
  end)
end)
