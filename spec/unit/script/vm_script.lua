--- Runs functions in a sandbox of their own, each within a budget, without the proxy: vm_script.c.

local sys = require("spec.support.sys")

local vm_script = {}

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"
local SANITIZE = BUILD:find("asan") and "-fsanitize=address,undefined -fno-sanitize-recover=all" or ""

--- Is the program slower than one that is shipped?
vm_script.slow = SANITIZE ~= ""

local function compile(dir, program)
  return ("cc -std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror %s $(pkg-config --cflags luajit) "
    .. "-o %s/%s spec/unit/script/%s.c -L%s -ltidelock -Wl,-rpath,$(realpath %s) "
    .. "$(pkg-config --libs luajit)"):format(SANITIZE, dir, program, program, BUILD, BUILD)
end

--- Builds a program of this directory against the library and runs it in a directory, which is removed then.
-- @return its output
function vm_script.build_and_run(program, dir, arguments)
  -- Both without a sanitizer preloaded for the library under test: the program brings its own.
  local command = ("env -u LD_PRELOAD sh -c '%s && timeout 120 %s/%s %s >%s/out 2>%s/err'")
    :format(compile(dir, program), dir, program, arguments, dir, dir)
  local status = os.execute(command)
  local out, err = sys.read_file(dir .. "/out") or "", sys.read_file(dir .. "/err") or ""
  os.execute("rm -rf " .. dir)
  assert(status == 0, out:sub(-1000) .. err:sub(-3000))
  return out
end

--- @param text string: the script; returns a list of { name, function or text }, a text being compiled and run as a
--   script is when it loads; ... is Lua's own string library and the table of the script's globals
-- @param budget integer: of each function, ms
-- @return list of { name =, cpu_us =, after_us =, ok =, result = }, the last is memory, with the bytes used
function vm_script.run(text, budget)
  local dir = sys.temp_dir()
  sys.write_file(dir .. "/script.lua", text)
  local out = vm_script.build_and_run("vm_script", dir, ("%s/script.lua %d"):format(dir, budget))
  local rows = {}
  for name, cpu, after, verdict, result in out:gmatch("([^\t\n]*)\t(%d+)\t(%d+)\t(%a+)\t([^\n]*)\n") do
    rows[#rows + 1] = {
      name = name, cpu_us = tonumber(cpu), after_us = tonumber(after), ok = verdict == "ok", result = result,
    }
  end
  return rows
end

--- The text of a script whose functions have these bodies.
-- @param cases list of { name, body }
function vm_script.text(cases)
  local parts = { "local _, env = ... return {" }
  for _, case in ipairs(cases) do
    parts[#parts + 1] = ("{ %q, function() %s end },"):format(case[1], case[2])
  end
  parts[#parts + 1] = "}"
  return table.concat(parts, "\n")
end

--- The text of a script whose cases are such bodies as the text of a script that is loaded.
function vm_script.load_text(cases)
  local parts = { "return {" }
  for _, case in ipairs(cases) do
    parts[#parts + 1] = ("{ %q, %q },"):format(case[1], case[2])
  end
  parts[#parts + 1] = "}"
  return table.concat(parts, "\n")
end

return vm_script
