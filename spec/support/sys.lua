--- What the specs need of the operating system and Lua does not offer: poll, clocks, socket
-- options, temporary directories. Linux, through FFI.

local ffi = require("ffi")
local bit = require("bit")

ffi.cdef [[
struct pollfd { int fd; short events; short revents; };
struct timespec { long tv_sec; long tv_nsec; };
int poll(struct pollfd *fds, unsigned long count, int timeout_ms);
int clock_gettime(int clock, struct timespec *now);
int setsockopt(int fd, int level, int name, const void *value, unsigned length);
long recv(int fd, void *into, size_t size, int flags);
long send(int fd, const void *data, size_t size, int flags);
char *mkdtemp(char *template);
char *strerror(int number);
int getpid(void);
int shutdown(int fd, int how);
int open(const char *path, int flags, ...);
int close(int fd);
]]

local sys = { READ = 0x1, WRITE = 0x4 }

local BROKEN = 0x8 + 0x10 + 0x20 -- error, hang-up, not open: whoever waits should find out
local EINTR = 4
local CLOCK_MONOTONIC = 1
local MSG_NOSIGNAL = 0x4000
local ENDS = { [11] = "timeout", [4] = "timeout", [32] = "closed", [104] = "reset" }

local timespec = ffi.new("struct timespec")

--- Seconds on the monotonic clock.
function sys.now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, timespec)
  return tonumber(timespec.tv_sec) + tonumber(timespec.tv_nsec) / 1e9
end

--- Text of the last failed call.
function sys.error()
  return ffi.string(ffi.C.strerror(ffi.errno()))
end

local pollfds, capacity = nil, 0

--- Waits until one of entries can go on.
-- @param entries list of { fd =, mask = }
-- @param timeout seconds
-- @return list of the entries that are ready
function sys.poll(entries, timeout)
  local count = #entries
  if count > capacity then
    capacity = count * 2
    pollfds = ffi.new("struct pollfd[?]", capacity)
  end
  for i = 1, count do
    local slot = pollfds[i - 1]
    slot.fd, slot.events, slot.revents = entries[i].fd, entries[i].mask, 0
  end
  local result = ffi.C.poll(pollfds, count, math.ceil(timeout * 1000))
  if result < 0 and ffi.errno() ~= EINTR then
    error("poll: " .. sys.error(), 0)
  end
  local ready = {}
  for i = 1, result > 0 and count or 0 do
    local slot = pollfds[i - 1]
    if bit.band(slot.revents, slot.events + BROKEN) ~= 0 then
      ready[#ready + 1] = entries[i]
    end
  end
  return ready
end

local PIECE = 65536
local piece = ffi.new("char[?]", PIECE)

local function failed()
  return nil, ENDS[ffi.errno()] or sys.error()
end

--- Receives what is there, at most limit bytes. LuaSocket calls a reset "closed", so this is our
-- own.
-- @return the bytes; nil and "timeout" (nothing there), "closed", "reset" or the system's words
function sys.receive(fd, limit)
  local got = tonumber(ffi.C.recv(fd, piece, math.min(limit or PIECE, PIECE), 0))
  if got < 0 then
    return failed()
  elseif got == 0 then
    return nil, "closed"
  end
  return ffi.string(piece, got)
end

--- Sends what the kernel takes of data from an offset on.
-- @return number of bytes; nil, error as for receive
function sys.send(fd, data, offset)
  local from = ffi.cast("const char *", data) + offset
  local taken = tonumber(ffi.C.send(fd, from, #data - offset, MSG_NOSIGNAL))
  if taken < 0 then
    return failed()
  end
  return taken
end

local SOL_SOCKET, SO_SNDBUF, SO_RCVBUF = 1, 7, 8

--- Sets the kernel's buffers of a socket, in bytes; nil leaves one as it is.
function sys.set_buffers(fd, receive, send)
  for option, size in pairs({ [SO_RCVBUF] = receive, [SO_SNDBUF] = send }) do
    local value = ffi.new("int[1]", size)
    if ffi.C.setsockopt(fd, SOL_SOCKET, option, value, 4) ~= 0 then
      error("setsockopt: " .. sys.error(), 0)
    end
  end
end

--- A new directory of our own.
function sys.temp_dir()
  local template = (os.getenv("TMPDIR") or "/tmp") .. "/tidelock-spec-XXXXXX"
  local buffer = ffi.new("char[?]", #template + 1, template)
  if ffi.C.mkdtemp(buffer) == nil then
    error("mkdtemp: " .. sys.error(), 0)
  end
  return ffi.string(buffer)
end

--- Opens a named pipe for reading and reads nothing.
-- @return something to close()
function sys.open_fifo(path)
  local fd = ffi.C.open(path, 0x800) -- O_RDONLY | O_NONBLOCK
  assert(fd >= 0, sys.error())
  return {
    close = function()
      ffi.C.close(fd)
    end,
  }
end

--- The whole of a file, or nil when there is none.
function sys.read_file(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("*a")
  file:close()
  return text
end

--- What a shell command prints, as a list of lines.
function sys.lines(command)
  local pipe, found = assert(io.popen(command)), {}
  for line in pipe:lines() do
    found[#found + 1] = line
  end
  pipe:close()
  return found
end

function sys.write_file(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

return sys
