require("spec.lua.host")
local config = require("config")

local function load(text)
  return config.load(text, "t.lua")
end

local function settings(text)
  return assert(load(text)).settings
end

local function problems(text)
  local result, err = load(text)
  assert.is_nil(result)
  return err
end

describe("an empty configuration", function()
  it("has all defaults", function()
    local s = settings("")
    local expected = {
      ["timeouts.handshake"] = 10000, ["limits.handshakes"] = 1000,
      ["tls.min_version"] = "1.2", ["tls.client_certificates"] = "off", ["tls.ticket_rotation"] = 28800000,
      ["tls.subject_header"] = "X-Client-Cert-Subject", ["tls.verify_header"] = "X-Client-Cert-Verify",
      redirect_https = "off",
      ["timeouts.head"] = 30000, ["timeouts.keep_alive"] = 75000, ["timeouts.body"] = 60000,
      ["timeouts.send"] = 60000, ["timeouts.connect"] = 5000, ["timeouts.response"] = 60000,
      ["timeouts.pool"] = 60000, ["timeouts.spare_memory"] = 60000, ["timeouts.grace"] = 300000,
      ["timeouts.staged"] = 1800000,
      ["timeouts.shutdown"] = 30000, ["timeouts.resolve"] = 5000,
      ["http2.cleartext"] = true, ["http2.max_streams"] = 128, ["http2.max_resets"] = 500,
      ["http2.max_control_frames"] = 1000,
      ["timeouts.tunnel"] = 3600000, ["timeouts.tunnel_message"] = 10000, ["timeouts.tunnel_close"] = 10000,
      ["timeouts.registry_handshake"] = 10000, ["registry_tls.only"] = false,
      ["registry_tls.client_certificates"] = "off", ["limits.head_size"] = 16384,
      ["limits.header_count"] = 100, ["limits.target_length"] = 8192, ["limits.body_size"] = 0,
      ["limits.buffer_size"] = 16384, ["limits.pool_size"] = 512,
      ["limits.ratelimit_sources"] = 400000, ["maintenance.check_interval"] = 1000,
      ["maintenance.timeout"] = 60000,
      ["scripts_budget.load"] = 2000, ["scripts_budget.command"] = 250, ["scripts_budget.health"] = 20,
      ["scripts_budget.page"] = 100, ["scripts_budget.policy"] = 5, scripts_memory = 67108864,
      ["limits.connections"] = 0, ["limits.connections_per_address"] = 4096,
      ["limits.keep_alive_requests"] = 100000, ["timeouts.keep_alive_age"] = 3600000,
      ["limits.body_rate"] = 240, ["limits.send_rate"] = 240, ["timeouts.rate"] = 30000,
      ["limits.buffer_memory"] = 268435456, sandbox = true, core_dumps = false,
      defer_accept = true,
      ["limits.registry_per_address"] = 512, ["limits.registry_auth_lines"] = 10,
      ["limits.registry_lines"] = 1000, ["limits.registry_burst"] = 10000, ["limits.registry_waiting"] = 2000,
      ["limits.sessions"] = 10000, ["limits.metadata_size"] = 16384, ["limits.routes_per_session"] = 10000,
      ["limits.domains_per_route"] = 256, ["limits.headers_per_target"] = 100,
      ["limits.staged_bytes"] = 16777216, ["limits.session_takeovers"] = 10, ["limits.session_operations"] = 32,
      ["timeouts.registry_auth"] = 10000, ["timeouts.registry_idle"] = 300000,
      ["limits.registry_connections"] = 1024, ["limits.registry_output"] = 1048576,
      http = { ":8080" }, registry = "127.0.0.1:8181", workers = 0, retries = 3,
      log_level = "info", ["access_log.format"] = "off",
      ["access_log.file"] = "-", unknown_host = "404", forwarded = false, health_checks = true,
      scripts_watch = true, ["scripts_rollback.failures"] = 5, ["scripts_rollback.window"] = 60000,
      ["compression.min_size"] = 1024, ["compression.zstd"] = 3, ["compression.br"] = 4,
      ["compression.gzip"] = 4, ["compression.cpu"] = 70, ["compression.streams"] = 100,
      ["compression.order"] = { "zstd", "br", "gzip" },
    }
    assert.truthy(#s["compression.types"] > 5)
    s["compression.types"] = nil
    assert.same(expected, s)
  end)

  it("has no routes", function()
    assert.same({}, load("").static_routes)
  end)
end)

describe("a configuration", function()
  it("is set by assignments", function()
    assert.equal(3, settings("workers = 3").workers)
    assert.equal(2000, settings('timeouts = { head = "2s" }')["timeouts.head"])
    assert.equal(1500, settings("timeouts = { head = 1.5 }")["timeouts.head"])
    assert.equal(65536, settings('limits = { buffer_size = "64K" }')["limits.buffer_size"])
  end)

  it("is set by a returned table", function()
    assert.equal(3, settings("return { workers = 3 }").workers)
  end)

  it("may use local variables and operators", function()
    assert.equal(4, settings("local n = 2\nworkers = n * 2").workers)
  end)

  it("takes one listener or several", function()
    assert.same({ ":0" }, settings('http = ":0"').http)
    assert.same({ ":0", "[::1]:0" }, settings('http = { ":0", "[::1]:0" }').http)
  end)

  it("takes unknown_host as number or text", function()
    assert.equal("503", settings("unknown_host = 503").unknown_host)
    assert.equal("close", settings('unknown_host = "close"').unknown_host)
  end)

  it("gives response headers as a sorted list", function()
    local s = settings('response_headers = { ["X-B"] = "2", ["X-A"] = "1" }')
    assert.same({ { "X-A", "1" }, { "X-B", "2" } }, s.response_headers)
  end)

  it("takes address ranges and name servers", function()
    local s = settings('trusted_proxies = { "10.0.0.0/8" }\nresolver = { servers = { "127.0.0.1:53" } }')
    assert.same({ "10.0.0.0/8" }, s.trusted_proxies)
    assert.same({ "127.0.0.1:53" }, s["resolver.servers"])
  end)
end)

describe("a mistake", function()
  local cases = {
    ['timeout = { head = "1s" }'] = 't.lua:1: unknown key "timeout"; did you mean "timeouts"?',
    ['\ntimeouts = {\n haed = "1s" }'] =
      't.lua:3: unknown key "haed" in timeouts; did you mean "head"?',
    ["timeouts = 5"] = "t.lua:1: timeouts has to be a table: timeouts = { head = ... }",
    ['timeouts = { head = "1x" }'] = "t.lua:1: timeouts.head has to be a duration: "
      .. '"300ms", "30s", "1m30s", or a number of seconds',
    ["timeouts = { head = -1 }"] = "t.lua:1: timeouts.head has to be a duration: "
      .. '"300ms", "30s", "1m30s", or a number of seconds',
    ['timeouts = { head = "2h" }'] = "t.lua:1: timeouts.head is out of range: 1ms to 1h",
    ["limits = { head_size = 100 }"] = "t.lua:1: limits.head_size is out of range: 1k to 64k",
    ['limits = { head_size = "32k" }'] =
      "t.lua:1: limits.head_size has to be at most limits.buffer_size, which is 16384",
    ["limits = { header_count = 129 }"] = "t.lua:1: limits.header_count is out of range: 1 to 128",
    ["retries = 11"] = "t.lua:1: retries is out of range: 0 to 10",
    ["retries = 1.5"] = "t.lua:1: retries has to be a whole number",
    ['workers = "2"'] = "t.lua:1: workers has to be a whole number",
    ['forwarded = "yes"'] = "t.lua:1: forwarded has to be true or false",
    ["unknown_host = 405"] = 't.lua:1: unknown_host has to be 404, 503 or "close"',
    ['access_log = { format = "xml" }'] =
      't.lua:1: access_log.format has to be "off", "text" or "json"',
    ['registry_token = ""'] = "t.lua:1: registry_token has to be a text that is not empty",
    ['registry = "localhost:1"'] = "t.lua:1: registry has to be an address: "
      .. '"127.0.0.1:8080", ":8080" or "[::1]:8080"',
    ['http = {\n":1",\n"x" }'] = "t.lua:3: http[2] has to be an address: "
      .. '"127.0.0.1:8080", ":8080" or "[::1]:8080"',
    ['trusted_proxies = { "10.0.0.0/99" }'] = "t.lua:1: trusted_proxies[1] has to be "
      .. 'an address range: "10.0.0.0/8", "::1"',
    ['response_headers = { Connection = "x" }'] = "t.lua:1: response_headers.Connection "
      .. "name: Connection is the proxy's own to set",
    ['compression = { types = { "text/*", "text" } }'] = "t.lua:1: compression.types[2] has to be "
      .. 'a media type: "text/*", "application/json", "+xml"',
    ['compression = { order = "deflate" }'] = "t.lua:1: compression.order[1] has to be "
      .. 'a content coding: "zstd", "br" or "gzip"',
    ["compression = { br = 7 }"] = "t.lua:1: compression.br is out of range: 1 to 6",
    ["compression = { cpu = 101 }"] = "t.lua:1: compression.cpu is out of range: 0 to 100",
    ["workers = two"] = "t.lua:1: two has no value here; put texts in quotes",
    ['\ntimeouts.head = "1s"'] =
      "t.lua:2: timeouts has no value here; write its settings in a table: timeouts = { head = ... }",
    ["workers = 1\nworkers = ="] = "t.lua:2: unexpected symbol near '='",
    ["return 5"] = "t.lua:1: the file may return a table of settings, nothing else",
  }

  for text, message in pairs(cases) do
    it("is told for " .. text:gsub("\n", " "), function()
      assert.equal(message, problems(text))
    end)
  end

  it("does not hide another one; they come in the order of the file", function()
    assert.equal("t.lua:1: retries is out of range: 0 to 10\n"
      .. "t.lua:2: forwarded has to be true or false", problems("retries = 11\nforwarded = 1"))
  end)
end)
