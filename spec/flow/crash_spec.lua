local ffi = require("ffi")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

ffi.cdef "long syscall(long number, ...);"
local TGKILL, SIGSEGV, SIGABRT = 234, 11, 6

-- A sanitizer has reports of its own.
local SANITIZED = proxy.binary:find("asan") or proxy.binary:find("tsan")

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- The id of the proxy's thread of this name, or nil.
local function thread(p, name)
  for tid in output_of(("ls /proc/%d/task"):format(p.pid)):gmatch("%d+") do
    if sys.read_file(("/proc/%d/task/%s/comm"):format(p.pid, tid)) == name .. "\n" then
      return tonumber(tid)
    end
  end
  return nil
end

--- Ends the proxy by a signal to one thread; what it reported.
local function crash(p, name, signal)
  local tid = loop.eventually(function() return thread(p, name) end) -- it names itself, a moment after the start
  assert.equal(0, tonumber(ffi.C.syscall(TGKILL, ffi.cast("long", p.pid), ffi.cast("long", tid),
    ffi.cast("long", signal or SIGSEGV))))
  local code, ended = p:wait_exit()
  assert.is_nil(code)
  assert.equal(signal == SIGABRT and "ABRT" or "SEGV", ended)
  return p:log():match("tidelock: crash: signal=.*$") or p:log()
end

describe("a crash under traffic", not SANITIZED and function()
  it("says which worker it was, what happened there last, and where in the code", function()
    local o = origin.start(function() return { status = 201 } end)
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.example" } }
    for _ = 1, 3 do
      assert.equal(201, p:get("/secret-path?token=s3cr3t", { headers = { Cookie = "s3cr3t" } }).status)
    end
    assert.equal(404, p:get("/", { host = "unknown.example" }).status)
    local report = crash(p, "worker 0")
    assert.is_truthy(report:find('^tidelock: crash: signal=SIGSEGV sent_by=%d+ thread="worker 0" ' ..
      "version=tidelock [%d.]+ build=" .. ("%x"):rep(40)), report)
    assert.is_truthy(report:find('event="a request ended; status" number=201 ms_ago=%d+'), report)
    assert.is_truthy(report:find('event="no_route" number=404'), report)
    assert.is_truthy(report:find('event="adopted configuration" number=%d+'), report)
    assert.is_truthy(report:find("frames=%d+\n.-tidelock%(%+0x%x+%)"), report)
    assert.is_truthy(report:find("running nothing"), report)
    assert.is_truthy(report:find("tidelock: crash: end of report\n$"), report)
    assert.is_falsy(p:log():find("s3cr3t"))
  end)

  it("says the step of the request that was running, its method and route", function()
    local report
    -- A signal meets a worker within a request only sometimes, also under full load.
    for _ = 1, 40 do
      local o = origin.process { size = 100 }
      local p = proxy.start { workers = 1, route = { to = o.url, host = "a.example" } }
      local l = load.start { url = p.url, host = "a.example", connections = 16 }
      report = crash(p, "worker 0")
      l:stop()
      if report:find("crash: running step=", 1, true) then
        break
      end
    end
    local step, rest = report:match("crash: running step=(%l[%l_]+) method=(.-)\n")
    assert.is_truthy(step, report)
    local steps = "read_head match_route admit pick_target connect send_head send_body read_response relay_body " ..
      "reply finish"
    assert.is_truthy((" " .. steps .. " "):find(" " .. step .. " ", 1, true), step)
    assert.is_truthy(rest:find("^GET verdict=%S+ tries=%d+ status=%d+"), rest)
  end)

  it("of the control thread has the registry's last commands, by name alone", function()
    local p = proxy.start()
    local s = p:registry()
    local id = s:register("shop", "one")
    s:ok("PING")
    local report = crash(p, "tidelock")
    assert.is_truthy(report:find('thread="control"', 1, true), report)
    assert.is_truthy(report:find('event="registry command" name=REGISTER ms_ago=%d+\n' ..
      '.-event="registry command" name=PING ms_ago=%d+\n'), report)
    assert.is_falsy(report:find("shop", 1, true))
    assert.is_falsy(id and report:find(tostring(id), 1, true))
  end)

  it("of the log thread is reported, too", function()
    local report = crash(proxy.start(), "log")
    assert.is_truthy(report:find('thread="log"', 1, true), report)
  end)

  it("by an assertion ends the same way", function()
    local report = crash(proxy.start(), "worker 1", SIGABRT)
    assert.is_truthy(report:find('signal=SIGABRT sent_by=%d+ thread="worker 1"'), report)
  end)

  it("leaves a core where core_dumps is set and the system makes files of them, else none", function()
    local pattern = sys.read_file("/proc/sys/kernel/core_pattern") or ""
    if pattern:find("^core[^|/]*$") then
      for _, wanted in ipairs({ true, false }) do
        local dir, path = sys.temp_dir(), output_of("readlink -f " .. proxy.binary):match("%S+")
        local p = proxy.start {
          workers = 1, config = { core_dumps = wanted },
          under = {
            "/bin/sh", "-c", ("cd %s && ulimit -c unlimited && shift && exec %s \"$@\""):format(dir, path), "sh",
          },
        }
        crash(p, "worker 0")
        local core = output_of(("ls %s"):format(dir))
        assert.equal(wanted, core:find("core") ~= nil, core)
        os.execute("rm -rf " .. dir)
      end
    end
  end)
end or function() end)
