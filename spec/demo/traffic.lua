--- Real clients: connections that ask for a path at a steady pace, and what they got.
--
--   local t = traffic.start { url = p.url, host = "shop.localhost", path = "/", rate = 200, clients = 4 }
--   local tally = t:count()          -- counts from now on
--   tally.answers, tally.failed, tally.statuses[200], tally.from["shop-a"]
--   t:stop()

local http = require("spec.support.http")
local loop = require("spec.support.loop")
local message = require("spec.support.message")

local traffic = {}
traffic.__index = traffic

--- An empty tally.
function traffic.tally()
  return {
    answers = 0, -- whole ones, whatever their status
    failed = 0, -- refused or broken connections, answers cut short
    statuses = {}, -- answers by status
    from = {}, -- answers by the service that made them; the proxy's own as "proxy"
    unmarked = 0, -- 503 and 429 that do not say when to come again
  }
end

--- Adds one answer to a tally.
function traffic.add(tally, response)
  local status = response.status
  local from = response.body:match("^Hello from (%S+),") or response.body:match("^(%S+) is broken") or "proxy"
  tally.answers = tally.answers + 1
  tally.statuses[status] = (tally.statuses[status] or 0) + 1
  tally.from[from] = (tally.from[from] or 0) + 1
  if (status == 503 or status == 429) and not tonumber(response.headers["Retry-After"]) then
    tally.unmarked = tally.unmarked + 1
  end
end

--- Adds a tally to another one.
function traffic.merge(into, tally)
  for _, key in ipairs({ "answers", "failed", "unmarked" }) do
    into[key] = into[key] + tally[key]
  end
  for _, key in ipairs({ "statuses", "from" }) do
    for name, count in pairs(tally[key]) do
      into[key][name] = (into[key][name] or 0) + count
    end
  end
  return into
end

local function note(self, response, err)
  for tally in pairs(self.tallies) do
    if response then
      traffic.add(tally, response)
    else
      tally.failed = tally.failed + 1
      tally.error = err
    end
  end
  if response and self.on_answer then
    self.on_answer(response)
  end
end

-- One request; the connection is kept for the next one unless one of both sides wants it to end.
local function ask(self, connection)
  if connection and connection:ended() then
    connection:close()
    connection = nil
  end
  local ok, response = pcall(function()
    connection = connection or http.connect(self.url, { source = self.source })
    return connection:get(self.path, { host = self.host })
  end)
  note(self, ok and response, response)
  if connection and (not ok or message.lists(response.headers, "Connection", "close")) then
    connection:close()
    connection = nil
  end
  return connection
end

-- A client that falls behind does not catch up: it is never faster than its pace.
local function client(self, offset)
  local pace, connection = self.clients / self.rate, nil
  loop.delay(offset * pace)
  while not self.ending do
    local started = loop.now()
    connection = ask(self, connection)
    loop.delay(math.max(0, started + pace - loop.now()))
  end
  if connection then
    connection:close()
  end
end

--- Starts clients.
-- @param options url, host, path, rate (requests a second, together), clients, source (address, or nil)
function traffic.start(options)
  local self = setmetatable({ tallies = {}, tasks = {} }, traffic)
  for key, value in pairs(options) do
    self[key] = value
  end
  for i = 1, self.clients do
    self.tasks[i] = loop.spawn(client, self, i / self.clients)
  end
  return self
end

--- A tally that counts from now on, until uncount.
function traffic:count()
  local tally = traffic.tally()
  self.tallies[tally] = true
  return tally
end

function traffic:uncount(tally)
  self.tallies[tally] = nil
end

--- Ends the clients; requests under way are still answered.
function traffic:stop()
  self.ending = true
  for _, task in ipairs(self.tasks) do
    loop.join(task)
  end
end

return traffic
