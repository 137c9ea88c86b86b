local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local function start(settings, https)
  local o = origin.start(function(request) return { status = 200, body = "backend " .. request.target } end)
  settings.tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } }
  return proxy.start { https = https == nil or https, route = { host = "*", to = o.url }, config = settings,
    host = "a.example" }
end

describe("redirects to https", function()
  for _, status in ipairs({ 301, 308 }) do
    it(("answer %d with path, query and the port of https"):format(status), function()
      local p = start { redirect_https = status }
      local port = p.https_address:match(":(%d+)$")
      local got = p:get("/x/y?z=%20&w")
      assert.equal(status, got.status)
      assert.equal(("https://a.example:%s/x/y?z=%%20&w"):format(port), got.headers.location)
      assert.equal(("https://b.example:%s/"):format(port),
        p:get("/", { host = "b.example:1234" }).headers.location)
      local c = p:connect()
      c:send("GET http://c.example/d?e HTTP/1.1\r\nHost: a.example\r\n\r\n")
      assert.equal(("https://c.example:%s/d?e"):format(port), c:receive("GET").headers.location)
    end)
  end

  it("concern HTTP only, every method, and unknown hosts too", function()
    local p = start { redirect_https = 308 }
    assert.equal(200, tls.curl(p, "a.example").status)
    for _, method in ipairs({ "HEAD", "POST", "DELETE" }) do
      assert.equal(308, p:request({ method = method, path = "/" }).status)
    end
  end)

  it("leave alone what a trusted proxy says came over https", function()
    local p = start { redirect_https = 301, trusted_proxies = { "127.0.0.1" } }
    assert.equal(200, p:get("/", { headers = { ["X-Forwarded-Proto"] = "https" } }).status)
    assert.equal(301, p:get("/", { headers = { ["X-Forwarded-Proto"] = "http" } }).status)
    local q = start { redirect_https = 301 }
    assert.equal(301, q:get("/", { headers = { ["X-Forwarded-Proto"] = "https" } }).status)
  end)

  it("need a host", function()
    local p = start { redirect_https = 301 }
    local c = p:connect()
    c:send("GET / HTTP/1.0\r\n\r\n")
    assert.equal(400, c:receive().status)
  end)

  it("can be switched by SIGHUP", function()
    local p = start { redirect_https = "off" }
    assert.equal(200, p:get("/").status)
    p:write_config { redirect_https = 301,
      tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } } }
    p:reload()
    p.eventually(function() return p:get("/").status == 301 end)
  end)

  it("need a listener to redirect to", function()
    local p = start { redirect_https = "off" }
    local pair = pki.pair(pki.certificate { names = { "a.example" } })
    for _, settings in ipairs({ {}, { certificates = { pair } } }) do
      p:write_config { redirect_https = 301, tls = settings }
      local code, _, err = proxy.run { "--check", "--config", p.config_path }
      assert.equal(1, code)
      assert.truthy(err:find("redirect_https needs https", 1, true), err)
    end
  end)
end)

describe("ACME challenges", function()
  local PATH = "/.well-known/acme-challenge/"

  it("go to the backend, unredirected, without a directory", function()
    local p = start { redirect_https = 301 }
    assert.equal("backend " .. PATH .. "token-1", p:get(PATH .. "token-1").body)
  end)

  it("are answered from the directory, with nothing else from anywhere", function()
    local dir = sys.temp_dir()
    sys.write_file(dir .. "/secret", "not for you")
    os.execute(("cd %s && mkdir acme acme/folder && mkfifo acme/pipe && ln -s ../secret acme/a.b"):format(dir))
    sys.write_file(dir .. "/acme/tok_en-1", "tok_en-1.thumbprint")
    sys.write_file(dir .. "/acme/huge", ("x"):rep(5000))
    local p = start { redirect_https = 301, acme = { directory = dir .. "/acme" } }
    local got = p:get(PATH .. "tok_en-1?x=1")
    assert.same({ 200, "tok_en-1.thumbprint" }, { got.status, got.body })
    assert.equal("text/plain; charset=utf-8", got.headers["content-type"])
    local head = p:request { method = "HEAD", path = PATH .. "tok_en-1" }
    assert.same({ 200, "19" }, { head.status, head.headers["content-length"] })
    for _, token in ipairs { "", "other", "a.b", "folder", "pipe", "huge", ("a"):rep(256), "tok_en-1/" } do
      assert.equal(404, p:get(PATH .. token).status, token)
    end
    for _, token in ipairs { "..%2fsecret", "%2e%2e%2Fsecret", "tok_en-1%00", "..;/secret", "..\\secret" } do
      assert.equal(400, p:get(PATH .. token).status, token)
    end
    for _, token in ipairs { "..", "../secret", "%2e%2e/secret" } do
      assert.equal(301, p:get(PATH .. token).status, token)
    end
    assert.equal(404, p:request({ method = "POST", path = PATH .. "tok_en-1" }).status)
    assert.equal("backend " .. PATH .. "tok_en-1", tls.curl(p, "a.example", { path = PATH .. "tok_en-1" }).body)
  end)
end)
