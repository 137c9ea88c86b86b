--- The proxy's own account of each request, its access log, against the client's: one line for each, with the status
-- and the bytes that came. It also says how often a request was tried again.

local loop = require("spec.support.loop")
local oracle = require("spec.chaos.oracle")
local sys = require("spec.support.sys")

local logged = {}

local LINE = 'path="[^"?\n]*%?([%w-]+)"[^\n]- status=(%d+) sent=(%d+)[^\n]- retries=(%d+) '

--- What stands there: by id a list of { status, sent, retries }.
local function lines_of(run)
  local by_id = {}
  local text = sys.read_file(run.config.access_log.file) or ""
  for id, status, sent, retries in text:gmatch(LINE) do
    by_id[id] = by_id[id] or {}
    table.insert(by_id[id], { status = tonumber(status), sent = tonumber(sent), retries = tonumber(retries) })
  end
  return by_id
end

--- Waits for the lines, which come after the answers; what is still missing then is missing.
local function wait_lines(run)
  local by_id
  pcall(loop.eventually, function()
    by_id = lines_of(run)
    for _, request in ipairs(run.requests) do
      if not request.skipped and not by_id[request.id] then
        return false
      end
    end
    return true
  end, 3)
  return by_id
end

--- Compares, at a time when nothing is under way, and notes the retries in the world.
-- @return list of problems
function logged.read(run)
  local by_id, problems = wait_lines(run), {}
  for _, request in ipairs(run.requests) do
    local lines = by_id[request.id] or {}
    problems[#problems + 1] = oracle.logged(request, lines)
    if lines[1] and lines[1].retries > 0 then
      request.retries = lines[1].retries
      table.insert(run.world.retries, { sent = request.sent, done = request.done, count = request.retries })
    end
  end
  sys.write_file(run.config.access_log.file, "")
  return problems
end

return logged
