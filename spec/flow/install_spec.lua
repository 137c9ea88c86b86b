local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local function output_of(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD LC_ALL=C PAGER=cat " .. command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local UNIT = "/usr/lib/systemd/system/tidelock.service"

--- Installs the release build's files; calls test(dir) with the directory that stands for the machine's root.
local function installed(prefix, test)
  local dir = sys.temp_dir()
  local output = output_of(("make -s -o build/tidelock install OUT= PREFIX=%s DESTDIR=%s"):format(prefix(dir).prefix,
    prefix(dir).destdir))
  local ok, err = pcall(test, dir, output)
  os.execute("rm -rf " .. dir)
  if not ok then
    error(err, 0)
  end
end

local function in_package(dir)
  return { prefix = "/usr", destdir = dir }
end
local function by_hand(dir)
  return { prefix = dir .. "/usr", destdir = "" }
end

local HAS_SYSTEMD = output_of("systemd-analyze --version"):find("^systemd %d+") ~= nil

-- The release build alone is installed.
describe("make install", proxy.binary == "build/tidelock" and function()
  it("puts program, scripts and unit below DESTDIR, without naming it anywhere", function()
    installed(in_package, function(dir, output)
      assert.is_truthy(sys.read_file(dir .. "/usr/bin/tidelock"), output)
      assert.is_truthy(sys.read_file(dir .. "/usr/share/tidelock/scripts/commands/session.lua"), output)
      local unit = assert(sys.read_file(dir .. UNIT))
      assert.is_truthy(unit:find("ExecStart=/usr/bin/tidelock --config /etc/tidelock/tidelock.lua\n", 1, true))
      assert.is_falsy(unit:find("@PREFIX@", 1, true))
      assert.is_falsy(unit:find(dir, 1, true))
      assert.is_truthy(sys.read_file(dir .. "/usr/lib/sysusers.d/tidelock.conf"):find("\nu tidelock ", 1, true))
    end)
  end)

  it("makes a program that finds its scripts wherever it is", function()
    installed(by_hand, function(dir)
      local run = process.start({ dir .. "/usr/bin/tidelock", "--check" })
      assert.equal(0, run:wait_exit(60), sys.read_file(run.stderr))
      local said = sys.read_file(run.stdout)
      assert.is_truthy(said:find("scripts ok: " .. dir .. "/usr/bin/../share/tidelock/scripts", 1, true), said)
    end)
  end)

  if HAS_SYSTEMD then
    it("makes a unit that systemd has nothing against", function()
      installed(by_hand, function(dir)
        assert.equal("", output_of("systemd-analyze verify " .. dir .. UNIT))
      end)
    end)

    it("makes a unit that leaves little of the system open", function()
      installed(by_hand, function(dir)
        local said = output_of("systemd-analyze security --offline=true --no-pager " .. dir .. UNIT)
        local exposure = tonumber(said:match("exposure level for tidelock.service: ([%d.]+)"))
        assert.is_true(exposure and exposure <= 2, said)
      end)
    end)

    it("makes a unit that allows the calls by which the program starts and limits itself", function()
      local allowed = {}
      local function add(name, yes)
        if name:sub(1, 1) ~= "@" then
          allowed[name] = yes
          return
        end
        for line in output_of("systemd-analyze syscall-filter --no-pager " .. name):gmatch("\n%s+(%S+)") do
          if line ~= "#" then
            add(line, yes)
          end
        end
      end
      for list in sys.read_file("vendor/systemd/tidelock.service"):gmatch("\nSystemCallFilter=([^\n]*)") do
        local yes = list:sub(1, 1) ~= "~"
        for name in list:gsub("^~", ""):gmatch("%S+") do
          add(name, yes)
        end
      end
      for name in ([[
        execve landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp prctl capset prlimit64
        bind listen accept4 socket clone3 clone inotify_add_watch inotify_init1 epoll_wait epoll_create1 eventfd2
        getrandom openat mmap mprotect rt_sigaction sigaltstack tgkill kill alarm set_robust_list rseq sysinfo
        sched_getaffinity getdents64 readlink fcntl dup3 exit_group]]):gmatch("%S+") do
        assert.is_true(allowed[name], name)
      end
      for name in ("mount ptrace init_module setuid bpf perf_event_open reboot"):gmatch("%S+") do
        assert.is_falsy(allowed[name], name)
      end
    end)
  end
end or function() end)
