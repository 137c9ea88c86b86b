--- Where a benchmark runs: a network namespace of its own with reno, one core for the proxies and one for all else.
--
--   place.enter()                  before anything is started; place.leave() at the end
--   place.on(place.PROXY, "/usr/bin/wrk", ...)     a command line, pinned
--   place.program("nginx")         where a program is; an error when it is nowhere
--   place.facts()                  what to write beside figures: machine, load, versions

local ffi = require("ffi")
local socket = require("socket")
local sys = require("spec.support.sys")
require("spec.support.process") -- declares setenv

ffi.cdef [[
int unshare(int flags);
int getuid(void);
int getgid(void);
]]

local place = {}

local CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
local CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
local DIRECTORIES = { "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/", "/bin/", "/sbin/" }

local function read_line(path)
  return (sys.read_file(path) or ""):match("^[^\n]*")
end

local function write(path, text)
  local file = io.open(path, "w")
  local ok = file and file:write(text)
  return file and file:close() and ok
end

--- Where a program is.
function place.program(name)
  for _, directory in ipairs(DIRECTORIES) do
    local file = io.open(directory .. name)
    if file then
      file:close()
      return directory .. name
    end
  end
  error(name .. " is missing: make bench-deps", 0)
end

--- The first two cores that this process may use.
local function cores()
  local list, found = (sys.read_file("/proc/self/status")):match("Cpus_allowed_list:%s*(%S+)"), {}
  for first, last in list:gmatch("(%d+)%-?(%d*)") do
    for core = tonumber(first), tonumber(last) or tonumber(first) do
      found[#found + 1] = core
    end
  end
  if #found < 2 then
    error("a benchmark needs two cores: one for the proxy, one for the load", 0)
  end
  return found[1], found[2]
end

--- A new network, in which we may set what we like and no port is taken. It ends with us, and so do its settings.
local function new_network()
  local uid, gid = ffi.C.getuid(), ffi.C.getgid()
  local flags = CLONE_NEWNET + (uid == 0 and 0 or CLONE_NEWUSER)
  if ffi.C.unshare(flags) ~= 0 then
    return false
  end
  if uid ~= 0 then
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", ("0 %d 1"):format(uid))
    write("/proc/self/gid_map", ("0 %d 1"):format(gid))
  end
  return os.execute(place.program("ip") .. " link set lo up") == 0
end

--- Goes there. Notes about what could not be had are in place.notes; temporary files are all below place.dir.
function place.enter()
  place.PROXY, place.LOAD = cores()
  place.dir = sys.temp_dir()
  ffi.C.setenv("TMPDIR", place.dir, 1)
  place.notes = {}
  if not new_network() then
    place.notes[1] = "no network namespace of its own: ports and settings are the machine's"
  elseif not write(CONGESTION, "reno") then
    place.notes[1] = "congestion control stays " .. read_line(CONGESTION)
  end
end

--- Removes the temporary files.
function place.leave()
  if place.dir then
    os.execute("rm -rf " .. place.dir)
  end
end

--- A command line that runs a program on one core, or on both (core: nil).
function place.on(core, program, ...)
  local list = core or ("%d,%d"):format(place.PROXY, place.LOAD)
  return { place.program("taskset"), "-c", tostring(list), program, ... }
end

local function first_line_of(command)
  local pipe = io.popen(command .. " 2>&1")
  local line = pipe:read("*l")
  pipe:close()
  return line or "?"
end

local function version(package)
  return first_line_of("dpkg-query -W -f '${Version}' " .. package)
end

--- Load average now, three numbers.
function place.load()
  return read_line("/proc/loadavg"):match("^%S+ %S+ %S+")
end

--- Date, machine, load, versions: a table of texts.
function place.facts()
  local cpu = (sys.read_file("/proc/cpuinfo") or ""):match("model name%s*: ([^\n]*)") or "?"
  local _, count = (sys.read_file("/proc/cpuinfo") or ""):gsub("\nprocessor", "")
  return {
    date = os.date("!%Y-%m-%d %H:%M UTC"), cpu = cpu, cores = count + 1,
    kernel = read_line("/proc/sys/kernel/osrelease"), congestion = read_line(CONGESTION), load = place.load(),
    nginx = version("nginx-common"), haproxy = version("haproxy"), h2o = version("h2o"), openssl = version("libssl3"),
    commit = first_line_of("git describe --always --dirty 2>/dev/null || echo unknown"),
  }
end

local last_port = 18400

--- A port that is free now, another each time: below those that the kernel gives connections.
function place.port()
  repeat
    last_port = last_port + 1
    local probe = socket.bind("127.0.0.1", last_port)
    if probe then
      probe:close()
    end
  until probe
  return last_port
end

return place
