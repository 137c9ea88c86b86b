local cjson = require("cjson")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local function start(tls_settings, workers)
  local o = origin.start(function() return { status = 200, body = "hello" } end)
  local pair = pki.pair(pki.certificate { names = { "a.example", "b.example" } })
  local config = { log_level = "debug", tls = { certificates = { pair } } }
  for key, value in pairs(tls_settings or {}) do
    config.tls[key] = value
  end
  return proxy.start { https = true, workers = workers or 2, route = { host = "*", to = o.url }, config = config }
end

--- One connection with a session from a file, which leaves the newest one there.
-- @return was it resumed?
local function visit(p, session, args)
  local all = { "-sess_out", session }
  for _, arg in ipairs(args) do
    all[#all + 1] = arg
  end
  local got = tls.openssl(p, { args = all })
  assert.truthy(got.out:find("hello", 1, true), got.out .. got.err)
  return got.out:find("Reused, TLSv1", 1, true) ~= nil
end

describe("sessions", function()
  for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
    it("resume on every worker, " .. version, function()
      local p, session = start(nil, 4), pki.path("session")
      assert.is_false(visit(p, session, { version }))
      for _ = 1, 16 do -- the kernel spreads connections: all four workers, but for one run in hundreds
        assert.is_true(visit(p, session, { version, "-sess_in", session }))
      end
      local handshakes = cjson.decode(p.session:call("CERT_STATUS"):match("|(.*)$")).handshakes
      assert.same({ done = 17, resumed = 16, failed = 0 }, handshakes)
    end)
  end

  it("resume with keys that were rotated twice, and not after a third time", function()
    local p, session = start { ticket_rotation = "1s" }, pki.path("session")
    visit(p, session, { "-tls1_2" })
    local first = session .. ".first"
    os.execute(("cp %s %s"):format(session, first))
    assert.is_true(visit(p, session, { "-tls1_2", "-sess_in", first }))
    p.eventually(function() return not visit(p, session, { "-tls1_2", "-sess_in", first }) end)
  end)

  it("survive a reload and a change of certificates", function()
    local p, session = start(), pki.path("session")
    visit(p, session, { "-tls1_3" })
    local other = pki.certificate { names = { "a.example" }, own_key = true }
    p:write_config { tls = { certificates = { pki.pair(other) } } }
    p:reload()
    p:wait_log("configuration reloaded")
    assert.is_true(visit(p, session, { "-tls1_3", "-sess_in", session }))
  end)

  it("get a new key in time, be the configuration read again ever so often", function()
    local p = start { ticket_rotation = "1s" }
    p:write_config { log_level = "debug",
      tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) }, ticket_rotation = "1s" } }
    p.eventually(function()
      p:reload()
      return p:log():find("session tickets have a new key", 1, true)
    end)
  end)

  it("resume for curl", function()
    local p = start()
    local got = tls.curl(p, "a.example", { path = "/[1-4]", args = { "--tlsv1.3", "-H", "Connection: close" } })
    assert.equal(0, got.code, got.err)
    local handshakes = cjson.decode(p.session:call("CERT_STATUS"):match("|(.*)$")).handshakes
    assert.same({ done = 4, resumed = 3, failed = 0 }, handshakes)
  end)

  it("mean nothing to another proxy", function()
    local session = pki.path("session")
    visit(start(), session, { "-tls1_3" })
    assert.is_false(visit(start(), session, { "-tls1_3", "-sess_in", session }))
  end)
end)

describe("OCSP", function()
  local function answer(p, version)
    local out = tls.openssl(p, { args = { "-status", version } }).out
    return out:match("Cert Status: (%a+)") or out:match("OCSP response: (no response sent)")
  end

  local function with(file, certificate)
    return start { certificates = { pki.pair(certificate, { ocsp = file }) } }
  end

  it("answers are stapled from a file", function()
    local c = pki.certificate { names = { "a.example" } }
    local p = with(pki.ocsp(c), c)
    for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
      assert.equal("good", answer(p, version))
    end
    assert.is_true(cjson.decode(p.session:call("CERT_STATUS"):match("|(.*)$")).certificates[1].stapled)
  end)

  it("answers follow their file when it changes, and stay when it is bad", function()
    local c = pki.certificate { names = { "a.example" } }
    local file = pki.path("answer.der")
    local function put(text)
      sys.write_file(file .. ".new", text)
      assert(os.rename(file .. ".new", file))
    end
    local function shown(p)
      return tls.openssl(p, { args = { "-status" } }).out:match("Next Update: ([^\n]+)")
    end
    put(sys.read_file(pki.ocsp(c, 3)))
    local p = with(file, c)
    local first = assert(shown(p))
    put(sys.read_file(pki.ocsp(c, 9)))
    local second = p.eventually(function()
      local now = shown(p)
      return now ~= first and now
    end)
    put("no answer")
    p:wait_log("certificate refused, the one before stays")
    assert.equal(second, shown(p))
    pki.revoke(c)
    put(sys.read_file(pki.ocsp(c, 12)))
    p:wait_log("certificate refused, the one before stays[^\n]* is revoked")
    assert.equal(second, shown(p))
  end)

  it("answers are not there without one", function()
    assert.equal("no response sent", answer(start(), "-tls1_3"))
  end)

  it("answers for another certificate, or that are none, are refused", function()
    local c, other = pki.certificate { names = { "a.example" } }, pki.certificate { names = { "b.example" } }
    local p = start()
    local cases = { [pki.ocsp(other)] = "answers for another certificate", [c.key] = "is no successful OCSP" }
    for file, why in pairs(cases) do
      p:write_config { tls = { certificates = { pki.pair(c, { ocsp = file }) } } }
      local code, _, err = proxy.run { "--check", "--config", p.config_path }
      assert.equal(1, code)
      assert.truthy(err:find(file .. ": " .. why, 1, true), err)
    end
  end)
end)
