local sys = require("spec.support.sys")

local SOURCES = "spec/unit/base/mailbox_stress.c src/base/mailbox.c src/base/check.c"
local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -fsanitize=thread"

-- Builds the program in dir and runs it, both without a sanitizer preloaded for the library under
-- test. Returns its output as a table; what ThreadSanitizer says makes it fail.
local function run(dir)
  local command = ("env -u LD_PRELOAD sh -c 'cc %s -o %s/stress %s -lev -pthread && "
    .. "timeout 60 %s/stress' > %s/out 2>&1"):format(FLAGS, dir, SOURCES, dir, dir)
  local status = os.execute("TSAN_OPTIONS=exitcode=99 " .. command)
  local text, result = sys.read_file(dir .. "/out"), {}
  assert.equal(0, status, text)
  for key, value in text:gmatch("([%w_]+)=(%d+)\n") do
    result[key] = tonumber(value)
  end
  return result
end

describe("mailbox", function()
  local dir, result

  setup(function()
    dir = sys.temp_dir()
    result = run(dir)
  end)

  teardown(function()
    os.execute("rm -rf " .. dir)
  end)

  it("hands every message over once, posted by four threads, also what is posted again", function()
    assert.equal(80000, result.received)
    assert.equal(8000, result.reposted)
  end)

  it("keeps the order of each sender", function()
    assert.equal(0, result.wrong_order)
  end)

  it("runs messages on the receiver's thread", function()
    assert.equal(0, result.wrong_thread)
  end)

  it("runs what is left when it ends, and what that posts", function()
    assert.equal(3, result.run_by_fini)
  end)
end)
