local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local tls = require("spec.support.tls_client")

--- A proxy with a backend behind https, and certificates for a.example (both kinds) and *.b.example.
local function start(tls_settings, config)
  local o = origin.start(function(request)
    return { status = 200, body = request.headers["x-forwarded-proto"] or "?" }
  end)
  local ec = pki.certificate { names = { "a.example" } }
  local rsa = pki.certificate { names = { "a.example" }, kind = "rsa" }
  local wild = pki.certificate { names = { "*.b.example", "x.b.example" } }
  local all = { certificates = { pki.pair(ec), pki.pair(rsa), pki.pair(wild) } }
  for key, value in pairs(tls_settings or {}) do
    all[key] = value
  end
  config = config or {}
  config.tls = all
  local p = proxy.start { https = true, route = { host = "*", to = o.url }, config = config }
  return p, { ec = ec, rsa = rsa, wild = wild, origin = o }
end

describe("https", function()
  it("serves TLS 1.2 and 1.3 and tells the backend of it", function()
    local p = start()
    for _, version in ipairs({ "1.2", "1.3" }) do
      local got = tls.curl(p, "a.example", { args = { "--tlsv" .. version, "--tls-max", version } })
      assert.same({ 0, 200, "https" }, { got.code, got.status, got.body }, got.err)
    end
    assert.equal("http", p:get("/").body)
  end)

  it("is what request policies hear of", function()
    local o = origin.start()
    local p = proxy.start { https = true, config = { tls = { certificates = {
      pki.pair(pki.certificate { names = { "a.example" } }),
    } } }, route = { host = "*", to = o.url, options = { policy = "redirect", policy_args = "https=true" } } }
    assert.equal(200, tls.curl(p, "a.example").status)
    assert.equal(308, p:get("/", { host = "a.example" }).status)
  end)

  it("serves no older version, and only 1.3 if told so", function()
    local p = start({ min_version = 1.3 })
    for _, version in ipairs({ "tls1", "tls1_1", "tls1_2" }) do
      local got = tls.openssl(p, { args = { "-" .. version, "-cipher", "ALL:@SECLEVEL=0" } })
      assert.truthy(got.err:find("alert protocol version", 1, true), got.err)
    end
    assert.equal(200, tls.curl(p, "a.example").status)
  end)

  it("chooses the kind of certificate by what the client can verify", function()
    local p, has = start()
    for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
      assert.equal(pki.serial(has.rsa.leaf),
        tls.serial(p, { args = { version, "-sigalgs", "RSA-PSS+SHA256" } }))
      assert.equal(pki.serial(has.ec.leaf),
        tls.serial(p, { args = { version, "-sigalgs", "ECDSA+SHA256" } }))
    end
  end)

  it("chooses the certificate by name: exact, then a wildcard for one label, then the first", function()
    local p, has = start()
    local wild, first = pki.serial(has.wild.leaf), pki.serial(has.ec.leaf)
    local cases = {
      ["x.b.example"] = wild, ["Y.B.EXAMPLE"] = wild, ["b.example"] = first, ["x.y.b.example"] = first,
      ["nowhere.example"] = first, ["xb.example"] = first,
    }
    for host, serial in pairs(cases) do
      assert.equal(serial, tls.serial(p, { host = host, args = { "-sigalgs", "ECDSA+SHA256" } }), host)
    end
    assert.equal(first, tls.serial(p, { host = false, args = { "-sigalgs", "ECDSA+SHA256" } }))
  end)

  it("takes the certificate of tls.default for names it does not know", function()
    local p, has = start({ default = "z.b.example" })
    assert.equal(pki.serial(has.wild.leaf), tls.serial(p, { host = "nowhere.example" }))
  end)

  it("refuses unknown names with unrecognized_name if told so", function()
    local p = start({ default = "refuse" }, { log_level = "debug" })
    for _, host in ipairs({ "nowhere.example", false }) do
      local got = tls.openssl(p, { host = host })
      assert.truthy(got.err:find("unrecognized name", 1, true), got.err)
    end
    p:wait_log('TLS handshake failed" client=%S+ reason="no certificate for the name that was asked for"')
    assert.equal(200, tls.curl(p, "a.example").status)
  end)

  it("speaks HTTP/1.1 by ALPN, and refuses a client that speaks nothing of ours", function()
    local p = start()
    assert.truthy(tls.openssl(p, { args = { "-alpn", "foo,http/1.1" } }).out:find("ALPN protocol: http/1.1", 1, true))
    local got = tls.openssl(p, { args = { "-alpn", "foo" } })
    assert.truthy(got.err:find("no application protocol", 1, true), got.err)
  end)

  it("is known to request policies", function()
    local o = origin.start(function() return { status = 200 } end)
    local p = proxy.start { https = true,
      route = { host = "*", to = o.url, options = { policy = "redirect", policy_args = "https=true" } },
      config = { tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } } } }
    assert.equal(200, tls.curl(p, "a.example").status)
    local status = p:get("/").status
    assert.is_true(status >= 301 and status <= 308, status)
  end)

  it("needs certificates", function()
    local code, _, err = proxy.run { "--http", "127.0.0.1:0", "--registry", "127.0.0.1:0", "--https", "127.0.0.1:0" }
    assert.equal(1, code)
    assert.truthy(err:find("tls.certificates", 1, true), err)
  end)
end)
