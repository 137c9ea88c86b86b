local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls_registry = require("spec.support.tls_registry")

local start, asking = tls_registry.start, tls_registry.asking

describe("a certificate of a service", function()
  it("names the service that it may be, and stands for AUTH", function()
    local p = start(asking("required"), { registry_token = "secret" })
    local r = p:registry_tls(pki.certificate({ names = { "shop", "cart" } }))
    assert.equal("ERROR|unauthorized: certificate is for shop, cart", r:call("REGISTER", "bank", "a", "", ""))
    assert.matches("^ACK|", r:call("REGISTER", "cart", "a", "", ""))
    r.session = nil
    assert.matches("^ACK|", r:call("REGISTER", "shop", "a", "", ""))
  end)

  it("does so by its common name, too", function()
    local p = start(asking("required"))
    assert.matches("^%x+$", p:registry_tls(pki.certificate({ subject = "/CN=shop" })):register("shop", "a"))
  end)

  it("stands for the services that the configuration gives it", function()
    local p = start(asking("required", { services = { ["host-1.example"] = { "shop", "cart" } } }))
    local r = p:registry_tls(pki.certificate({ names = { "host-1.example" } }))
    assert.equal("ERROR|unauthorized: certificate is for host-1.example",
      r:call("REGISTER", "host-1.example", "a", "", ""))
    r:register("cart", "a")
  end)

  it("does not let its holder use or take over another service's session", function()
    local p = start(asking("required"))
    local shop = p:registry_tls(pki.certificate({ subject = "/CN=shop" }))
    local id = shop:register("shop", "a")
    local bank = p:registry_tls(pki.certificate({ subject = "/CN=bank" }))
    assert.equal("ERROR|unauthorized: certificate is for bank", bank:call("RECONNECT", id))
    assert.equal("ERROR|unauthorized: certificate is for bank", bank:ask("PING|" .. id))
    assert.equal("PONG", shop:call("PING"))
    assert.equal("OK", p:registry_tls(pki.certificate({ subject = "/CN=shop" })):reconnect(id))
  end)

  it("need not be shown where it is optional; then the token is needed", function()
    local p = start(asking("optional"), { registry_token = "secret" })
    local r = p:registry_tls()
    assert.equal("ERROR|unauthorized", r:call("REGISTER", "bank", "a", "", ""))
    r:ok("AUTH", "secret")
    r:register("bank", "a")
  end)

  for what, wish in pairs({
    ["of another authority"] = { subject = "/CN=shop", authority = "other" },
    ["that has expired"] = { subject = "/CN=shop", till = -3600 },
    ["signed by itself"] = { subject = "/CN=shop", authority = false },
  }) do
    it(what .. " is refused, even where none is needed", function()
      for _, mode in ipairs({ "optional", "required" }) do
        local p = start(asking(mode))
        assert.is_false(pcall(function()
          p:registry_tls(pki.certificate(wish)):register("shop", "a")
        end))
        p:wait_log("TLS handshake failed")
      end
    end)
  end

  it("is missed where it is required", function()
    local p = start(asking("required"))
    assert.is_false(pcall(function()
      p:registry_tls():register("shop", "a")
    end))
    p:wait_log('TLS handshake failed" peer=%S+ reason="peer did not return a certificate"')
  end)

  it("is seen by the hook", function()
    local dir = sys.temp_dir()
    os.execute("cp -r scripts/* " .. dir)
    sys.write_file(dir .. "/hooks/authorize.lua", [[return function(cmd)
      local names = cmd.conn:certificate()
      return nil, names and table.concat(names, "+") or "none"
    end]])
    local files = pki.certificate({ names = { "registry.example" } })
    local own = asking("optional", { listen = "127.0.0.1:0", certificate = files.certificate, key = files.key })
    local p = proxy.start { config = { registry_tls = own }, scripts = dir }
    local r = p:registry_tls(pki.certificate({ names = { "shop" }, subject = "/CN=holder" }))
    assert.equal("ERROR|unauthorized: shop+holder", r:call("REGISTER", "shop", "a", "", ""))
    assert.equal("ERROR|unauthorized: none", p:registry_tls():call("REGISTER", "shop", "a", "", ""))
    assert.equal("ERROR|unauthorized: none", p:registry():call("REGISTER", "shop", "a", "", ""))
    os.execute("rm -rf " .. dir)
  end)
end)
