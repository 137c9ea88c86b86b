-- What https agrees to as it comes: Mozilla's intermediate configuration, without the ciphers that need
-- Diffie-Hellman parameters of one's own (https://wiki.mozilla.org/Security/Server_Side_TLS).

local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local tls = require("spec.support.tls_client")

local TAKEN = {
  "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
}
local SUITES = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256" }
local GROUPS = { "X25519", "P-256", "P-384" }
local OTHER_GROUPS = { "P-521", "X448", "brainpoolP256r1", "ffdhe2048" }

local function start()
  local certificates = {}
  for i, kind in ipairs { "ec", "rsa" } do
    certificates[i] = pki.pair(pki.certificate { names = { "a.example" }, kind = kind })
  end
  local o = origin.start(function() return { body = "hello" } end)
  return proxy.start { https = true, route = { host = "*", to = o.url }, config = { tls = {
    certificates = certificates } } }
end

--- The cipher by which a client that insists on this is served; nil, what it was told.
local function agreed(p, ...)
  local got = tls.openssl(p, { args = { ... } })
  local served = got.out:find("hello", 1, true)
  return served and got.out:match("Cipher is (%S+)") or nil, got.err
end

--- The names of all ciphers below TLS 1.3 that the machine's OpenSSL has.
local function all_ciphers()
  local list = {}
  for name in pki.openssl("ciphers", "-s", "-tls1_2", "ALL:eNULL:@SECLEVEL=0"):gmatch("[%w%-]+") do
    list[#list + 1] = name
  end
  return list
end

describe("https as it comes", function()
  it("speaks no version before TLS 1.2", function()
    local p = start()
    for _, version in ipairs { "-tls1", "-tls1_1" } do
      local cipher, err = agreed(p, version, "-cipher", "ALL:@SECLEVEL=0")
      assert.is_nil(cipher)
      assert.truthy(err:find("alert protocol version", 1, true), err)
    end
  end)

  it("agrees to Mozilla's intermediate ciphers with TLS 1.2, and to no other that there is", function()
    local p, wanted, refused = start(), {}, 0
    for _, name in ipairs(TAKEN) do
      wanted[name] = true
      assert.equal(name, (agreed(p, "-tls1_2", "-cipher", name)))
    end
    for _, name in ipairs(all_ciphers()) do
      if not wanted[name] then
        assert.is_nil((agreed(p, "-tls1_2", "-cipher", name .. ":@SECLEVEL=0")), name)
        refused = refused + 1
      end
    end
    assert.is_true(refused > 20, refused)
  end)

  it("agrees to the suites and groups of that list, and to no other group", function()
    local p = start()
    for _, suite in ipairs(SUITES) do
      assert.equal(suite, (agreed(p, "-tls1_3", "-ciphersuites", suite)))
    end
    for _, version in ipairs { "-tls1_2", "-tls1_3" } do
      for _, group in ipairs(GROUPS) do
        assert.truthy((agreed(p, version, "-groups", group)), group)
      end
    end
    for _, group in ipairs(OTHER_GROUPS) do
      assert.is_nil((agreed(p, "-groups", group)), group)
    end
  end)
end)
