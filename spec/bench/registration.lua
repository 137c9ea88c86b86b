--- Many routes of one session, and what asks for them.

local cjson = require("cjson")
local sys = require("spec.support.sys")

local registration = {}

-- As many routes as surely fit into a line.
local BATCH = 100

--- Settings for proxies that get many routes: no checks of all those backends, which are no matter of look-ups and
-- applies, and time for large commands on a machine that is busy.
registration.CONFIG = { health_checks = false, scripts_budget = { command = "10s" } }

--- A route of a kind: i of many hosts, or of many paths on one host.
function registration.route(kind, i, origin)
  local hosts = kind == "hosts"
  return {
    domains = { hosts and ("h%d.example"):format(i) or "one.example" },
    path = hosts and "/" or ("/service%d/api"):format(i), backend_url = "http://127.0.0.1:" .. origin, priority = 0,
  }
end

--- Lines (without session) that stage so many routes.
function registration.lines(kind, count, origin)
  local lines = {}
  for first = 1, count, BATCH do
    local list = {}
    for i = first, math.min(first + BATCH - 1, count) do
      list[#list + 1] = registration.route(kind, i, origin)
    end
    lines[#lines + 1] = cjson.encode(list)
  end
  return lines
end

--- Registers a session with so many live routes.
-- @return the session's connection
function registration.session(p, kind, count, origin)
  local session = p:registry()
  session:register("bench", "one")
  for _, line in ipairs(registration.lines(kind, count, origin)) do
    session:ok("ROUTE_ADD_BULK", line)
  end
  session:ok("CONFIG_APPLY")
  return session
end

-- Every request is made before, and which comes next follows no order that a cache could guess.
local SCRIPT = [[
local kind, count = "%s", %d
local requests, at = {}, 1
for i = 1, count do
  local host, path = "h" .. i .. ".example", "/index.html"
  if kind == "paths" then
    host, path = "one.example", "/service" .. i .. "/api/items"
  end
  requests[i] = "GET " .. path .. " HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n"
end
function request()
  at = (at * 1103515245 + 12345) %% 2147483648
  return requests[math.floor(at / 65536) %% count + 1]
end
]]

--- A script for wrk that asks for so many routes in random order.
-- @return file name
function registration.wrk_script(kind, count)
  local path = sys.temp_dir() .. "/requests.lua"
  sys.write_file(path, SCRIPT:format(kind, count))
  return path
end

return registration
