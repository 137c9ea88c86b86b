-- What is done when the system has no memory to watch a descriptor (epoll_ctl), and when a directory cannot be read to
-- its end.

local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local build = os.getenv("TIDELOCK_FAULTS") or os.getenv("TIDELOCK_BUILD") or "build"

local function options(fail, route)
  return { binary = build .. "/tidelock", env = { TIDELOCK_FAIL = fail }, workers = 1, route = route,
    config = { health_checks = false } }
end

-- How often a site is reached until the program serves, the route if there is one.
local function count_at_start(site, route)
  local p = proxy.start(options("list", route))
  p:stop()
  return assert(tonumber(p:log():match("fault site " .. site:gsub("%p", "%%%0") .. "[@%d]* (%d+)\n")), site)
end

local function serves(p, host)
  local ok, r = pcall(p.get, p, "/", { host = host })
  return ok and r.status == 200
end

describe("a descriptor that cannot be watched", function()
  it("ends the start with a reason, or is watched a moment later: then all is served", function()
    local o = origin.start()
    local refused = 0
    for nth = 1, count_at_start("libev:epoll_ctl") do
      local p, ended = proxy.try(options("libev:epoll_ctl:" .. nth))
      if p then
        loop.eventually(function()
          local ok, r = pcall(p.registry, p)
          if ok then
            r:register("spec", "one")
            r:route { to = o.url, host = "a.example" }
          end
          return ok
        end)
        loop.eventually(function()
          return serves(p, "a.example")
        end)
        assert.equal(0, p:stop() or 0)
      else
        refused = refused + 1
        assert.equal(1, ended.exit_code)
        assert.truthy(ended:output():find("Cannot allocate memory", 1, true), ended:output())
      end
    end
    assert.equal(2, refused) -- what wakes control's loop, and the worker's
  end)

  it("of a client ends its connection, and nobody else's", function()
    local o = origin.start()
    local route = { to = o.url, host = "a.example" }
    local p = proxy.start(options("libev:epoll_ctl:" .. count_at_start("libev:epoll_ctl", route) + 1, route))
    local ok, r = pcall(p.get, p, "/", { host = "a.example" })
    assert.is_true(not ok or not r.status)
    assert.is_true(serves(p, "a.example"))
    assert.equal(1, o:count())
  end)

  it("of a backend's connection fails that one: the request is told why", function()
    local o = origin.start()
    local route = { to = o.url, host = "a.example" }
    local p = proxy.start(options("libev:epoll_ctl:" .. count_at_start("libev:epoll_ctl", route) + 2, route))
    local r = p:get("/", { host = "a.example" })
    assert.equal(503, r.status)
    assert.truthy(p:log():find("fault: libev:epoll_ctl fails", 1, true))
    assert.is_true(serves(p, "a.example"))
  end)
end)

describe("a directory of scripts that cannot be read to its end", function()
  it("is no set of scripts: those in service stay", function()
    local site = "script/bundle.c:add_entries:readdir"
    local p = proxy.start(options(("%s:%d"):format(site, count_at_start(site) + 3)))
    local r = p:registry()
    r:register("spec", "one")
    assert.truthy(r:call("SCRIPTS_RELOAD"):find("^ERROR|.*: Input/output error"))
    assert.truthy(r:call("PING"):find("^PONG"))
    assert.truthy(r:call("SCRIPTS_RELOAD"):find("^SCRIPTS_RELOAD_OK"))
  end)
end)
