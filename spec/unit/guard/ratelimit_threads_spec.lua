local sys = require("spec.support.sys")

local SOURCES = "spec/unit/guard/ratelimit_stress.c src/guard/ratelimit.c src/base/hash.c src/base/random.c "
  .. "src/base/check.c"
local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -fsanitize=thread"

-- Builds the program in dir and runs it, both without a sanitizer preloaded for the library under
-- test. Returns its output as a table; what ThreadSanitizer says makes it fail.
local function run(dir)
  local command = ("env -u LD_PRELOAD sh -c 'cc %s -o %s/stress %s -pthread && "
    .. "timeout 60 %s/stress' > %s/out 2>&1"):format(FLAGS, dir, SOURCES, dir, dir)
  local status = os.execute("TSAN_OPTIONS=exitcode=99 " .. command)
  local text, result = sys.read_file(dir .. "/out"), {}
  assert.equal(0, status, text)
  for key, value in text:gmatch("([%w_]+)=(%d+)\n") do
    result[key] = tonumber(value)
  end
  return result
end

describe("rate limit of three sources in four threads", function()
  local dir, result

  setup(function()
    dir = sys.temp_dir()
    result = run(dir)
  end)

  teardown(function()
    os.execute("rm -rf " .. dir)
  end)

  it("lets exactly 5000 requests of each pass when time stands still", function()
    assert.equal(3 * 5000, result.at_once)
  end)

  it("lets exactly one more pass each millisecond, by clocks that are apart", function()
    assert.equal(3 * 4000, result.in_time)
    assert.equal(0, result.early)
  end)

  it("counts every source that it forgets when there are too many", function()
    assert.equal(7, result.left)
    -- Each take found its source, which had passed before, or took the place of another.
    assert.is_true(result.evicted > 1000)
    assert.is_true(result.strangers >= result.evicted)
  end)
end)
