--- What the proxy has counted, against what clients sent and got: for an epoch in which no route goes.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local oracle = require("spec.chaos.oracle")

local statistics = {}

--- The sums over all routes of all sessions.
local function totals(run)
  local sum = { in_flight = 0 }
  local function add(name, n)
    sum[name] = (sum[name] or 0) + n
  end
  for _, one in ipairs(run.instances) do
    local conn = one.session and one.session.conn
    for _, route in ipairs(conn and cjson.decode((conn:ok("STATS_GET", "ALL"))) or {}) do
      add("requests", route.requests)
      add("bytes_sent", route.bytes_sent)
      add("bytes_received", route.bytes_received)
      for status, n in pairs(route.status_codes) do
        add("status " .. status, n)
      end
      add("in_flight", cjson.decode((conn:ok("ROUTE_STATUS", route.route_id))).in_flight)
    end
  end
  return sum
end

--- The sums once nothing is in flight and they stay the same.
function statistics.settled(run)
  local last
  return loop.eventually(function()
    local now = totals(run)
    local same = last and #oracle.counted(last, now) == 0 and now.in_flight == 0
    last = now
    return same and now
  end)
end

--- What was sent and received: what counts exactly, and how many bytes of tunnels that were told to end may be added.
local function sent(run)
  local sum, slack = {}, { bytes_sent = 0, bytes_received = 0 }
  local function add(name, n)
    sum[name] = (sum[name] or 0) + n
  end
  for _, request in ipairs(run.requests) do
    local tunnel = request.tunnel
    if not request.skipped and request.refusal ~= "no_route" then
      add("requests", 1)
      add("status " .. tostring(request.status), 1)
      add("bytes_sent", tunnel and tunnel.how == "done" and tunnel.received or request.received or 0)
      add("bytes_received", tunnel and tunnel.how == "done" and tunnel.sent or request.backend and request.upload or 0)
      if tunnel and tunnel.how ~= "done" then
        slack.bytes_sent = slack.bytes_sent + tunnel.received + 1000
        slack.bytes_received = slack.bytes_received + tunnel.sent + 1000
      end
    end
  end
  return sum, slack
end

--- Compares, as soon as all is counted.
-- @param before what statistics.settled gave before the epoch
-- @return list of problems
function statistics.compare(run, before)
  local expected, slack = sent(run)
  local function problems_now()
    local now = statistics.settled(run)
    for name, n in pairs(before) do
      now[name] = (now[name] or 0) - n
    end
    for name, more in pairs(slack) do
      local over = (now[name] or 0) - (expected[name] or 0)
      if over > 0 and over <= more then
        now[name] = expected[name]
      end
    end
    for name, n in pairs(now) do
      now[name] = n ~= 0 and n or nil
    end
    return oracle.counted(expected, now)
  end
  local problems
  pcall(loop.eventually, function()
    problems = problems_now()
    return #problems == 0
  end, 3)
  return problems
end

return statistics
