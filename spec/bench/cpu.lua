--- CPU time of programs: of all their threads, user and system, in nanoseconds as the scheduler counts it.

local sys = require("spec.support.sys")

local cpu = {}

--- CPU seconds of one thread so far.
function cpu.of_thread(pid, thread)
  local stat = sys.read_file(("/proc/%d/task/%d/schedstat"):format(pid, thread))
  return stat and tonumber(stat:match("^%d+")) / 1e9 or 0
end

--- CPU seconds of a process and its children so far, all threads that live; and seconds that they waited for a core.
function cpu.of(pid)
  local sum, waited = 0, 0
  for _, line in ipairs(sys.lines(("cat /proc/%d/task/*/schedstat; for child in $(cat /proc/%d/task/*/children); do "
    .. "cat /proc/$child/task/*/schedstat; done"):format(pid, pid))) do
    local ran, queued = line:match("^(%d+) (%d+)")
    sum, waited = sum + tonumber(ran) / 1e9, waited + tonumber(queued) / 1e9
  end
  return sum, waited
end

--- The threads of a process by name: name -> list of ids.
function cpu.threads(pid)
  local found = {}
  for _, id in ipairs(sys.lines(("ls /proc/%d/task"):format(pid))) do
    local name = (sys.read_file(("/proc/%d/task/%s/comm"):format(pid, id)) or ""):match("^[^\n]*")
    found[name] = found[name] or {}
    table.insert(found[name], tonumber(id))
  end
  return found
end

--- Anonymous memory in use, bytes: what the process has made its own, whoever else maps its files.
function cpu.memory(pid)
  local text = sys.read_file(("/proc/%d/smaps_rollup"):format(pid)) or ""
  return tonumber(text:match("\nAnonymous:%s*(%d+) kB")) * 1024
end

return cpu
