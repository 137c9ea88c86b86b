local child = require("spec.support.child")

local START = [[
local lib = unit.load("base/crash.h")
ffi.cdef [=[
void check_failed(const char *cond, const char *file, int line);
uint64_t clock_ms(void);
int raise(int signal);
unsigned alarm(unsigned seconds);
]=]
local trail = ffi.new("struct crash_trail")
local function note(what, number)
  local e = trail.event[trail.count % lib.CRASH_EVENTS]
  e.at_ms, e.what, e.number = lib.clock_ms(), what, number
  e.text[0] = 0
  trail.count = trail.count + 1
end
lib.crash_install("tidelock 9.9")
lib.crash_attach(trail, "worker 7")
]]

local function crash(text)
  local output, code, signal, errors = child.run(START .. text)
  return errors, signal, code, output
end

describe("the report of a crash", child.available and function()
  it("follows a failed CHECK, names the thread and ends the process by SIGABRT", function()
    local report, signal = crash([[lib.check_failed("rq->origin", "src/worker/x.c", 12)]])
    assert.equal("ABRT", signal)
    local check = report:find("tidelock: check failed: rq->origin (src/worker/x.c:12)", 1, true)
    local first = report:find('tidelock: crash: signal=SIGABRT sent_by=%d+ thread="worker 7" ' ..
      "version=tidelock 9.9 build=")
    assert.is_truthy(check and first and check < first, report)
    assert.is_truthy(report:find("tidelock: crash: end of report\n$"), report)
  end)

  it("has the last events, oldest first", function()
    local report = crash([[
      for i = 1, 3 do note("event", i) end
      lib.crash_note_text(trail, lib.clock_ms(), "registry command", "ROUTE_ADD")
      lib.check_failed("x", "y", 1)]])
    assert.is_truthy(report:find("events=4 of=4\n" ..
      'tidelock: crash: event="event" number=1 ms_ago=%d+\n' ..
      'tidelock: crash: event="event" number=2 ms_ago=%d+\n' ..
      'tidelock: crash: event="event" number=3 ms_ago=%d+\n' ..
      'tidelock: crash: event="registry command" name=ROUTE_ADD ms_ago=%d+\n'), report)
  end)

  it("keeps the last 64 events of more", function()
    local report = crash([[
      for i = 1, 200 do note("event", i) end
      lib.check_failed("x", "y", 1)]])
    assert.is_truthy(report:find("events=64 of=200", 1, true), report)
    assert.is_falsy(report:find("number=136 ", 1, true))
    assert.is_truthy(report:find("number=137 ", 1, true))
    assert.is_truthy(report:find("number=200 ", 1, true))
  end)

  it("takes of a name only what names are made of, and no more than fits", function()
    local report = crash([[
      lib.crash_note_text(trail, 0, "registry command", "PING\nsecret")
      lib.crash_note_text(trail, 0, "registry command", ("A"):rep(200))
      lib.check_failed("x", "y", 1)]])
    assert.is_truthy(report:find("name=PING ms_ago", 1, true), report)
    assert.is_falsy(report:find("secret"), report)
    assert.is_truthy(report:find("name=" .. ("A"):rep(23) .. " ", 1, true), report)
  end)

  it("says where in the code it was", function()
    local report = crash([[lib.check_failed("x", "y", 1)]])
    local count = tonumber(report:match("frames=(%d+)"))
    assert.is_true(count > 3, report)
    -- Below the handler, the signal's return and libc's abort stands the line that failed.
    local at = report:match("%(abort%+0x%x+%)%[0x%x+%]\n[^\n]*libtidelock.so%((%S-)%)")
    assert.is_truthy(at and at:find("+0x%x+"), report)
  end)

  it("is given for every fatal signal", function()
    local numbers = { SEGV = 11, BUS = 7, FPE = 8, ILL = 4, ABRT = 6, SYS = 31 }
    for name, number in pairs(numbers) do
      local report, signal = crash(("ffi.C.raise(%d)"):format(number))
      assert.equal(name, signal, report)
      assert.is_truthy(report:find("signal=SIG" .. name, 1, true), report)
    end
  end)

  it("says the address that could not be reached", function()
    local report, signal = crash([[ffi.cast("int *", 0x1234)[0] = 1]])
    assert.equal("SEGV", signal)
    assert.is_truthy(report:find("signal=SIGSEGV address=0x1234 ", 1, true), report)
  end)

  it("is given when the stack is used up", function()
    local report, signal = crash([[
      ffi.cdef "void qsort(void *, size_t, size_t, int (*)(const void *, const void *));"
      local compare
      local two = ffi.new("int[2]")
      compare = ffi.cast("int (*)(const void *, const void *)", function()
        ffi.C.qsort(two, 2, 4, compare)
        return 0
      end)
      ffi.C.qsort(two, 2, 4, compare)]])
    -- LuaJIT may notice first, and ends with an error of its own.
    if signal then
      assert.equal("SEGV", signal)
      assert.is_truthy(report:find("signal=SIGSEGV", 1, true), report)
    end
  end)

  it("ends when the report itself crashes", function()
    local report, signal = crash([[
      trail.event[0].what = ffi.cast("const char *", 8)
      trail.count = 1
      lib.check_failed("x", "y", 1)]])
    assert.is_truthy(report:find("signal=SIGABRT", 1, true), report)
    assert.is_truthy(report:find("report cut", 1, true), report)
    assert.equal("SEGV", signal)
  end)
end or function() end)
