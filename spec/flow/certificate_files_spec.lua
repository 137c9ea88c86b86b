local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

describe("a certificate's files", function()
  local good = function() return pki.certificate { names = { "a.example" } } end

  --- What --check says.
  local function problem(pair)
    local p = proxy.start()
    p:write_config { tls = { certificates = { pair } } }
    local code, _, err = proxy.run { "--check", "--config", p.config_path }
    assert.equal(1, code)
    return err
  end

  local function file(text)
    local path = pki.path("file.pem")
    sys.write_file(path, text)
    return path
  end

  it("are refused with the line, and what to mend", function()
    local c, other = good(), pki.certificate { names = { "a.example" }, own_key = true }
    local ca, leaf = c.authority.certificate, sys.read_file(c.leaf)
    local short, locked = pki.path("short.key"), pki.path("locked.key")
    pki.openssl("genrsa", "-out", short, "1024")
    pki.openssl("pkey", "-in", c.key, "-aes128", "-passout", "pass:x", "-out", locked)
    local self_signed = pki.path("short.pem")
    pki.openssl("req", "-x509", "-key", short, "-subj", "/CN=x", "-addext", "subjectAltName=DNS:x", "-out",
      self_signed)
    local cases = {
      { { certificate = "/none", key = c.key }, "/none: No such file or directory" },
      { { certificate = "/etc", key = c.key }, "/etc: is not a file" },
      { { certificate = c.certificate, key = "/none" }, "/none: No such file or directory" },
      { { certificate = c.key, key = c.key }, c.key .. ": has no certificate" },
      { { certificate = c.certificate, key = c.certificate }, c.certificate .. ": has no private key" },
      { { certificate = c.certificate, key = locked }, locked .. ": the key needs a passphrase" },
      { { certificate = c.certificate, key = other.key }, "is not the key of the first certificate in" },
      { { certificate = file(sys.read_file(ca) .. leaf), key = c.key }, "is not the key of the first" },
      { { certificate = file(leaf .. leaf), key = c.key }, "certificate 2 did not issue certificate 1" },
      { { certificate = file(leaf:gsub("\n%w%w%w%w", "\n****", 1)), key = c.key }, "cannot be read" },
      { { certificate = file(("x"):rep(2 ^ 20 + 1)), key = c.key }, "is longer than 1 MiB" },
      { pki.pair(pki.certificate {}), "has no names (subjectAltName)" },
      { { certificate = self_signed, key = short }, "an RSA key of 1024 bits is too short" },
      { pki.pair(c, { names = { "a b" } }), 'is neither a host name nor *.example.com' },
    }
    for _, case in ipairs(cases) do
      local err = problem(case[1])
      assert.truthy(err:find(case[2], 1, true), case[2] .. " <> " .. err)
      assert.matches("^tidelock: [^:]+%.lua:%d+: tls%.certificates%[1%]: ", err)
    end
  end)

  it("may be given other names, and be of Ed25519", function()
    local c = pki.certificate { names = { "x.example" }, kind = "ed25519" }
    local p = proxy.start { https = true, config = { tls = {
      certificates = { pki.pair(good()), pki.pair(c, { names = { "*.y.example" } }) },
    } } }
    assert.equal(pki.serial(c.leaf), tls.serial(p, { host = "z.y.example" }))
    assert.not_equal(pki.serial(c.leaf), tls.serial(p, { host = "x.example" }))
  end)
end)
