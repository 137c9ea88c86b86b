require("spec.lua.host")
local config = require("config")

local function load(text)
  return config.load(text, "t.lua")
end

local PAIR = '{ certificate = "a", key = "b" }'

describe("tls in a configuration", function()
  it("takes one certificate or several", function()
    local one = { certificate = "a", key = "b", line = 1 }
    for _, text in ipairs({ PAIR, "{ " .. PAIR .. " }" }) do
      local s = assert(load("tls = { certificates = " .. text .. " }")).settings
      assert.same({ one }, s["tls.certificates"])
    end
  end)

  it("takes an answer of OCSP and names with a certificate", function()
    local pair = '{ certificate = "a", key = "b", ocsp = "c", names = { "x", "y" } }'
    local s = assert(load("tls = { certificates = { " .. pair .. " } }"))
    assert.same({ { certificate = "a", key = "b", ocsp = "c", names = { "x", "y" }, line = 1 } },
      s.settings["tls.certificates"])
  end)

  it("takes a version as number or text", function()
    assert.equal("1.3", assert(load("tls = { min_version = 1.3 }")).settings["tls.min_version"])
    assert.equal("1.2", assert(load('tls = { min_version = "1.2" }')).settings["tls.min_version"])
  end)

  local LIST = 'has to be a list of tables: { certificate = "chain.pem", key = "key.pem" }'
  local cases = {
    ["tls = { certificates = 5 }"] = "t.lua:1: tls.certificates " .. LIST,
    ["tls = { certificates = {} }"] = "t.lua:1: tls.certificates " .. LIST,
    ['tls = { certificates = { "a" } }'] =
      't.lua:1: tls.certificates[1] has to be a table: { certificate = "chain.pem", key = "key.pem" }',
    ['tls = { certificates = {\n{ certificate = "a" } } }'] =
      "t.lua:2: tls.certificates.1.key has to be the name of a file",
    ['tls = { certificates = { { certificate = "a", key = "b", ocsp = 5 } } }'] =
      "t.lua:1: tls.certificates.1.ocsp has to be the name of a file",
    ['tls = { certificates = { { certificate = "a", key = "b", names = "x" } } }'] =
      "t.lua:1: tls.certificates.1.names has to be a list of host names",
    ['tls = { certificates = { { certificate = "a", keys = "b" } } }'] =
      "t.lua:1: tls.certificates[1] has an unknown key keys; there are certificate, key, ocsp and names",
    ["tls = { min_version = 1.1 }"] = 't.lua:1: tls.min_version has to be "1.2" or "1.3"',
    ['https = ":443"'] = "t.lua:1: https needs a certificate: "
      .. "tls = { certificates = { { certificate = ..., key = ... } } }",
    ['tls = { client_certificates = "required" }'] =
      "t.lua:1: tls.client_certificates needs tls.client_ca, whose certificates are good",
    ['tls = { client_ca = "a" }'] = 't.lua:1: tls.client_ca is for nothing while tls.client_certificates is "off": '
      .. 'say "optional" or "required"',
    ['acme = { directory = "/no/such" }'] = "t.lua:1: acme.directory has to be a directory that is there",
    ['acme = { directory = "spec/lua/host.lua" }'] = "t.lua:1: acme.directory has to be a directory that is there",
    ["redirect_https = 302"] = 't.lua:1: redirect_https has to be "off", 301 or 308',
  }
  for text, message in pairs(cases) do
    it("is refused for " .. text:gsub("\n", " "), function()
      local result, err = load(text)
      assert.is_nil(result)
      assert.equal(message, err)
    end)
  end
end)
