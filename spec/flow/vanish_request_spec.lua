-- Clients that go away at each byte of what they send, in each way to go, over each way to talk to the proxy, in front
-- of each kind of backend: no part of a request is ever taken for one, nothing is left of them, nobody else notices.

local backends = require("spec.support.backends")
local cleanup = require("spec.support.cleanup")
local vanish = require("spec.support.vanish")
local web = require("spec.support.web")

for _, scheme in ipairs(backends.SCHEMES) do
  describe(("in front of a backend that speaks %s"):format(scheme), function()
    local place, taken

    setup(function()
      cleanup.share(function()
        local function count(path)
          taken[path] = (taken[path] or 0) + 1
        end
        taken = {}
        place = vanish.place(scheme, scheme == "h2c" and vanish.h2c(count) or backends.start(scheme, function(request)
          count(request.path)
          return { body = "ok" }
        end).origin)
      end)
    end)

    teardown(cleanup.end_shared)

    before_each(function()
      taken = {}
    end)

    local function leave_everywhere(way, text, ending)
      local connections = {}
      for cut = 0, #text - 1 do
        local bytes = place:connect(way)
        connections[#connections + 1] = bytes
        if cut > 0 then
          assert(bytes:write(text:sub(1, cut)))
        end
      end
      place:serves()
      for _, bytes in ipairs(connections) do
        vanish.ENDINGS[ending](bytes)
      end
    end

    for _, way in ipairs(web.WAYS) do
      for kind, text in pairs(vanish.requests(way)) do
        for _, ending in ipairs(vanish.endings(way)) do
          it(("a client that leaves (%s) at each byte of a request (%s, body: %s) leaves nothing behind"):format(ending,
            way.name, kind), function()
            leave_everywhere(way, text, ending)
            place:calm(way)
            assert.is_nil(taken["/vanish"])
          end)
        end
      end
    end
  end)
end
