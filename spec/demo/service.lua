--- A demo service: a small HTTP server that registers itself with the proxy, as a real service would.
--
-- usage: luajit spec/demo/service.lua SERVICE INSTANCE REGISTRY-ADDRESS DOMAINS PATH HEALTH-INTERVAL SLOW-START
--
-- Asked for /break directly, not through the proxy, it answers 500 to all but health checks until /mend is asked for.

local ffi = require("ffi")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local registry = require("spec.support.registry")
local terminal = require("spec.demo.terminal")

local service, instance, registry_address, domains, path, health_interval, slow_start = unpack(arg)

local function say(format, ...)
  io.write(format:format(...), "\n")
  io.flush()
end

local broken = false

local function obey(target)
  if target == "/break" or target == "/mend" then
    broken = target == "/break"
    return { status = 204 }
  end
end

local function answer(request)
  if request.target:find("/health$") then
    return { body = "well\n" }
  end
  local obeyed = not request.headers["X-Forwarded-For"] and obey(request.target)
  if obeyed then
    return obeyed
  elseif broken then
    return { status = 500, body = ("%s is broken.\n"):format(instance) }
  end
  return {
    headers = { ["Content-Type"] = "text/plain; charset=utf-8" },
    body = ("Hello from %s, process %d. You asked for %s %s, as %s.\n"):format(
      instance, ffi.C.getpid(), request.method, request.target,
      request.headers["X-Forwarded-For"] or "somebody"),
  }
end

-- Registers, stages one route with its health check and applies: from then on traffic comes.
local function register(url)
  local r = registry.connect(registry_address)
  r:register(service, instance, "", '{"demo":true}')
  local route = r:ok("ROUTE_ADD", domains, path, url, 0)
  r:ok("HEALTH_SET", route, "/health", health_interval, "1s")
  r:ok("OPTIONS_SET", route, "slow_start", slow_start)
  r:ok("CONFIG_APPLY")
  say("registered %s %s %s", r.session, route, url)
  return r
end

terminal.take_signals()
local server = origin.start(answer)
local r = register(server.url)

-- The registry connection stays open: it is what keeps the session alive.
loop.spawn(function()
  r.stream.timeout = math.huge
  while r:try_line() do
    loop.delay(0)
  end
end)

while not terminal.wait_end(3600) do
  loop.delay(0)
end
r:send(r:format("CLIENT_SHUTDOWN") .. "\n")
loop.eventually(function() return r:ended() end, 1)
