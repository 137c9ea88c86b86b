-- What is done when the system has no memory to watch a descriptor (epoll_ctl), and when a directory cannot be read to
-- its end.

local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local SITE, HOST = "libev:epoll_ctl", "a.example"

local build = os.getenv("TIDELOCK_FAULTS") or os.getenv("TIDELOCK_BUILD") or "build"

local function options(fail)
  return { binary = build .. "/tidelock", env = { TIDELOCK_FAIL = fail }, workers = 1,
    config = { health_checks = false } }
end

-- How often a site is reached until the program serves.
local function count_at_start(site)
  local p = proxy.start(options("list"))
  p:stop()
  return assert(tonumber(p:log():match("fault site " .. site:gsub("%p", "%%%0") .. "[@%d]* (%d+)\n")), site)
end

local function add_route(p, url)
  local r = p:registry()
  r:register("spec", "one")
  r:route { to = url, host = HOST }
end

-- Of the answer; nil: there was none.
local function status_of(ask, ...)
  local ok, r = pcall(ask, ...)
  return ok and r.status or nil
end

describe("a descriptor that cannot be watched", function()
  it("ends the start with a reason, or is watched a moment later: then all is served", function()
    local o = origin.start()
    local refused = 0
    for nth = 1, count_at_start(SITE) do
      local p, ended = proxy.try(options(SITE .. ":" .. nth))
      if p then
        loop.eventually(function() return pcall(add_route, p, o.url) end)
        loop.eventually(function() return status_of(p.get, p, "/", { host = HOST }) == 200 end)
        assert.equal(0, p:stop() or 0)
      else
        refused = refused + 1
        assert.equal(1, ended.exit_code)
        assert.truthy(ended:output():find("Cannot allocate memory", 1, true), ended:output())
      end
    end
    assert.equal(2, refused) -- what wakes control's loop, and the worker's
  end)

  -- A request whose head comes in two pieces, so that its client has to be watched, and one in one piece.
  -- @return their statuses, nil where the connection ended
  local function two_requests(p)
    local status = status_of(function()
      local c = p:connect()
      c:send("GET / HTTP/1.1\r\n")
      loop.delay(0.01) -- for the proxy to hear it; if it does not, the next round shows the same
      c:send("Host: " .. HOST .. "\r\n\r\n")
      return c:receive()
    end)
    return status, status_of(p.get, p, "/", { host = HOST })
  end

  it("of a client or a backend ends that connection, and nobody else's", function()
    local o = origin.start()
    local from, lost, failed = count_at_start(SITE), 0, 0
    for i = 0, 29 do -- which call it is differs a little from start to start
      local p = proxy.try(options(SITE .. ":" .. from + i % 6))
      if p then
        loop.eventually(function() return pcall(add_route, p, o.url) end)
        local one, other = two_requests(p)
        assert.is_true(one == 200 or other == 200)
        lost = lost + ((one == nil or other == nil) and 1 or 0)
        failed = failed + ((one == 503 or other == 503) and 1 or 0)
        loop.eventually(function() return status_of(p.get, p, "/", { host = HOST }) == 200 end)
        p:stop()
      end
      if lost > 0 and failed > 0 then
        return
      end
    end
    error(("%d lost, %d failed"):format(lost, failed))
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
