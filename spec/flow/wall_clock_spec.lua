local cjson = require("cjson")
local group = require("spec.support.group")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local wall_clock = require("spec.support.wall_clock")

local HOUR, DAY = 3600, 86400
local STEPS = { ["forwards"] = 5 * HOUR, ["backwards"] = -10 * HOUR }

local function started(options)
  local clock = wall_clock.new()
  local config = { timeouts = { response = "20s" } }
  for key, value in pairs(options and options.config or {}) do
    config[key] = value
  end
  local p = proxy.start { env = clock.env, workers = 1, config = config, https = options and options.https }
  local s = p:registry()
  s:register("spec", "one")
  return clock, p, s
end

local function add(s, host, o)
  return s:ok("ROUTE_ADD", host, "/", o.url, 0)
end

local function close_to(expected, got, what)
  assert.is_true(math.abs(expected - got) <= 30, ("%s: %s, not %s"):format(what, got, expected))
end

--- Seconds of a Date field.
local function date_s(text)
  local day, month, year, hour, minute, second = text:match("^%a+, (%d+) (%a+) (%d+) (%d+):(%d+):(%d+) GMT$")
  local number = (("JanFebMarAprMayJunJulAugSepOctNovDec"):find(month, 1, true) + 2) / 3
  return log_line.wall_ms(("%s-%02d-%sT%s:%s:%sZ"):format(year, number, day, hour, minute, second)) / 1000
end

describe("the wall clock", function()
  for name, step in pairs(STEPS) do
    it("stepping " .. name .. " by hours moves what says the time, and nothing that measures it", function()
      local clock, p, s = started()
      local limited, sick = origin.start(), origin.start { status = 500 }
      local gate = {}
      local slow = origin.start(function()
        while not gate.open do
          loop.delay(0.01)
        end
        return { body = "slow" }
      end)
      s:ok("RATELIMIT_SET", add(s, "limited.example", limited), 2, "1h")
      s:ok("CIRCUIT_BREAKER_SET", add(s, "open.example", sick), 1, "60s", 1)
      s:ok("CIRCUIT_BREAKER_SET", add(s, "probing.example", sick), 1, "500ms", 1)
      add(s, "slow.example", slow)
      s:ok("CONFIG_APPLY")
      local function status(host) return p:get("/", { host = host }).status end
      local kept = p:connect()
      assert.equal(200, kept:get("/", { host = "limited.example" }).status)
      assert.equal(200, status("limited.example"))
      assert.equal(500, status("open.example"))
      local waiting = p:connect()
      waiting:send_request { path = "/", host = "slow.example" }
      loop.eventually(function() return slow:count() == 1 end)
      assert.equal(500, status("probing.example"))
      clock:step(step)

      local refused = kept:get("/", { host = "limited.example" })
      assert.equal(429, refused.status)
      assert.is_true(tonumber(refused.headers["Retry-After"]) <= HOUR)
      close_to(clock:now(), date_s(refused.headers["Date"]), "Date")
      assert.equal(503, status("open.example"))
      sick:respond { status = 200 }
      loop.eventually(function() return status("probing.example") == 200 end)
      assert.equal(503, status("open.example"))
      gate.open = true
      assert.equal("slow", waiting:receive().body)
      local again = p:registry()
      again:register("spec", "two")
      local last = p:wait_log('time=(%S+) level=info msg="[^"]*registered" session=%S+ service=spec instance=two')
      close_to(clock:now(), log_line.wall_ms(last) / 1000, "log")
    end)

    it("stepping " .. name .. " leaves drains, health checks and time-outs their length", function()
      local clock = wall_clock.new()
      local checked = 0
      local o = origin.start(function(request)
        if request.target == "/health" then
          checked = checked + 1
        elseif request.target == "/silent" then
          loop.delay(3)
        end
        return {}
      end)
      local p = proxy.start { env = clock.env, workers = 1,
        config = { health_checks = true, timeouts = { response = "500ms" } } }
      local s = p:registry()
      s:register("spec", "one")
      s:ok("HEALTH_SET", add(s, "*", o), "/health", "200ms", "1s")
      s:ok("CONFIG_APPLY")
      s:ok("SUBSCRIBE", "drain_completed")
      loop.eventually(function() return checked > 0 end)
      local begun = loop.now()
      local ends = log_line.wall_ms((s:ok("DRAIN_START", "1s"))) / 1000
      close_to(clock:now() + 1, ends, "the drain's end")
      clock:step(step)

      local seen = checked
      local drain = cjson.decode((s:ok("DRAIN_STATUS")))
      assert.is_false(drain.completed)
      assert.is_true(drain.elapsed_seconds <= loop.now() - begun)
      loop.eventually(function() return checked >= seen + 3 end)
      s:wait_event("^EVENT|drain_completed|")
      assert.is_true(loop.now() - begun >= 0.95)
      assert.is_true(checked - seen <= (loop.now() - begun) / 0.15 + 1)
      s:ok("DRAIN_CANCEL")
      assert.equal(504, p:get("/silent").status)
    end)
  end

  it("is what certificates expire by", function()
    local certificate = pki.pair(pki.certificate { names = { "a.example" } })
    local clock, _, s = started { https = true, config = { tls = { certificates = { certificate } } } }
    local function days_left()
      return (s:ok("CERT_STATUS")):match('"days_left":(-?%d+)') + 0
    end
    local before = days_left()
    assert.is_true(before > 10)
    clock:step(10 * DAY)
    assert.equal(before - 10, days_left())
    clock:step((before + 2) * DAY)
    assert.equal(-1, days_left())
    clock:step(-DAY)
    assert.is_true(days_left() > before)
  end)

  it("steps forth and back under a drain of one of two without a request being lost", function()
    local clock = wall_clock.new()
    local a, b = origin.start { body = "a" }, origin.start { body = "b" }
    local g = group.start({ a.url, b.url }, { apart = true, env = clock.env })
    g.session:ok("DRAIN_START", "1h")
    for i = 1, 100 do
      clock:step((i % 2 == 0 and 1 or -1) * i * HOUR)
      assert.equal(200, g:get("/").status)
    end
    assert.is_true(a:count() > 30 and b:count() > 30)
  end)
end)
