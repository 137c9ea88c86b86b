local conversation = require("spec.scripts.conversation")
local limits = require("spec.support.limits")
local loop = require("spec.support.loop")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local session, status, too_many = limits.session, limits.status, limits.too_many

local URL = "http://127.0.0.1:9"

--- Stages and applies as many routes.
local function many_routes(r, count)
  local list = {}
  for i = 1, count do
    list[#list + 1] = ('{"domains":["h%d.example"],"path":"/","backend_url":"%s"}'):format(i, URL)
    if #list == 150 or i == count then
      r:ok("ROUTE_ADD_BULK", "[" .. table.concat(list, ",") .. "]")
      list = {}
    end
  end
  r:ok("CONFIG_APPLY")
end

describe("a session that is taken over a thousand times in a loop", function()
  local REFUSED = too_many("too many takeovers of this session", "session_takeovers", 10)

  it("by RECONNECT is refused to go on after a while, and stays where it is", function()
    local p = proxy.start()
    local r, other = session(p, "shop", "one"), session(p, "cart", "one")
    local taken, refused, last = 0, 0, r
    for _ = 1, 1000 do
      local new = p:registry()
      local answer = new:call("RECONNECT", r.session)
      if answer == "OK" then
        taken, last = taken + 1, new
      else
        assert.equal(REFUSED, answer)
        refused = refused + 1
        new:close()
      end
    end
    assert.is_true(taken >= 100 and refused > 0, taken)
    last.session = r.session
    assert.equal("PONG", last:call("PING"))
    assert.equal("PONG", other:call("PING"))
    assert.equal(refused, status(other).limits.session_takeovers.refused)
    for _ = 1, 300 do
      assert.equal("OK", last:call("RECONNECT", r.session)) -- nothing is taken over
    end
    loop.soon(function()
      assert.equal("OK", p:registry():call("RECONNECT", r.session))
    end)
  end)

  it("by REGISTER likewise, whether it had routes or not, and its routes serve", function()
    local p = proxy.start()
    local r, other = session(p, "shop", "one"), session(p, "cart", "one")
    r:route { to = URL, host = "shop.example" }
    local taken, refused = 0, 0
    for _ = 1, 1000 do
      local new = p:registry()
      local answer = new:call("REGISTER", "shop", "one", 0)
      if answer:find("^ACK|") then
        taken = taken + 1
      else
        assert.equal(REFUSED, answer)
        refused = refused + 1
        new:close()
      end
    end
    assert.is_true(taken >= 100 and refused > 0, taken)
    assert.equal(502, p:get("/", { host = "shop.example" }).status)
    local s = status(other)
    assert.same({ connected = 2, disconnected = 0, superseded = 1 }, s.registry.sessions)
    assert.equal(3, s.limits.sessions.used)
    assert.equal("ACK", p:registry():call("REGISTER", "shop", "two", 0):match("^[^|]*"))
  end)
end)

describe("maintenance that is ordered without end", function()
  it("by connections that leave before the answer is refused past a bound", function()
    local page = "http://192.0.2.1:81/"
    local p = proxy.start { config = { limits = { session_operations = 4 } } }
    local r = session(p, "shop", "one")
    many_routes(r, 2)
    local worst, seen_refused = 0, false
    for _ = 1, 40 do
      local orders = {}
      for i = 1, 20 do
        orders[i] = p:registry()
        orders[i].session = r.session
        orders[i]:send(orders[i]:format(i % 2 == 0 and "MAINT_ENTER" or "MAINT_EXIT", "ALL", i % 2 == 0 and page or "")
          .. "\n")
      end
      local s = status(r)
      worst = math.max(worst, s.limits.session_operations.used)
      for _, order in ipairs(orders) do
        order:close()
      end
      seen_refused = s.limits.session_operations.refused > 0
    end
    assert.is_true(worst <= 4, worst)
    assert.is_true(seen_refused)
    loop.soon(function()
      assert.equal("ACK", r:call("MAINT_EXIT", "ALL", "force"))
    end)
  end)
end)

describe("events that come faster than they are read", function()
  it("end their subscriber at the limit of output, and nobody else", function()
    local p = proxy.start { config = { limits = { registry_output = "64k" } } }
    local r = session(p, "shop", "one")
    local deaf = p:registry({ receive_buffer = 4096 })
    deaf.session = r.session
    deaf:ok("SUBSCRIBE", "all")
    local hears = p:registry()
    hears.session = r.session
    hears:ok("SUBSCRIBE", "maintenance_changed")
    many_routes(r, 2000)
    local heard, rounds = 0, 0
    loop.spawn(function()
      while hears:try_line() do
        heard = heard + 1
      end
    end)
    repeat
      rounds = rounds + 1
      r:ok("MAINT_ENTER", "ALL", "")
      r:ok("MAINT_EXIT", "ALL", "force")
      local s = status(r)
    until s.registry.closed.output_limit or rounds > 1000
    local s = status(r)
    assert.equal(1, s.registry.closed.output_limit)
    assert.equal(1, s.limits.registry_output.refused)
    assert.is_true(s.limits.registry_output.used <= 65536)
    r:ok("MAINT_ENTER", "ALL", "")
    loop.soon(function()
      assert.is_true(heard >= 2 * rounds + 1, heard)
    end)
  end)
end)

describe("a session of ten thousand routes", function()
  it("can be listed, compressed, while others are answered", function()
    local p = proxy.start { config = { scripts_budget = { command = "10s" } } } -- a busy machine is no script's fault
    local r, other = session(p, "shop", "one"), session(p, "cart", "one")
    many_routes(r, 10000)
    assert.equal(too_many("too many routes", "routes_per_session", 10000),
      r:call("ROUTE_ADD", "one.more.example", "/", URL, 0))
    assert.equal("ERROR|response too large, use compressed", r:call("ROUTE_LIST"))
    local cpu = p:cpu_seconds()
    assert.equal(10000, #conversation.unpack(r:call("ROUTE_LIST", "compressed"), "ROUTE_LIST_OK"))
    cpu = p:cpu_seconds() - cpu
    r:send((r:format("ROUTE_LIST", "compressed") .. "\n"):rep(6))
    local worst = 0
    for _ = 1, 20 do
      local from = loop.now()
      assert.equal("PONG", other:call("PING"))
      worst = math.max(worst, loop.now() - from)
    end
    if os.getenv("TIDELOCK_SHOW") then
      print(("ROUTE_LIST of 10,000 routes: %.3f s of processor time, PING beside it %.3f s"):format(cpu, worst))
    end
    assert.is_true(worst < 5 * loop.SLOWNESS, worst)
    for _ = 1, 6 do
      assert.matches("^ROUTE_LIST_OK|", r:receive())
    end
    assert.equal(502, p:get("/", { host = "h9999.example" }).status)
  end)
end)

describe("handshakes on the registry", function()
  it("that never end leave time for commands", function()
    local rsa = pki.certificate { names = { "registry.example" }, kind = "rsa" }
    local p = proxy.start { config = { registry_tls = { listen = "127.0.0.1:0", certificate = rsa.certificate,
      key = rsa.key } } }
    local r = session(p, "shop", "one")
    local file = pki.path("registry-hello")
    sys.write_file(file, tls.hello("-tls1_3"))
    local flood = process.start({ "/usr/bin/luajit", "spec/support/tls_flood.lua",
      p.registry_tls_address:match(":(%d+)$"), file, "100" }, { name = "flood" })
    flood:wait_line("^flooding")
    local worst, times = 0, {}
    for i = 1, 200 do
      local from = loop.now()
      assert.equal("PONG", r:call("PING"))
      times[i] = loop.now() - from
      worst = math.max(worst, times[i])
    end
    table.sort(times)
    if os.getenv("TIDELOCK_SHOW") then
      print(("PING beside a flood of handshakes: median %.4f s, worst %.4f s"):format(times[100], worst))
    end
    assert.is_true(times[100] < 0.03 * loop.SLOWNESS, times[100])
    local late = p:registry_tls({ authority = false })
    late:register("late", "one")
    flood:cleanup()
  end)
end)
