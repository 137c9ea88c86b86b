--- What a run did, as JSON lines: written when something was wrong, with what happened around it shown.

local cjson = require("cjson")

local history = {}

local AROUND = 1 -- seconds before the request

--- Where histories go: $TIDELOCK_CHAOS_HISTORY, or the build directory.
local function path_of(self)
  return os.getenv("TIDELOCK_CHAOS_HISTORY")
    or ("%s/chaos-%s.jsonl"):format(os.getenv("TIDELOCK_BUILD") or "build", self.seed)
end

local function plain(value)
  local out = {}
  for key, item in pairs(value) do
    if type(item) == "string" or type(item) == "number" or type(item) == "boolean" or key == "tunnel" then
      out[key] = item
    end
  end
  return out
end

--- Everything of this epoch in the order of time.
local function lines_of(self)
  local list = {}
  for _, event in ipairs(self.events) do
    list[#list + 1] = { event.sent or event.at, event }
  end
  for _, request in ipairs(self.requests) do
    local event = plain(request)
    event.what = "request"
    list[#list + 1] = { request.sent, event }
  end
  for _, execution in ipairs(self.executions) do
    local event = plain(execution)
    event.what = "execution"
    list[#list + 1] = { execution.at, event }
  end
  for name, up in pairs(self.world.up) do
    for _, change in ipairs(up.changes) do
      list[#list + 1] = { change.from, { what = change.value and "up" or "down", backend = name, from = change.from,
        to = change.to < math.huge and change.to or nil } }
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

--- Appends the epoch to the file.
-- @param why what is wrong: a line of its own
function history.write(self, why)
  local path = path_of(self)
  local file = assert(io.open(path, "a"))
  file:write(cjson.encode { what = "problem", seed = self.seed, epoch = self.epochs, why = tostring(why) }, "\n")
  for _, line in ipairs(lines_of(self)) do
    file:write(cjson.encode(line[2]), "\n")
  end
  file:close()
  return path
end

local function concerns(event, request)
  local service = request.service
  return event.id == request.id or (event.what ~= "request" and event.what ~= "execution"
    and cjson.encode(event):find(service, 1, true))
end

local function show(self, problem)
  io.stderr:write(("chaos: seed %s epoch %d: %s: %s\n"):format(self.seed, self.epochs, problem.kind, problem.why))
  local request = problem.request
  if not request then
    return
  end
  for _, line in ipairs(lines_of(self)) do
    if line[1] > request.sent - AROUND and line[1] < (request.done or request.sent) + 0.1
      and concerns(line[2], request) then
      io.stderr:write(("  %+.4f %s\n"):format(line[1] - request.sent, cjson.encode(line[2]):sub(1, 400)))
    end
  end
end

--- Shows the first problems and writes the epoch down, if there are any.
function history.tell(self, problems)
  if #problems == 0 then
    return
  end
  for i = 1, math.min(3, #problems) do
    show(self, problems[i])
  end
  io.stderr:write(("chaos: %d problems, all of the epoch in %s\n"):format(#problems,
    history.write(self, problems[1].kind .. ": " .. problems[1].why)))
end

return history
