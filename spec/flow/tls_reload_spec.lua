local cjson = require("cjson")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local DAY = 24 * 3600

local function certificate(options)
  options = options or {}
  options.names = options.names or { "a.example" }
  return pki.certificate(options)
end

--- Puts a certificate's files in the place of others, each by a rename.
local function put(from, to)
  for _, what in ipairs({ "key", "certificate" }) do
    sys.write_file(to[what] .. ".new", sys.read_file(from[what]))
    assert(os.rename(to[what] .. ".new", to[what]))
  end
end

--- A proxy whose certificate's files may be replaced.
local function start(first, config)
  local dir = sys.temp_dir()
  local files = { certificate = dir .. "/chain.pem", key = dir .. "/key.pem", dir = dir }
  put(first or certificate(), files)
  config = config or {}
  config.tls = config.tls or { certificates = { { certificate = files.certificate, key = files.key } } }
  local o = origin.start(function() return { status = 200, body = "hello" } end)
  local p = proxy.start { https = true, route = { host = "*", to = o.url }, config = config }
  return p, files
end

local function shows(p, c, options)
  p.eventually(function() return tls.serial(p, options) == pki.serial(c.leaf) end)
end

--- What the last line about a refused certificate says.
local function refusal(p)
  return p:wait_log('certificate refused, the one before stays" reason="([^"]*)"')
end

describe("certificates whose files change", function()
  it("are taken into service, logged and told", function()
    local p, files = start()
    p.session:ok("SUBSCRIBE", "cert_renewed")
    local new = certificate { own_key = true }
    put(new, files)
    shows(p, new)
    local event = cjson.decode(p.session:wait_event("^EVENT|cert_renewed|"):match("|({.*)$"))
    assert.equal(files.certificate, event.file)
    assert.same({ "a.example" }, event.names)
    p:wait_log("certificate renewed\" file=" .. files.certificate:gsub("%p", "%%%0"))
  end)

  it("are noticed behind links as certbot makes them", function()
    local dir = sys.temp_dir()
    local function archive(n, c)
      os.execute(("mkdir -p %s/archive %s/live"):format(dir, dir))
      for _, what in ipairs({ "certificate", "key" }) do
        sys.write_file(("%s/archive/%s%d.pem"):format(dir, what, n), sys.read_file(c[what]))
        os.execute(("ln -sfn ../archive/%s%d.pem %s/live/%s.pem"):format(what, n, dir, what))
      end
    end
    local one, two = certificate(), certificate { own_key = true }
    archive(1, one)
    local pair = { certificate = dir .. "/live/certificate.pem", key = dir .. "/live/key.pem" }
    local p = start(nil, { tls = { certificates = { pair } } })
    shows(p, one)
    archive(2, two)
    shows(p, two)
  end)

  it("are noticed behind a linked directory as Kubernetes makes it", function()
    local dir = sys.temp_dir()
    local function publish(n, c)
      os.execute(("mkdir %s/v%d"):format(dir, n))
      for _, what in ipairs({ "certificate", "key" }) do
        sys.write_file(("%s/v%d/%s.pem"):format(dir, n, what), sys.read_file(c[what]))
        os.execute(("ln -sfn ..data/%s.pem %s/%s.pem"):format(what, dir, what))
      end
      os.execute(("ln -sfn v%d %s/..tmp && mv -T %s/..tmp %s/..data"):format(n, dir, dir, dir))
    end
    local one, two = certificate(), certificate { own_key = true }
    publish(1, one)
    local p = start(nil, { tls = { certificates = { { certificate = dir .. "/certificate.pem",
      key = dir .. "/key.pem" } } } })
    shows(p, one)
    publish(2, two)
    shows(p, two)
  end)

  it("are refused when they are bad, with the reason, and then taken when they are mended", function()
    local first = certificate()
    local p, files = start(first)
    sys.write_file(files.certificate, "no certificate\n")
    assert.equal(files.certificate .. ": has no certificate; it needs one in PEM (BEGIN CERTIFICATE)", refusal(p))
    assert.equal(pki.serial(first.leaf), tls.serial(p))
    local new = certificate()
    put(new, files)
    shows(p, new)
  end)

  it("are refused when they have expired while the old one is good", function()
    local first = certificate()
    local p, files = start(first)
    put(certificate { from = -10 * DAY, till = -60 }, files)
    assert.truthy(refusal(p):find(files.certificate .. ": has expired at 20", 1, true))
    assert.equal(pki.serial(first.leaf), tls.serial(p))
  end)

  it("are refused when key and certificate do not fit, and SIGHUP does not change that", function()
    local first = certificate()
    local p, files = start(first)
    sys.write_file(files.key, sys.read_file(certificate { own_key = true }.key))
    assert.equal(files.key .. ": is not the key of the first certificate in " .. files.certificate, refusal(p))
    p:reload()
    p:wait_log("configuration reloaded")
    assert.equal(pki.serial(first.leaf), tls.serial(p))
  end)

  it("interrupt nobody, whether connected or connecting", function()
    local p, files = start()
    local function client(n)
      return function()
        local args = n == 1 and { "-H", "Connection: close" } or {}
        return tls.curl(p, "a.example", { path = "/[1-120]", args = args })
      end
    end
    local function renew()
      for _ = 1, 4 do
        local new = certificate { own_key = true }
        put(new, files)
        shows(p, new)
      end
      return { code = 0, body = "" }
    end
    for _, got in ipairs(loop.all({ client(1), client(2), client(1), renew })) do
      assert.equal(0, got.code, got.err)
      assert.is_nil(got.body:gsub("hello", ""):gsub("\n200", ""):match("%S+"))
    end
  end)

  it("leave connections alone that stand", function()
    local p, files = start()
    local c = assert(tls.connect(p, "a.example"))
    assert.equal(200, c:get("/").status)
    for _ = 1, 3 do
      local new = certificate { own_key = true }
      put(new, files)
      shows(p, new)
      assert.equal("hello", c:get("/").body) -- c never connects again
    end
    p:reload()
    p:wait_log("configuration reloaded")
    assert.equal(200, c:get("/").status)
  end)

  it("cost load of new connections no failure", function()
    local p, files = start()
    local over, runs, requests = false, 0, 0
    local function load()
      while not over do
        local run = process.start({ "/usr/bin/h2load", "-n", "400", "-c", "40", "-m", "1", "--connect-to",
          p.https_address, "https://a.example/" }, { name = "h2load" })
        assert.equal(0, run:wait_exit(60))
        local out = sys.read_file(run.stdout)
        assert.truthy(out:find("400 succeeded, 0 failed, 0 errored, 0 timeout", 1, true), out)
        runs, requests = runs + 1, requests + 400
      end
    end
    local function renew()
      loop.eventually(function() return runs > 0 end, 60)
      for _ = 1, 8 do
        local new = certificate { own_key = true }
        put(new, files)
        shows(p, new)
      end
      over = true
    end
    loop.all({ load, load, renew })
    assert.is_true(runs >= 3)
    local counted = cjson.decode(p.session:call("CERT_STATUS"):match("|(.*)$")).handshakes
    assert.equal(0, counted.failed)
    assert.is_true(counted.done >= requests / 10)
  end)

  it("take effect by SIGHUP when the configuration names others, and not when these are bad", function()
    local first, other = certificate(), certificate()
    local p = start(first)
    p:write_config { tls = { certificates = { { certificate = "/no/such/file", key = other.key } } } }
    p:reload()
    p:wait_log('refused, nothing changed" reason="%S+:%d+: tls.certificates%[1%]: '
      .. '/no/such/file: No such file or directory"')
    assert.equal(pki.serial(first.leaf), tls.serial(p))
    p:write_config { tls = { certificates = { pki.pair(other) } } }
    p:reload()
    shows(p, other)
  end)
end)

