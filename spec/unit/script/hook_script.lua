--- Asks request policies without the proxy: hook_script.c.

local sys = require("spec.support.sys")
local vm_script = require("spec.unit.script.vm_script")

local hook_script = {}

--- @param policies table: name to text
-- @param budget integer: of one call, ms
-- @param times integer: how often each is asked
-- @return table: name to a list of { cpu_us =, result = }
function hook_script.run(policies, budget, times)
  local dir = sys.temp_dir()
  os.execute(("cp -r scripts/commands scripts/health %s && mkdir %s/policies"):format(dir, dir))
  for name, text in pairs(policies) do
    sys.write_file(("%s/policies/%s.lua"):format(dir, name), text)
  end
  local out = vm_script.build_and_run("hook_script", dir, ("%s %d %d"):format(dir, budget, times))
  local rows = {}
  for name, cpu, result in out:gmatch("([^\t\n]*)\t(%d+)\t(%a+)\n") do
    rows[name] = rows[name] or {}
    table.insert(rows[name], { cpu_us = tonumber(cpu), result = result })
  end
  return rows
end

return hook_script
