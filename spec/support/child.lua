--- A program that calls the library under test and may not come back from it: a Lua text, run by LuaJIT in a process of
-- its own, with the JIT off (it would make memory executable).

local process = require("spec.support.process")
local sys = require("spec.support.sys")
local cleanup = require("spec.support.cleanup")

local child = {}

--- Can the library be loaded so? Not one that is built with a sanitizer: that has reports of its own and cannot live in
-- the sandbox.
child.available = not (os.getenv("TIDELOCK_BUILD") or "build"):find("asan")

-- What a text can use: lib, ffi, unit, and try(result) that prints a failed call's errno.
local PREFACE = [[
package.path = "./?.lua;" .. package.path
local ffi = require("ffi")
local unit = require("spec.support.unit")
local function say(...)
  io.write(table.concat({ ... }, " "), "\n")
  io.flush()
end
-- Says what became of a system call: "ok" or the number of its error.
local function tried(name, result)
  say(name, tonumber(result) ~= -1 and "ok" or tostring(ffi.errno()))
end
ffi.cdef "long syscall(long number, ...);"
]]

--- Runs the text to its end.
-- @return what it printed; its exit code, or nil and the signal's name; what it printed as errors
function child.run(text, env)
  local dir = sys.temp_dir()
  sys.write_file(dir .. "/child.lua", PREFACE .. text)
  local command = { "/usr/bin/luajit", "-joff", dir .. "/child.lua" }
  local run = process.start(command, { name = "child", dir = dir, env = env })
  local code, signal = run:wait_exit(30)
  local output, errors = sys.read_file(run.stdout), sys.read_file(run.stderr)
  run:cleanup()
  cleanup.remove(run)
  os.execute("rm -rf " .. dir)
  return output, code, signal, errors
end

return child
