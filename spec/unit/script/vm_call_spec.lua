local sys = require("spec.support.sys")

local SOURCES = "spec/unit/script/vm_call_nested.c src/script/vm_call.c src/base/log.c src/base/log_line.c "
  .. "src/base/ring.c src/base/clock.c src/base/check.c src/base/crash.c src/base/file_error.c"
local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror $(pkg-config --cflags luajit)"

-- Builds the program in dir and runs it, both without a sanitizer preloaded for the library under
-- test. Returns its output as a table.
local function run(dir)
  local command = ("env -u LD_PRELOAD sh -c 'cc %s -o %s/nested %s $(pkg-config --libs luajit) -pthread && "
    .. "timeout 60 %s/nested' > %s/out 2>&1"):format(FLAGS, dir, SOURCES, dir, dir)
  local status = os.execute(command)
  local text, result = sys.read_file(dir .. "/out"), {}
  assert.equal(0, status, text)
  for key, value in text:gmatch("([%w_]+)=([^\n]*)\n") do
    result[key] = value
  end
  return result
end

describe("a call within a call", function()
  local dir, result

  setup(function()
    dir = sys.temp_dir()
    result = run(dir)
  end)

  teardown(function()
    os.execute("rm -rf " .. dir)
  end)

  it("ends well, and the one around it", function()
    assert.equal("ok; ok", result.both)
  end)

  it("fails by itself; the one around it goes on", function()
    assert.equal("ok; in", result.inner_fails)
    assert.equal("out; ok", result.outer_fails)
  end)

  it("has a budget of its own, and gives the other's back", function()
    assert.truthy(result.inner_endless:find("^ok; .*took longer than its 50 ms"))
    assert.truthy(result.outer_endless:find("took longer than its 200 ms; ok$"))
    assert.truthy(result.both_endless:find("took longer than its 200 ms; .*took longer than its 50 ms"))
  end)

  it("by monotonic time fails when others had the processor, by processor time goes on", function()
    assert.truthy(result.slept:find("took longer than its 50 ms"), result.slept)
    assert.equal("ok", result.slept_by_cpu_time)
    assert.truthy(result.endless_by_cpu_time:find("took longer than its 50 ms"))
  end)

  it("leaves the state ready for the next", function()
    assert.equal("ok; ok", result.afterwards)
  end)
end)
