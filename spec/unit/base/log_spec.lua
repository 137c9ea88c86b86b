local sys = require("spec.support.sys")

local SOURCES = "spec/unit/base/log_stress.c src/base/log.c src/base/log_line.c src/base/ring.c "
  .. "src/base/crash.c src/base/file_error.c src/base/clock.c src/base/check.c"
local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -fsanitize=thread"
local THREADS, LINES, LONGEST = 4, 20000, 8 * 1024

-- Builds the program in dir and runs it, both without a sanitizer preloaded for the library under
-- test. Returns what it wrote: standard output, log, access log before and after it was moved away.
local function run(dir)
  local command = "TSAN_OPTIONS=exitcode=99 env -u LD_PRELOAD sh -c '(cc %s -o %s/stress %s -pthread && "
    .. "timeout 60 %s/stress %s/access) > %s/out 2> %s/log'"
  local status = os.execute(command:format(FLAGS, dir, SOURCES, dir, dir, dir, dir))
  local log = sys.read_file(dir .. "/log")
  assert.equal(0, status, log:sub(1, 4000))
  return sys.read_file(dir .. "/out"), log, sys.read_file(dir .. "/access.1"), sys.read_file(dir .. "/access")
end

describe("log", function()
  local dir, out, log, moved, access, lines

  setup(function()
    dir = sys.temp_dir()
    out, log, moved, access = run(dir)
    lines = {}
    for line in log:gmatch("([^\n]*)\n") do
      lines[#lines + 1] = line
    end
  end)

  teardown(function()
    os.execute("rm -rf " .. dir)
  end)

  -- The lines with this message, without time, level and message.
  local function with(message)
    local found = {}
    for _, line in ipairs(lines) do
      local msg, rest = line:match('^time=%S+ level=%a+ msg="(.-)"(.*)$')
      if msg == message then
        found[#found + 1] = rest
      end
    end
    return found
  end

  local function dropped()
    return tonumber(out:match("dropped=(%d+)"))
  end

  it("writes whole lines only: time, level, message", function()
    assert.equal("\n", log:sub(-1))
    for _, line in ipairs(lines) do
      assert.truthy(line:find('^time=%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ level=%l+ msg="'), line)
    end
  end)

  it("writes directly while it is not open, and for a thread without a ring", function()
    assert.equal(1, #with("before"))
    assert.equal(1, #with("not attached"))
    assert.equal(1, #with("after"))
  end)

  it("escapes what would end a line or a message", function()
    assert.truthy(log:find('msg="a \\"b\\" \\\\ \\x0a\\x7f" k=1\\x0d\\x0a2 e="x y"\n', 1, true))
  end)

  it("keeps lines above its level to itself", function()
    assert.equal(0, #with("hidden"))
    assert.equal(1, #with("shown"))
    assert.equal(1, #with("no pairs"))
  end)

  it("cuts a long line and shows that", function()
    local cut = 0
    for _, line in ipairs(lines) do
      assert.is_true(#line <= LONGEST)
      if line:find("xxx", 1, true) then
        cut = cut + 1
        assert.is_true(#line > LONGEST - 100)
        assert.equal("x...", line:sub(-4))
      end
    end
    assert.equal(2, cut)
  end)

  it("writes or counts every line of every thread, in the thread's order", function()
    local last, count = {}, 0
    for _, pairs in ipairs(with("many")) do
      local thread, n = pairs:match("^ thread=(%d) n=(%d+)$")
      assert.is_true(tonumber(n) > (last[thread] or 0))
      last[thread] = tonumber(n)
      count = count + 1
    end
    local _, accesses = (moved .. access):gsub("access=%d n=%d+\n", "")
    assert.equal(2 * THREADS * LINES, count + accesses + dropped())
    assert.is_true(count > LINES / 10)
  end)

  it("says how many lines it dropped", function()
    local sum = 0
    for _, pairs in ipairs(with("log lines were dropped")) do
      sum = sum + tonumber(pairs:match("^ lines=(%d+)$"))
    end
    assert.equal(dropped(), sum)
  end)

  it("goes on in a new file after the old one was moved away", function()
    assert.truthy(access:find("access=last\n", 1, true))
    assert.truthy((moved .. access):find("access=first\n", 1, true))
  end)

  it("tells when the access log can not be opened", function()
    assert.truthy(out:find("missing_directory=-2\n", 1, true))
  end)
end)
