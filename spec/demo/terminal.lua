--- Signals as something to read, and the terminal's foreground: so that Ctrl-C ends the demo in order.

local ffi = require("ffi")
local bit = require("bit")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
require("spec.support.process") -- declares what it shares with this
local sys = require("spec.support.sys")

ffi.cdef [[
int signalfd(int fd, const void *mask, int flags);
int isatty(int fd);
int tcgetpgrp(int fd);
int tcsetpgrp(int fd, int group);
int getpgrp(void);
int getppid(void);
]]

local terminal = {}

local SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGTTOU = 2, 15, 1, 20, 22
local SIG_BLOCK = 0
local SIGSET_BYTES = 128

local function signal_set(signals)
  local set = ffi.new("uint8_t[?]", SIGSET_BYTES)
  for _, signal in ipairs(signals) do
    local byte = math.floor((signal - 1) / 8)
    set[byte] = bit.bor(set[byte], bit.lshift(1, (signal - 1) % 8))
  end
  return set
end

local ending_fd

--- From now on Ctrl-C, SIGTERM and a lost terminal are something to wait for, and Ctrl-Z does nothing.
function terminal.take_signals()
  local ending = signal_set({ SIGINT, SIGTERM, SIGHUP })
  ffi.C.sigprocmask(SIG_BLOCK, signal_set({ SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGTTOU }), nil)
  ending_fd = ffi.C.signalfd(-1, ending, 0)
end

--- Waits until the program is told to end.
-- @param seconds to wait at most
-- @return true when it was told
function terminal.wait_end(seconds)
  return loop.wait(ending_fd, loop.READ, loop.now() + seconds)
end

local former_group

--- Makes this process its terminal's foreground. make, which started it, then does not see Ctrl-C and
-- ends as this process does.
function terminal.take_foreground()
  if ffi.C.isatty(0) == 1 and ffi.C.tcgetpgrp(0) == ffi.C.getpgrp() then
    former_group = ffi.C.getpgrp()
    ffi.C.setpgid(0, 0)
    ffi.C.tcsetpgrp(0, ffi.C.getpid())
  end
end

function terminal.give_foreground()
  if former_group then
    ffi.C.tcsetpgrp(0, former_group)
  end
end

-- Does a process catch SIGINT? make gives up catching it once it has got one.
local function catches_interrupt(pid)
  local status = sys.read_file(("/proc/%d/status"):format(pid)) or ""
  local low = status:match("SigCgt:%s*%x-(%x)\n")
  return low and bit.band(tonumber(low, 16), bit.lshift(1, SIGINT - 1)) ~= 0
end

--- Watches the program that started this one: it may die, or be a make that alone got an interrupt.
-- @return function() -> true once it is gone or was interrupted
function terminal.watch_parent()
  local parent = ffi.C.getppid()
  local is_make = (sys.read_file(("/proc/%d/comm"):format(parent)) or ""):find("^make")
  local caught = is_make and catches_interrupt(parent)
  return function()
    return ffi.C.getppid() ~= parent or (caught and not catches_interrupt(parent))
  end
end

--- Runs a program: signals are something to read, the terminal is its own, and what it started ends with it.
-- @param name for messages
-- @param main the program
-- @return true; false when it failed, which is said on standard error
function terminal.run(name, main)
  terminal.take_signals() -- first: a process may only take the foreground with SIGTTOU blocked
  terminal.take_foreground()
  local ok, err = xpcall(main, function(message)
    return type(message) == "string" and message or debug.traceback(tostring(message))
  end)
  local problem = cleanup.run(not ok)
  terminal.give_foreground()
  if not ok or problem then
    io.stderr:write(name, ": ", tostring(err or problem), "\n")
  end
  return ok and not problem
end

return terminal
