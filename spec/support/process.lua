--- Programs that a spec starts: their output in files of a directory of their own, their end
-- known. A program dies with busted, whatever happens to busted.

local ffi = require("ffi")
local bit = require("bit")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local sys = require("spec.support.sys")

ffi.cdef [[
int fork(void);
int execv(const char *path, char *const argv[]);
int waitpid(int pid, int *status, int options);
int kill(int pid, int signal);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int open(const char *path, int flags, ...);
int dup2(int from, int to);
int prctl(int option, ...);
int setpgid(int pid, int group);
int sigprocmask(int how, const void *set, void *old);
int close_range(unsigned int first, unsigned int last, int flags);
void _exit(int status);
]]

local process = {}
process.__index = process

local SIGNALS = {
  HUP = 1, INT = 2, ILL = 4, ABRT = 6, BUS = 7, FPE = 8, KILL = 9, USR1 = 10, SEGV = 11, USR2 = 12, TERM = 15,
  CONT = 18, STOP = 19, SYS = 31,
}
local NAMES = {}
for name, number in pairs(SIGNALS) do
  NAMES[number] = name
end

local O_WRONLY_CREATE_APPEND = 0x1 + 0x40 + 0x400
local PR_SET_PDEATHSIG = 1
local WNOHANG = 1
local SIG_SETMASK = 2
local NO_SIGNALS = ffi.new("uint8_t[128]")

local function redirect(path, descriptor)
  local fd = ffi.C.open(path, O_WRONLY_CREATE_APPEND, ffi.cast("int", 420)) -- mode 0644
  ffi.C.dup2(fd, descriptor)
end

local function run_child(args, options, stdout, stderr)
  local argv = ffi.new("char *[?]", #args + 1)
  for i, arg in ipairs(args) do
    argv[i - 1] = ffi.cast("char *", arg)
  end
  ffi.C.prctl(PR_SET_PDEATHSIG, ffi.cast("long", SIGNALS.KILL))
  -- A group of its own: Ctrl-C goes to the program that started it, which ends it in order.
  ffi.C.setpgid(0, 0)
  ffi.C.sigprocmask(SIG_SETMASK, NO_SIGNALS, nil)
  redirect(stdout, 1)
  redirect(stderr, 2)
  ffi.C.close_range(3, 0xffffffff, 0) -- the spec's own sockets are not the program's
  ffi.C.unsetenv("LD_PRELOAD")
  for name, value in pairs(options.env or {}) do
    ffi.C.setenv(name, value, 1)
  end
  ffi.C.execv(args[1], argv)
  io.stderr:write(("cannot run %s: %s\n"):format(args[1], sys.error()))
  ffi.C._exit(127)
end

--- Starts a program.
-- @param args path and arguments
-- @param options name (for messages), env (table), dir (for the output; default: a new one)
-- @return process: pid, dir
function process.start(args, options)
  options = options or {}
  local own_dir = not options.dir
  local dir = options.dir or sys.temp_dir()
  local stdout, stderr = dir .. "/stdout", dir .. "/stderr"
  sys.write_file(stdout, "")
  sys.write_file(stderr, "")
  local pid = ffi.C.fork()
  if pid == 0 then
    run_child(args, options, stdout, stderr)
  elseif pid < 0 then
    error("fork: " .. sys.error(), 0)
  end
  return cleanup.add(setmetatable({
    pid = pid, dir = dir, own_dir = own_dir, name = options.name or args[1],
    stdout = stdout, stderr = stderr,
  }, process))
end

local function reap(self)
  local status = ffi.new("int[1]")
  if self.ended or ffi.C.waitpid(self.pid, status, WNOHANG) ~= self.pid then
    return self.ended
  end
  local signal = bit.band(status[0], 0x7f)
  self.ended = true
  self.exit_code = signal == 0 and bit.band(bit.rshift(status[0], 8), 0xff) or nil
  self.exit_signal = signal ~= 0 and (NAMES[signal] or signal) or nil
  return true
end

function process:running()
  return not reap(self)
end

--- Sends a signal by name.
function process:signal(name)
  if self:running() then
    ffi.C.kill(self.pid, SIGNALS[name] or error("unknown signal " .. name, 2))
  end
end

--- Waits for the end.
-- @return exit code, or nil and the signal's name
function process:wait_exit(timeout)
  local deadline = loop.now() + (timeout or loop.TIMEOUT)
  while not reap(self) do
    if loop.now() > deadline then
      error(("%s (process %d) does not end"):format(self.name, self.pid), 2)
    end
    loop.delay(0.002)
  end
  return self.exit_code, self.exit_signal
end

--- Waits for a line on its standard output.
-- @param pattern of the line
-- @return the pattern's captures
function process:wait_line(pattern, timeout)
  local deadline = loop.now() + (timeout or loop.TIMEOUT)
  while true do
    local ended = reap(self)
    for line in (sys.read_file(self.stdout) or ""):gmatch("([^\n]*)\n") do
      if line:find(pattern) then
        return line:match(pattern)
      end
    end
    if ended or loop.now() > deadline then
      error(("%s %s without printing a line like %s\n%s"):format(self.name, ended and
        ("ended (%s)"):format(self.exit_code or self.exit_signal) or "runs", pattern, self:output()), 2)
    end
    loop.delay(0.002)
  end
end

--- What it has printed so far, for messages.
function process:output()
  return ("-- %s, standard output --\n%s-- standard error --\n%s"):format(self.name,
    sys.read_file(self.stdout) or "", sys.read_file(self.stderr) or "")
end

--- Resident memory now, bytes.
function process:rss()
  local status = sys.read_file(("/proc/%d/status"):format(self.pid)) or ""
  return tonumber(status:match("VmRSS:%s*(%d+) kB") or error(self.name .. " does not run", 2)) * 1024
end

--- Descriptors open now.
function process:descriptors()
  local count, pipe = 0, assert(io.popen(("ls /proc/%d/fd 2>/dev/null"):format(self.pid)))
  for _ in pipe:lines() do
    count = count + 1
  end
  pipe:close()
  return count
end

--- CPU time used so far, seconds (user and system).
function process:cpu_seconds()
  local stat = sys.read_file(("/proc/%d/stat"):format(self.pid)) or error(self.name .. " does not run", 2)
  local fields = {}
  for field in stat:match("%) (.*)"):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  return (tonumber(fields[12]) + tonumber(fields[13])) / 100
end

function process:cleanup()
  if self:running() then
    ffi.C.kill(self.pid, SIGNALS.KILL)
    self:wait_exit()
  end
  if self.own_dir then
    os.execute("rm -rf " .. self.dir)
  end
end

return process
