--- Cases of spec/flow/ways_spec.lua: which member is used, and what is sent again.

local assert = require("luassert")
local backends = require("spec.support.backends")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

--- A backend whose /health is a switch.
local function switched(t)
  local self = { well = true, served = 0 }
  local o = t:backend(function(request)
    if request.path == "/health" then
      return { status = self.well and 200 or 503 }
    end
    self.served = self.served + 1
    return {}
  end)
  self.url = o.url
  return self
end

local function await_state(g, route, state)
  loop.eventually(function()
    return g:status(route).health.state == state
  end)
end

return {
  {
    name = "a member that its check finds down gets nothing until it is well",
    schemes = backends.SCHEMES,
    run = function(t)
      local a, b = switched(t), switched(t)
      local g = t:group({ a, b }, { config = { health_checks = true }, health = { "/health", "30ms", "5s" } })
      await_state(g, "r1", "healthy")
      await_state(g, "r2", "healthy")
      a.well = false
      await_state(g, "r1", "down")
      a.served, b.served = 0, 0
      for _ = 1, 6 do
        assert.equal(200, t:get().status)
      end
      assert.same({ 0, 6 }, { a.served, b.served })
      a.well = true
      loop.eventually(function()
        return t:get().status == 200 and a.served > 0
      end)
    end,
  },
  {
    name = "a refused connection costs no request, not even one with a body",
    run = function(t)
      local o = t:backend(function(request)
        return { body = request.body }
      end)
      t:group { origin.refusing_url(), o }
      for i = 1, 6 do
        local r = t:request { method = "POST", path = "/", body = { "body ", tostring(i) } }
        assert.same({ 200, "body " .. i }, { r.status, r.body })
      end
    end,
  },
  {
    name = "what a backend may have acted on is sent again only if that is harmless",
    schemes = backends.SCHEMES,
    run = function(t)
      local broken, well = t:backend { drop = true }, t:backend { body = "well" }
      t:group { broken, well }
      for _ = 1, 4 do
        assert.equal("well", t:get().body)
      end
      local before, seen = broken:count(), {}
      loop.eventually(function()
        seen[t:request({ method = "POST", path = "/", body = "x" }).status] = true
        return broken:count() > before
      end)
      assert.equal(before + 1, broken:count())
      assert.is_true(seen[502])
    end,
  },
  {
    name = "a request with a body that may be repeated is, from its first byte",
    schemes = backends.SCHEMES,
    run = function(t)
      local got = {}
      local function take(request)
        got[#got + 1] = request.body
        return { drop = #got == 1, body = "well" }
      end
      t:group { t:backend(take), t:backend(take) }
      local r = t:request { method = "PUT", path = "/", body = { "one", "two" } }
      assert.same({ 200, "well" }, { r.status, r.body })
      assert.same({ "onetwo", "onetwo" }, got)
    end,
  },
  {
    name = "a member that starts slowly gets a tenth of its share at first",
    run = function(t)
      local old, new = t:backend(), t:backend()
      local g = t:group { old }
      local session = g.proxy:registry()
      session:register("spec", "late")
      session:route { to = new.url, options = { slow_start = "1h" } }
      for _ = 1, 100 do
        assert.equal(200, t:get().status)
      end
      assert.is_true(math.abs(new:count() - 5) <= 2, tostring(new:count()))
    end,
  },
}
