--- A wall clock of a program's own, that a spec sets: CLOCK_REALTIME steps, all other clocks go on.
--
--   local clock = wall_clock.new()
--   proxy.start { env = clock.env };  clock:step(-3600);  clock:now()

local ffi = require("ffi")
local cleanup = require("spec.support.cleanup")
local sys = require("spec.support.sys")

local wall_clock = {}
wall_clock.__index = wall_clock

local SOURCE = "spec/support/wall_clock.c"
local ASAN = (os.getenv("TIDELOCK_BUILD") or ""):find("asan")

-- AddressSanitizer wants to come first.
local function runtime()
  if not ASAN then
    return ""
  end
  local pipe = assert(io.popen("gcc -print-file-name=libasan.so"))
  local path = pipe:read("*l")
  pipe:close()
  return path .. " "
end

function wall_clock.new()
  local dir = sys.temp_dir()
  local library = dir .. "/wall_clock.so"
  assert(os.execute(("env -u LD_PRELOAD cc -O1 -Wall -Wextra -Werror -shared -fPIC -o %s %s"):format(library, SOURCE))
    == 0, "the wall clock does not compile")
  local self = setmetatable({ dir = dir, path = dir .. "/step", step_s = 0 }, wall_clock)
  self.env = { LD_PRELOAD = runtime() .. library, TIDELOCK_WALL_CLOCK = self.path }
  sys.write_file(self.path, ("\0"):rep(8))
  return cleanup.add(self)
end

--- Sets it so many seconds from the true time.
function wall_clock:step(seconds)
  local file = assert(io.open(self.path, "r+b")) -- what is there is mapped
  file:write(ffi.string(ffi.new("int64_t[1]", seconds), 8))
  file:close()
  self.step_s = seconds
end

--- What the program takes for the time, seconds.
function wall_clock:now()
  return os.time() + self.step_s
end

function wall_clock:cleanup()
  os.execute("rm -rf " .. self.dir)
end

return wall_clock