describe("the end of a certificate", function()
  it("is told in the log and in CERT_STATUS, and an expired one serves at a start", function()
    local cases = {
      [-1] = certificate { till = -60 },
      [0] = certificate { till = 12 * 3600 },
      [5] = certificate { till = 6 * DAY - 60 },
      [20] = certificate { till = 21 * DAY - 60 },
      [90] = certificate { till = 90 * DAY + 3600 },
    }
    local pairs_of, days_of = {}, {}
    for days, c in pairs(cases) do
      pairs_of[#pairs_of + 1] = pki.pair(c)
      days_of[#pairs_of] = days
    end
    local p = start(nil, { tls = { certificates = pairs_of } })
    local status = cjson.decode(p.session:call("CERT_STATUS"):match("^CERT_STATUS_OK|(.*)$"))
    for i, days in ipairs(days_of) do
      assert.equal(days, status.certificates[i].days_left)
      assert.same({ "a.example" }, status.certificates[i].names)
    end
    p:wait_log('level=(error) msg="certificate has expired"')
    p:wait_log('level=(error) msg="certificate expires" file=%S+ days=0 ')
    p:wait_log('level=(warn) msg="certificate expires" file=%S+ days=5 ')
    p:wait_log('level=(warn) msg="certificate expires" file=%S+ days=20 ')
    assert.is_nil(p:log():find("days=90", 1, true))
    local code, _, err = proxy.run { "--check", "--config", p.config_path }
    assert.equal(0, code)
    assert.truthy(err:find("warning: .-: has expired\n"))
    assert.truthy(err:find("warning: .-: expires in 5 days\n"))
  end)

  it("is told once each when 30, 7 and 1 days are left, and when it has come", function()
    local LEFT = 4 -- seconds until each comes down to the next
    local function ending(days)
      return certificate { till = days * DAY + LEFT, own_key = true }
    end
    local cases = {
      { ending(30), 'level=warn msg="certificate expires" file=%s days=29 ' },
      { ending(7), 'level=warn msg="certificate expires" file=%s days=6 ' },
      { ending(1), 'level=error msg="certificate expires" file=%s days=0 ' },
      { ending(0), 'level=error msg="certificate has expired" file=%s ' },
    }
    local pairs_of = { pki.pair(certificate()) }
    for _, case in ipairs(cases) do
      pairs_of[#pairs_of + 1] = pki.pair(case[1])
    end
    local p = start(nil, { tls = { certificates = pairs_of } })
    local function told(case)
      local _, count = p:log():gsub((case[2]:format(case[1].certificate:gsub("%p", "%%%0"))), "")
      return count
    end
    p.eventually(function() -- what the proxy does each day, it does when it reads its configuration, too
      p:reload()
      for _, case in ipairs(cases) do
        if told(case) == 0 then
          return false
        end
      end
      return true
    end)
    local reloaded = select(2, p:log():gsub("configuration reloaded", ""))
    p.eventually(function()
      p:reload()
      return select(2, p:log():gsub("configuration reloaded", "")) > reloaded
    end)
    for _, case in ipairs(cases) do
      assert.equal(1, told(case), case[2])
    end
  end)
end)
