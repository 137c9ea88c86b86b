--- Scripts for script-test and script-bench, in a directory of their own.
--
--   local t = script_tool.run("policies/own.lua", text)
--   t.code, t.out, t.err; t.path (of the file)

local cleanup = require("spec.support.cleanup")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local script_tool = {}

--- A directory with the scripts that come along and these in it.
-- @param files path below it to text
function script_tool.scripts(files)
  local dir = sys.temp_dir()
  os.execute("cp -r scripts/* " .. dir)
  for path, text in pairs(files) do
    sys.write_file(dir .. "/" .. path, text)
  end
  cleanup.add({ cleanup = function() os.execute("rm -rf " .. dir) end })
  return dir
end

--- Runs a tool.
-- @param path of the file, below the directory
-- @param text string, or a table of path to text of several
-- @param options tool ("script-test"), args (list)
-- @return table: code, out, err (directory's name taken out), path
function script_tool.run(path, text, options)
  options = options or {}
  local dir = script_tool.scripts(type(text) == "table" and text or { [path] = text })
  local args = { options.tool or "script-test" }
  for _, arg in ipairs(options.args or {}) do
    args[#args + 1] = arg
  end
  args[#args + 1] = dir .. "/" .. path
  local code, out, err = proxy.run(args)
  local own = dir:gsub("%p", "%%%0") .. "/"
  return { code = code, out = out:gsub(own, ""), err = err:gsub(own, ""), path = dir .. "/" .. path }
end

--- A policy with these lines in its table.
function script_tool.policy(lines)
  return ('return {\n  summary = "",\n%s\n}\n'):format(lines)
end

return script_tool
