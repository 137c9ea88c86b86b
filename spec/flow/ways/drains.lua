--- Cases of spec/flow/ways_spec.lua: drains.

local assert = require("luassert")
local backends = require("spec.support.backends")
local loop = require("spec.support.loop")

local LENGTH = 2

return {
  {
    name = "a drain turns away elapsed / duration",
    run = function(t)
      -- Over HTTP/2 each request may be one of a new connection: those of the drain leave by GOAWAY.
      local g = t:group({ t:backend() }, { config = { limits = { connections_per_address = 0 } } })
      local from = loop.now()
      g.session:ok("DRAIN_START", LENGTH .. "s")
      local to = loop.now()
      -- The start lies between from and to, so the share expected of a request lies between two bounds.
      local turned, least, most, count, now = 0, 0, 0, 0, loop.now()
      while now < to + 0.8 * LENGTH do
        local before = loop.now()
        turned = turned + (t:get().status == 503 and 1 or 0)
        now = loop.now()
        least, most = least + math.max(0, before - to) / LENGTH, most + (now - from) / LENGTH
        count = count + 1
      end
      local margin = 3 + 0.02 * count -- what every tenth of a drain may be off
      assert.is_true(count > 20, "too few requests to tell")
      assert.is_true(turned >= least - margin and turned <= most + margin, ("%d of %d, not %.1f to %.1f"):format(
        turned, count, least, most))
    end,
  },
  {
    name = "a drain that is done is answered 503 with Retry-After, and can be cancelled",
    run = function(t)
      local o = t:backend()
      local g = t:group { o }
      assert.equal(200, t:get().status)
      g.session:ok("DRAIN_START", "0")
      local r = t:get()
      assert.same({ 503, "Draining", "true" }, { r.status, r.body, r.headers["X-Drain-Mode"] })
      assert.truthy(tonumber(r.headers["Retry-After"]))
      assert.truthy(r.headers["Proxy-Status"]:find('details="draining"', 1, true))
      assert.equal(1, o:count())
      g.session:ok("DRAIN_CANCEL")
      for _ = 1, 3 do
        assert.equal(200, t:get().status)
      end
    end,
  },
  {
    name = "a drain of one member of two leaves all to the other",
    run = function(t)
      local a, b = t:backend { body = "a" }, t:backend { body = "b" }
      local g = t:group({ a, b }, { apart = true })
      g.session:ok("DRAIN_START", "0")
      for _ = 1, 8 do
        assert.equal("b", t:get().body)
      end
      assert.same({ 0, 8 }, { a:count(), b:count() })
    end,
  },
  {
    name = "a drain lets a request in flight end",
    schemes = backends.SCHEMES,
    run = function(t)
      local waiting, open = 0, false
      local g = t:group { t:backend(function()
        waiting = waiting + 1
        loop.eventually(function()
          return open
        end)
        return { body = "late" }
      end) }
      local held = t.client:start { path = "/held" }
      loop.eventually(function()
        return waiting == 1
      end)
      g.session:ok("DRAIN_START", "0")
      assert.equal(503, t:another():request { path = "/" }.status)
      open = true
      local r = held:response()
      assert.same({ 200, "late", false }, { r.status, r.body, r.cut })
    end,
  },
}
