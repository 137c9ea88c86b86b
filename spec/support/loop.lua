--- One event loop for a spec's origins, clients and the proxy's conversation, all in busted's
-- process.
--
-- A call that looks as if it blocked (a request, a read) runs the loop until its own operation
-- is done, so that origins are served meanwhile. Origins are tasks: coroutines that give way
-- while they wait. An error in a task (an assertion in an origin's handler, say) is raised from
-- whatever call the spec is in.
--
--   loop.spawn(function() ... end)      a task
--   loop.eventually(fn, seconds)        tries until fn returns something true
--   loop.soon(fn, seconds)              tries until fn's assertions hold
--   loop.join(task)                     its end and results

local sys = require("spec.support.sys")

local loop = { READ = sys.READ, WRITE = sys.WRITE, now = sys.now }

-- Sanitized programs are several times slower.
local build = os.getenv("TIDELOCK_BUILD") or "build"
loop.SLOWNESS = (build:find("asan") or build:find("tsan")) and 4 or 1
loop.TIMEOUT = 30 * loop.SLOWNESS

local waiting = {} -- set of entries {fd, mask, deadline, task, outcome}
local current -- the task that runs now, nil in the spec itself
local keeping = false -- are tasks started now to outlive the spec?
local failure -- first error of a task that nobody has seen yet

local function settle(task, ok, ...)
  task.done, task.ok, task.results = true, ok, { ... }
  if not ok and not task.cancelled and not failure then
    failure = { (...) }
  end
end

local function resume(task, ...)
  local outer = current
  current = task
  local results = { coroutine.resume(task.thread, ...) }
  current = outer
  if not results[1] then
    local message = results[2]
    if type(message) == "string" then
      message = debug.traceback(task.thread, message)
    end
    settle(task, false, message)
  elseif coroutine.status(task.thread) == "dead" then
    settle(task, unpack(results))
  end
end

local function fire(entry, outcome)
  waiting[entry] = nil
  entry.outcome = outcome
  if entry.task and not entry.task.done then
    resume(entry.task, outcome)
  end
end

local function raise_failure()
  if failure then
    local message = failure[1]
    failure = nil
    error(message, 0)
  end
end

local function fire_ready(entries, timeout)
  for _, entry in ipairs(sys.poll(entries, timeout)) do
    if waiting[entry] then
      fire(entry, "ready")
    end
  end
end

local function fire_late()
  local now, late = sys.now(), {}
  for entry in pairs(waiting) do
    if entry.deadline <= now then
      late[#late + 1] = entry
    end
  end
  for _, entry in ipairs(late) do
    if waiting[entry] then
      fire(entry, "timeout")
    end
  end
end

--- Waits for events until a moment, and serves those tasks that can go on.
local function step(until_time)
  local entries, earliest = {}, until_time
  for entry in pairs(waiting) do
    earliest = math.min(earliest, entry.deadline)
    if entry.fd then
      entries[#entries + 1] = entry
    end
  end
  fire_ready(entries, math.max(0, math.min(earliest - sys.now(), 1)))
  fire_late()
end

local function wait(entry)
  waiting[entry] = true
  if current then
    entry.task = current
    current.entry = entry
    return coroutine.yield()
  end
  while not entry.outcome do
    step(entry.deadline)
    if failure then
      waiting[entry] = nil
      raise_failure()
    end
  end
  return entry.outcome
end

--- Waits until a descriptor is ready.
-- @param fd descriptor
-- @param mask loop.READ or loop.WRITE
-- @param deadline moment on loop.now()'s clock
-- @return true; nil, "timeout"
function loop.wait(fd, mask, deadline)
  if wait({ fd = fd, mask = mask, deadline = deadline }) == "ready" then
    return true
  end
  return nil, "timeout"
end

--- A descriptor is about to be closed: whoever waits for it stops waiting.
function loop.release(fd)
  for entry in pairs(waiting) do
    if entry.fd == fd then
      entry.fd, entry.deadline = nil, 0
    end
  end
end

--- Lets other tasks run for a while. For scripted origins; a spec waits with eventually.
function loop.delay(seconds)
  wait({ deadline = sys.now() + seconds })
end

--- Starts a task. It runs at once, up to its first wait.
function loop.spawn(fn, ...)
  local task = { thread = coroutine.create(fn), kept = keeping or (current and current.kept) }
  resume(task, ...)
  return task
end

--- Stops a task where it waits.
function loop.cancel(task)
  if task.done then
    return
  end
  task.done, task.cancelled, task.ok, task.results = true, true, false, { "cancelled" }
  if task.entry then
    waiting[task.entry] = nil
  end
end

--- Runs the loop until a condition holds.
-- @param fn the condition; what it returns is returned. An error it raises counts as not yet.
-- @param timeout seconds, default loop.TIMEOUT
function loop.eventually(fn, timeout)
  local deadline = sys.now() + (timeout and timeout * loop.SLOWNESS or loop.TIMEOUT)
  local ok, result
  repeat
    ok, result = pcall(fn)
    if ok and result then
      return result
    end
    loop.delay(0.002)
  until sys.now() > deadline
  if ok then
    error("eventually: not so within the time", 2)
  end
  error(result, 0)
end

--- Runs the loop until a function's assertions hold; raises the last that did not. For counters and lines of
-- logs: a request is counted and logged after its response has left.
-- @param timeout seconds, default loop.TIMEOUT
function loop.soon(fn, timeout)
  loop.eventually(function()
    fn()
    return true
  end, timeout)
end

--- Waits for a task's end.
-- @return what its function returned; its error is raised
function loop.join(task, timeout)
  local deadline = sys.now() + (timeout or loop.TIMEOUT)
  while not task.done do
    if sys.now() > deadline then
      error("join: the task has not ended within the time", 2)
    end
    loop.delay(0.001)
  end
  if not task.ok then
    error(task.results[1], 0)
  end
  return unpack(task.results)
end

--- Runs functions side by side until all have ended.
-- @return a list with what each returned first
function loop.all(functions)
  local tasks, results = {}, {}
  for i, fn in ipairs(functions) do
    tasks[i] = loop.spawn(fn)
  end
  for i, task in ipairs(tasks) do
    results[i] = loop.join(task)
  end
  return results
end

--- Runs a function whose tasks, and theirs, outlive the spec: cleanup.share's.
function loop.keep(fn)
  local before = keeping
  keeping = true
  local ok, result = pcall(fn)
  keeping = before
  if not ok then
    error(result, 0)
  end
  return result
end

local function forget(kept)
  local stays = {}
  for entry in pairs(waiting) do
    if entry.task and (kept or not entry.task.kept) then
      loop.cancel(entry.task)
    elseif entry.task then
      stays[entry] = true
    end
  end
  waiting = stays
end

--- Forgets everything that waits, but for kept tasks; called after each spec.
-- @return the error of a task that no call has raised yet, or nil
function loop.reset()
  local left = failure
  forget(false)
  current, failure = nil, nil
  return left and left[1]
end

--- Forgets the kept tasks, too.
function loop.forget_kept()
  forget(true)
end

return loop
