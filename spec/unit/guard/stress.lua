--- Programs of many threads, built with -fsanitize=thread.

local assert = require("luassert")
local sys = require("spec.support.sys")

local stress = {}

local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -fsanitize=thread -pthread"

--- Builds a program and runs it, both without a sanitizer preloaded for the library under test.
-- @param sources paths of C files, with blanks between
-- @param seed integer or nil: its argument
-- @return its key=value lines as a table; what ThreadSanitizer says is a failure
function stress.run(sources, seed)
  local dir = sys.temp_dir()
  local status = os.execute(("TSAN_OPTIONS=exitcode=99 env -u LD_PRELOAD sh -c 'cc %s -o %s/stress %s && "
    .. "timeout 60 %s/stress %s' > %s/out 2>&1"):format(FLAGS, dir, sources, dir, seed or "", dir))
  local text, result = sys.read_file(dir .. "/out"), {}
  os.execute("rm -rf " .. dir)
  assert.equal(0, status, text:sub(1, 4000))
  for key, value in text:gmatch("([%w_]+)=(%d+)\n") do
    result[key] = tonumber(value)
  end
  return result
end

return stress
