--- Runs the examples of the API's reference (spec/docs/api.lua) through script-test.

local api = require("spec.docs.api")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local api_examples = {}

--- Writes the scripts of a section and runs script-test over them.
-- @return exit code, standard output, standard error, names of the entries by file
function api_examples.run(section)
  local dir, args, names = sys.temp_dir(), { "script-test", "--scripts", "scripts", "--kind", section.kind }, {}
  for i, entry in ipairs(section.entries) do
    local path = ("%s/example_%d.lua"):format(dir, i)
    sys.write_file(path, api.script(section, entry))
    args[#args + 1], names[path] = path, api.name(entry)
  end
  local code, out, err = proxy.run(args)
  os.execute("rm -rf " .. dir)
  for path, name in pairs(names) do
    out = out:gsub(path:gsub("%p", "%%%0"), name)
    err = err:gsub(path:gsub("%p", "%%%0"), name)
  end
  return code, out, err
end

return api_examples
