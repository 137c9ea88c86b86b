local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

--- A proxy that asks for client certificates; its backend tells what it was told of them.
local function start(ask, more)
  local o = origin.start(function(request)
    local h = request.headers
    return { status = 200, body = ("%s|%s"):format(h["x-client-cert-verify"] or "-",
      h["x-client-cert-subject"] or "-") }
  end)
  local config = {
    log_level = "debug",
    tls = {
      certificates = { pki.pair(pki.certificate { names = { "a.example", "b.example" } }) },
      client_certificates = ask, client_ca = ask and pki.authority("Clients").certificate,
    },
  }
  for key, value in pairs(more or {}) do
    config.tls[key] = value
  end
  return proxy.start { https = true, route = { host = "*", to = o.url }, config = config }
end

local function identity(authority, options)
  options = options or {}
  options.authority, options.subject = authority, options.subject or "/O=Test, Inc/CN=alice"
  local c = pki.certificate(options)
  return { "--cert", c.certificate, "--key", c.key }
end

local FORGED = { "-H", "X-Client-Cert-Subject: CN=root", "-H", "x-client-cert-verify: SUCCESS" }

local function with(list, more)
  local all = {}
  for _, from in ipairs({ list, more }) do
    for _, arg in ipairs(from) do
      all[#all + 1] = arg
    end
  end
  return all
end

describe("client certificates", function()
  it("that are required: a good one passes and is told to the backend", function()
    local p = start("required")
    for _, version in ipairs({ "1.2", "1.3" }) do
      local got = tls.curl(p, "a.example", { args = with(identity("Clients"), { "--tls-max", version }) })
      assert.equal("SUCCESS|CN=alice,O=Test\\, Inc", got.body, got.err)
    end
  end)

  it("that are required: none, one of others and an expired one are refused", function()
    local p = start("required")
    local cases = {
      { {}, "peer did not return a certificate" },
      { identity("Strangers"), "self%-signed certificate in certificate chain" },
      { identity("Clients", { from = -7200, till = -3600 }), "certificate has expired" },
    }
    for _, case in ipairs(cases) do
      local got = tls.curl(p, "a.example", { args = case[1] })
      assert.not_equal(0, got.code)
      p:wait_log('TLS handshake failed" client=%S+ reason="' .. case[2])
    end
  end)

  it("that are optional: none passes and is told, a bad one is refused", function()
    local p = start("optional")
    assert.equal("NONE|-", tls.curl(p, "a.example").body)
    assert.equal("SUCCESS|CN=alice,O=Test\\, Inc", tls.curl(p, "a.example", { args = identity("Clients") }).body)
    assert.not_equal(0, tls.curl(p, "a.example", { args = identity("Strangers") }).code)
  end)

  it("cannot be forged by headers, whether they are asked for or not, with TLS or without", function()
    local p = start("optional")
    assert.equal("NONE|-", tls.curl(p, "a.example", { args = FORGED }).body)
    assert.equal("SUCCESS|CN=alice,O=Test\\, Inc",
      tls.curl(p, "a.example", { args = with(identity("Clients"), FORGED) }).body)
    local forged = { ["X-Client-Cert-Subject"] = "CN=root", ["X-Client-Cert-Verify"] = "SUCCESS" }
    assert.equal("NONE|-", p:get("/", { headers = forged }).body)
    local off = start(nil)
    assert.equal("-|-", tls.curl(off, "a.example", { args = FORGED }).body)
  end)

  it("with odd characters in their subject break no head", function()
    local p = start("required")
    local got = tls.curl(p, "a.example", { args = identity("Clients", { subject = "/CN=a\r\nX-Evil: 1" }) })
    assert.equal("SUCCESS|CN=a\\0D\\0AX-Evil: 1", got.body, got.err)
  end)

  it("that are required hold for the name that was asked for: another Host gets 421", function()
    local p = start("required")
    local args = with(identity("Clients"), { "-H", "Host: b.example" })
    assert.equal(421, tls.curl(p, "a.example", { args = args }).status)
    local o = start("optional")
    assert.equal(200, tls.curl(o, "a.example", { args = args }).status)
  end)

  it("are refused when resumed under other authorities", function()
    local p = start("required")
    local session = pki.path("session")
    local me = pki.certificate { authority = "Clients", subject = "/CN=alice" }
    local own = { "-tls1_3", "-cert", me.certificate, "-key", me.key }
    local first = tls.openssl(p, { args = with(own, { "-sess_out", session }) })
    assert.truthy(first.out:find("SUCCESS|CN=alice", 1, true), first.out)
    local resumed = tls.openssl(p, { args = { "-tls1_3", "-sess_in", session } })
    assert.truthy(resumed.out:find("Reused, TLSv1.3", 1, true), resumed.out)
    assert.truthy(resumed.out:find("SUCCESS|CN=alice", 1, true))
    p:write_config { log_level = "debug", tls = {
      certificates = { pki.pair(pki.certificate { names = { "a.example" } }) },
      client_certificates = "required", client_ca = pki.authority("Strangers").certificate,
    } }
    p:reload()
    p:wait_log("configuration reloaded")
    local refused = tls.openssl(p, { args = { "-tls1_3", "-sess_in", session } })
    assert.is_nil(refused.out:find("SUCCESS|", 1, true))
  end)

  it("go on by the old authorities when their file is bad, and by new ones when it is good", function()
    local ca = pki.path("ca.pem")
    sys.write_file(ca, sys.read_file(pki.authority("Clients").certificate))
    local p = start("required", { client_ca = ca })
    sys.write_file(ca, "nonsense")
    local refused = 'tls.client_ca refused, the one before stays" reason="%s: has no certificate'
    p:wait_log((refused:format(ca):gsub("%p", "%%%0")))
    assert.equal(200, tls.curl(p, "a.example", { args = identity("Clients") }).status)
    sys.write_file(ca, sys.read_file(pki.authority("Strangers").certificate))
    p.eventually(function() return tls.curl(p, "a.example", { args = identity("Strangers") }).status == 200 end)
    assert.not_equal(0, tls.curl(p, "a.example", { args = identity("Clients") }).code)
  end)

  it("need an authority", function()
    local p = start(nil)
    p:write_config { tls = { client_certificates = "required" } }
    local code, _, err = proxy.run { "--check", "--config", p.config_path }
    assert.equal(1, code)
    assert.truthy(err:find("tls.client_certificates needs tls.client_ca", 1, true), err)
  end)

  for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
    it("that have expired let nobody in by a session from before, " .. version, function()
      local p, session = start("required"), pki.path("session")
      local who = with(identity("Clients", { till = 6 }), { version })
      local got = tls.openssl(p, { args = with(who, { "-sess_out", session }) })
      assert.truthy(got.out:find("SUCCESS|", 1, true), got.out .. got.err)
      local again = with(who, { "-sess_in", session })
      assert.truthy(tls.openssl(p, { args = again }).out:find("Reused, TLSv1", 1, true))
      p.eventually(function()
        return not tls.openssl(p, { args = again }).out:find("SUCCESS|", 1, true)
      end, 20)
    end)
  end
end)
