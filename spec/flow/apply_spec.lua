local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local SANITIZED = (os.getenv("TIDELOCK_BUILD") or ""):find("san") ~= nil

describe("CONFIG_APPLY", function()
  it("has every worker serve the new configuration before its OK, thousands of times under load", function()
    local ROUNDS = SANITIZED and 400 or 2000
    local o = origin.start(function(request)
      return { body = request.target:match("^/([^/]*)") }
    end)
    local busy = origin.process { body = "busy" }
    local p = proxy.start { workers = 4 }
    local background, session = p:registry(), p:registry()
    background:register("busy", "one")
    background:route { to = busy.url, host = "busy.example" }
    session:register("spec", "one")
    local route = session:route { to = o.url .. "/v0", host = "a.example" }
    local l = load.start { url = p.url, host = "busy.example", connections = 8, expect = "busy" }
    local clients = {}
    for i = 1, 8 do -- the kernel spreads connections over the workers' listeners
      clients[i] = p:connect()
    end

    for round = 1, ROUNDS do
      session:ok("ROUTE_UPDATE", route, "backend_url", ("%s/v%d"):format(o.url, round))
      assert.equal("OK", session:call("CONFIG_APPLY"))
      local c = clients[round % #clients + 1]
      assert.equal("v" .. round, c:get("/", { host = "a.example" }).body)
      if round % 100 == 0 then
        for _, other in ipairs(clients) do
          assert.equal("v" .. round, other:get("/", { host = "a.example" }).body)
        end
      end
    end
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.equal(result.requests, result.statuses["200"])
  end)

  it("changes nothing when it is refused", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url, host = "a.example" } }
    local other = p:registry()
    other:register("other", "one")

    assert.truthy(other:call("ROUTE_ADD", "a.example", "/", o.url, 0):find("^ERROR|unauthorized: "))
    assert.equal("OK", other:call("CONFIG_APPLY"))
    assert.equal(200, p:get("/").status)
    assert.equal(404, p:get("/", { host = "b.example" }).status)
  end)

  it("of many sessions at once is answered to each", function()
    local o = origin.start()
    local p = proxy.start { workers = 2 }
    local tasks = {}
    for i = 1, 40 do
      tasks[i] = function()
        local s = p:registry()
        s:register("service" .. i, "one")
        s:route { to = o.url, host = ("h%d.example"):format(i) }
        return p:get("/", { host = ("h%d.example"):format(i) }).status
      end
    end

    for _, status in ipairs(loop.all(tasks)) do
      assert.equal(200, status)
    end
  end)

  it("drops a route for good: after its OK the backend gets nothing more", function()
    local o = origin.start()
    local p = proxy.start { workers = 4, route = { to = o.url, host = "a.example" } }
    local clients = {}
    for i = 1, 8 do
      clients[i] = p:connect()
      assert.equal(200, clients[i]:get("/").status)
    end
    p.session:ok("ROUTE_REMOVE", p.route_id)
    p.session:ok("CONFIG_APPLY")
    local before = o:count()

    for _, c in ipairs(clients) do
      assert.equal(404, c:get("/").status)
    end
    assert.equal(before, o:count())
  end)

  it("leaves memory as it was, however often it applies", function()
    if SANITIZED then
      return -- the sanitizers look for leaks themselves, and keep freed memory for a while
    end
    local o = origin.start()
    -- Each apply is logged: the log's ring would grow until 256 KiB of it had been used once.
    local p = proxy.start { workers = 2, config = { log_level = "warn" }, route = { to = o.url } }
    local grown = p:growth(15, function()
      for i = 1, 150 do
        p.session:ok("ROUTE_UPDATE", p.route_id, "priority", i)
        p.session:ok("CONFIG_APPLY")
      end
    end)
    assert.is_true(grown < 16 * 1024, ("150 applies take %d bytes"):format(grown))
  end)
end)
