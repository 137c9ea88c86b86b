--- Cases of spec/flow/ways_spec.lua: how requests and the proxy end.

local assert = require("luassert")
local backends = require("spec.support.backends")
local loop = require("spec.support.loop")

--- A handler that holds every request to /held until gate.open.
local function held()
  local gate = { waiting = 0 }
  return gate, function(request)
    if request.path == "/held" then
      gate.waiting = gate.waiting + 1
      loop.eventually(function()
        return gate.open
      end)
    end
    return { body = "whole" }
  end
end

local function await(gate)
  loop.eventually(function()
    return gate.waiting == 1
  end)
end

return {
  {
    name = "a response that its backend cuts is seen to be cut",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { cut = true }
      t:group({ o }, { options = { retries = "0" } })
      local r = t:request { method = "POST", path = "/", body = "x" }
      assert.is_true(r.status == 502 or r.cut)
      assert.is_true(r.status == 502 or r.status == nil or #r.body < 10)
      o:respond { body = "whole" }
      assert.equal("whole", t:get().body)
    end,
  },
  {
    name = "SIGTERM lets a request in flight end, then the proxy",
    schemes = backends.SCHEMES,
    run = function(t)
      local gate, handler = held()
      local g = t:group { t:backend(handler) }
      local request = t.client:start { path = "/held" }
      await(gate)
      g.proxy:signal("TERM")
      g.proxy:wait_log("(stopping)")
      gate.open = true
      local r = request:response()
      assert.same({ 200, "whole", false }, { r.status, r.body, r.cut })
      t.client:close()
      assert.equal(0, (g.proxy:wait_exit()))
    end,
  },
  {
    name = "a client that goes away is no failure of the backend",
    schemes = backends.SCHEMES,
    run = function(t)
      local gate, handler = held()
      local g = t:group({ t:backend(handler) }, { circuit = { 1, "1h", 1 } })
      local request = t.client:start { path = "/held" }
      await(gate)
      request:abort()
      loop.eventually(function()
        return g:status("r1").in_flight == 0
      end)
      assert.same({ "closed", 0 }, { g:circuit("r1").state, g:circuit("r1").failures })
      gate.open = true
      assert.equal("whole", t:another():request { path = "/" }.body)
    end,
  },
}
