local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local function config_file(text)
  local path = sys.temp_dir() .. "/tidelock.lua"
  sys.write_file(path, text)
  return path
end

describe("the command line", function()
  it("explains itself: --help names every option", function()
    local code, out = proxy.run { "--help" }
    assert.equal(0, code)
    for _, option in ipairs({ "--config", "--http", "--registry", "--workers", "--scripts", "--log-level", "--check",
      "--version", "--help" }) do
      assert.truthy(out:find(option, 1, true), option)
    end
  end)

  it("tells its version", function()
    local code, out = proxy.run { "--version" }
    assert.equal(0, code)
    assert.truthy(out:find("^tidelock %d+%.%d+%.%d+"))
  end)

  for _, case in ipairs({
    { "an unknown option", { "--confg", "x" }, "--config" },
    { "a bad address", { "--http", "nowhere" }, "--http" },
    { "a bad port", { "--registry", "127.0.0.1:99999" }, "--registry" },
    { "a bad number of workers", { "--workers", "many" }, "--workers" },
    { "a bad log level", { "--log-level", "loud" }, "--log-level" },
  }) do
    it("refuses " .. case[1] .. " and names it", function()
      local code, _, err = proxy.run(case[2])
      assert.equal(2, code)
      assert.truthy(err:find(case[3], 1, true), err)
    end)
  end

  it("says which file cannot be read, which directory has no scripts", function()
    local code, _, err = proxy.run { "--config", "/no/such/file.lua" }
    assert.equal(1, code)
    assert.truthy(err:find("/no/such/file.lua", 1, true))
    code, _, err = proxy.run { "--http", "127.0.0.1:0", "--registry", "127.0.0.1:0", "--scripts", "/no/such/dir" }
    assert.equal(1, code)
    assert.truthy(err:find("/no/such/dir", 1, true))
  end)

  it("says which address is in use", function()
    local p = proxy.start()
    local code, _, err = proxy.run { "--http", "127.0.0.1:0", "--registry", p.registry_address }
    assert.equal(1, code)
    assert.truthy(err:find(p.registry_address, 1, true), err)
  end)

  it("listens where it is told, several times over, IPv6 too", function()
    local p = proxy.start { http = "[::1]:0", args = { "--http", "127.0.0.1:0" } }
    assert.equal(2, #p.http_addresses)
    assert.truthy(p.http_addresses[1]:find("^%[::1%]:%d+$"))
    assert.equal(404, p:get("/").status)
  end)
end)

describe("--check", function()
  it("passes a good configuration", function()
    local code, out = proxy.run { "--check", "--config", config_file('timeouts = { head = "10s" }\nretries = 2\n') }
    assert.equal(0, code)
    assert.truthy(out:find("ok"))
  end)

  for _, case in ipairs({
    { "an unknown key", 'retries = 1\ntimeout = { head = "1s" }', ":2: ", "timeouts" },
    { "an unknown key in a table", 'timeouts = {\n  head = "1s",\n  hed = "1s",\n}', ":3: ", "head" },
    { "a wrong type", 'retries = "many"', ":1: ", "retries" },
    { "a value out of range", "\n\nretries = 1000", ":3: ", "retries" },
    { "a bad duration", 'timeouts = { head = "soon" }', ":1: ", "timeouts.head" },
    { "a syntax error", "retries = = 1", ":1: ", "" },
    { "a bad static route", 'routes = {\n  { domains = "a", path = "/", backend_url = "ftp://x" },\n}', ":2: ",
      "backend_url" },
    { "an endless configuration", "while true do end", ":1: ", "" },
  }) do
    it("says file, line and key of " .. case[1], function()
      local path = config_file(case[2])
      local code, out, err = proxy.run { "--check", "--config", path }
      local said = out .. err
      assert.equal(1, code)
      assert.truthy(said:find(path .. case[3], 1, true), said)
      assert.truthy(said:find(case[4], 1, true), said)
    end)
  end
end)
