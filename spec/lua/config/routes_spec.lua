require("spec.lua.host")
local config = require("config")

local function routes(text)
  return assert(config.load("routes = { " .. text .. " }", "t.lua")).static_routes
end

local function problems(text)
  local result, err = config.load("routes = {\n" .. text .. " }", "t.lua")
  assert.is_nil(result)
  return err
end

describe("a static route", function()
  it("needs domains and a backend, the rest has defaults", function()
    local route = routes('{ domains = "a.example", backend_url = "http://x" }')[1]
    assert.same({ "a.example" }, route.domains)
    assert.equal("/", route.path)
    assert.equal(0, route.priority)
    assert.equal("http://x", route.backend_url)
    assert.same({}, route.settings)
    assert.equal("routes.1", route.at)
  end)

  it("carries settings in the registry's form", function()
    local route = routes([[{ domains = { "a", "b" }, backend_url = "http://x", path = "/p",
      priority = -3, headers = { ["X-A"] = "1" }, options = { retries = 2, compression = true },
      health = { path = "/h", interval = "5s", timeout = 1 },
      ratelimit = { requests = 5, window = "1m" },
      circuit = { threshold = 3, timeout = "30s", half_open_requests = 1 } }]])[1]
    assert.same({ "a", "b" }, route.domains)
    assert.equal(-3, route.priority)
    assert.same({
      { scope = "headers", key = "X-A", value = "1" },
      { scope = "options", key = "compression", value = "true" },
      { scope = "options", key = "retries", value = "2" },
      { scope = "health", key = "", value = "/h|5000|1000" },
      { scope = "ratelimit", key = "", value = "5|60000" },
      { scope = "circuit", key = "", value = "3|30000|1" },
    }, route.settings)
  end)
end)

describe("a mistake in a static route", function()
  local good = 'domains = "a", backend_url = "http://x"'
  local cases = {
    ["{}"] = "t.lua:2: routes.1.domains has to be a host name or a list of them\n"
      .. 't.lua:2: routes.1.backend_url has to be a URL: "http://127.0.0.1:80"',
    ["5"] = "t.lua:2: routes.1 has to be a table in a list: { domains = ..., backend_url = ... }",
    ["{ " .. good .. ",\n path = 5 }"] =
      't.lua:3: routes.1.path has to be a text that starts with "/"',
    ["{ " .. good .. ",\n priority = 1.5 }"] = "t.lua:3: routes.1.priority has to be a whole number",
    ["{ " .. good .. ",\n option = {} }"] =
      't.lua:3: unknown key "option" in routes.1; did you mean "options"?',
    ["{ " .. good .. ",\n options = {\n colour = 1 } }"] =
      "t.lua:4: routes.1.options.colour: unknown option: colour",
    ["{ " .. good .. ",\n headers = { ['a b'] = '1' } }"] =
      't.lua:3: routes.1.headers.a b: name: "a b" is not a header name',
    ["{ " .. good .. ",\n options = 5 }"] =
      "t.lua:3: routes.1.options has to be a table: { key = value }",
    ["{ " .. good .. ",\n ratelimit = { requests = 0, window = '1s' } }"] =
      "t.lua:3: routes.1.ratelimit.requests has to be a whole number from 1 to 1000000000",
    ["{ " .. good .. ",\n health = { path = '/', interval = '0s', timeout = '1s' } }"] =
      't.lua:3: routes.1.health.interval has to be a duration longer than 0: "10s"',
    ["{ " .. good .. ",\n health = { path = 'x', interval = '1s', timeout = '1s' } }"] =
      "t.lua:3: routes.1.health: path: has to start with /",
    ["{ " .. good .. ",\n circuit = { threshold = 1, timeout = '1s', half_open = 1 } }"] =
      "t.lua:3: routes.1.circuit.half_open_requests has to be a whole number from 1 to 1000000000\n"
      .. 't.lua:3: unknown key "half_open" in routes.1.circuit; known are threshold, timeout, '
      .. "half_open_requests",
  }

  for text, message in pairs(cases) do
    it("is told for " .. text:gsub("\n", " "), function()
      assert.equal(message, problems(text))
    end)
  end

  it("in routes that are no list", function()
    local _, err = config.load("routes = 5", "t.lua")
    assert.equal("t.lua:1: routes has to be a list of tables: routes = { { domains = ... }, ... }", err)
  end)
end)
