--- Cases of spec/flow/ways_spec.lua: circuits.

local assert = require("luassert")
local backends = require("spec.support.backends")
local loop = require("spec.support.loop")

return {
  {
    name = "a circuit opens after failures in a row, says so, probes and closes",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { status = 500, body = "sick" }
      local g = t:group({ o }, { circuit = { 3, "300ms", 1 } })
      for _ = 1, 3 do
        assert.equal(500, t:get().status)
      end
      local r = t:get()
      assert.same({ 503, "open" }, { r.status, r.headers["X-Circuit-State"] })
      assert.is_true(tonumber(r.headers["Retry-After"]) >= 1)
      assert.truthy(r.headers["Proxy-Status"]:find("destination_unavailable", 1, true))
      assert.equal(3, o:count())
      o:respond { body = "well" }
      loop.eventually(function()
        return g:circuit("r1").state == "half-open"
      end)
      assert.equal("well", t:get().body)
      assert.equal("closed", g:circuit("r1").state)
      assert.equal(4, o:count())
    end,
  },
  {
    name = "a circuit that is half-open lets as many requests through as it says, at a time",
    run = function(t)
      local waiting, open = 0, false
      local o = t:backend { status = 500 }
      local g = t:group({ o }, { circuit = { 1, "100ms", 1 } })
      assert.equal(500, t:get().status)
      o:respond(function()
        waiting = waiting + 1
        loop.eventually(function()
          return open
        end)
        return { body = "well" }
      end)
      loop.eventually(function()
        return g:circuit("r1").state == "half-open"
      end)
      local probe = t.client:start { path = "/probe" }
      loop.eventually(function()
        return waiting == 1
      end)
      assert.equal("half-open", t:another():request { path = "/" }.headers["X-Circuit-State"])
      open = true
      assert.equal("well", probe:response().body)
      assert.equal("closed", g:circuit("r1").state)
    end,
  },
  {
    name = "a circuit obeys CIRCUIT_BREAKER_RESET",
    run = function(t)
      local o = t:backend { status = 500 }
      local g = t:group({ o }, { circuit = { 1, "1h", 1 } })
      assert.same({ 500, 503 }, { t:get().status, t:get().status })
      o:respond { body = "well" }
      assert.equal(503, t:get().status)
      g.session:ok("CIRCUIT_BREAKER_RESET", "r1")
      assert.equal("well", t:get().body)
    end,
  },
  {
    name = "a circuit of one member leaves all to the other",
    run = function(t)
      local sick, well = t:backend { status = 500 }, t:backend()
      local g = t:group({ sick, well }, { circuit = { 2, "1h", 1 }, options = { retries = "0" } })
      loop.eventually(function()
        t:get()
        return g:circuit("r1").state == "open"
      end)
      local before = sick:count()
      for _ = 1, 6 do
        assert.equal("ok", t:get().body)
      end
      assert.equal(before, sick:count())
    end,
  },
  {
    name = "a response that is cut, or none at all, is a failure for the circuit",
    schemes = backends.SCHEMES,
    run = function(t)
      for _, how in ipairs { "cut", "drop" } do
        local g = t:group({ t:backend { [how] = true } }, { circuit = { 2, "1h", 1 }, options = { retries = "0" } })
        t:request { method = "POST", path = "/", body = "x" }
        t:request { method = "POST", path = "/", body = "x" }
        loop.eventually(function()
          return g:circuit("r1").state == "open"
        end)
        assert.equal(503, t:get().status)
      end
    end,
  },
  {
    name = "a group with panic=fail_open goes on when all its members are down",
    run = function(t)
      local o = t:backend { status = 500 }
      local g = t:group({ o }, { circuit = { 1, "1h", 1 }, options = { panic = "fail_open" } })
      assert.equal(500, t:get().status)
      assert.equal("open", g:circuit("r1").state)
      o:respond { body = "well" }
      assert.equal("well", t:get().body)
      assert.is_true(g:status("r1").effective.panic)
    end,
  },
}
