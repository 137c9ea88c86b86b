-- HTTP/2 over TLS: offered by ALPN, spoken by real clients.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local function start(handler)
  local o = origin.start(handler or function(request)
    return { body = request.headers["x-forwarded-proto"] }
  end)
  local pair = pki.pair(pki.certificate { names = { "a.example", "b.example" } })
  local p = proxy.start { https = true, route = { host = "a.example", to = o.url },
    config = { tls = { certificates = { pair } }, access_log = { format = "text", file = "-" } } }
  p.session:route { host = "b.example", to = o.url, options = { http2 = "false" } }
  return p, o
end

local function protocol(p, host)
  return tls.openssl(p, { host = host, args = { "-alpn", "h2,http/1.1" } }).out:match("ALPN protocol: (%S+)")
end

describe("HTTP/2 over TLS", function()
  it("is chosen by ALPN where the client can, whatever else it can", function()
    local p = start()
    assert.equal("h2", protocol(p, "a.example"))
    assert.equal("h2", protocol(p, false))
    assert.equal(200, tls.curl(p, "a.example").status) -- HTTP/1.1 as before
  end)

  it("is not offered for a host whose route says http2=false", function()
    local p = start()
    assert.equal("http/1.1", protocol(p, "b.example"))
  end)

  it("serves curl, and tells the backend of TLS", function()
    local p = start()
    local got = tls.curl(p, "a.example", { args = { "--http2" } })
    assert.same({ 0, 200, "https" }, { got.code, got.status, got.body }, got.err)
    loop.eventually(function()
      return #p:access_log() == 1
    end)
    assert.equal("HTTP/2", p:access_log()[1].protocol)
  end)

  it("takes and gives large bodies", function()
    local p = start(function(request)
      return { body = request.body }
    end)
    local body = ("0123456789abcdef"):rep(2 ^ 16)
    local path = pki.path("body")
    sys.write_file(path, body)
    local got = tls.curl(p, "a.example", { args = { "--http2", "--data-binary", "@" .. path } })
    assert.same({ 0, 200, #body }, { got.code, got.status, #got.body }, got.err)
    assert.is_true(body == got.body)
  end)

  it("serves many streams of many connections", function()
    local p = start()
    local run = process.start({ "/usr/bin/h2load", "-n", "3000", "-c", "10", "-m", "50", "--connect-to",
      p.https_address, "https://a.example/" }, { name = "h2load" })
    assert.equal(0, run:wait_exit())
    assert.matches("3000 succeeded, 0 failed, 0 errored", sys.read_file(run.stdout))
  end)

  it("is not spoken to a client that did not ask for it by ALPN", function()
    local p = start()
    local got = tls.openssl(p, { request = h2.PREFACE })
    assert.matches("HTTP/1.1 505", got.out)
  end)
end)
