--- The project's own files, for the specs of its architecture.

local sys = require("spec.support.sys")

local tree = {}

--- Paths of files below directories, sorted.
-- @param where arguments of find: directories and tests
function tree.find(where)
  local pipe = assert(io.popen("find " .. where .. " -type f | sort"))
  local paths = {}
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

--- Paths of the C sources and headers of the product.
function tree.c_files()
  return tree.find("src -name '*.[ch]'")
end

--- Calls fn(line, number) for each line of a file.
function tree.each_line(path, fn)
  local number = 0
  for line in (assert(sys.read_file(path), path) .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    fn(line, number)
  end
end

--- The files that a C file includes.
-- @return list of { path =, system =, line = }
function tree.includes(path)
  local found = {}
  tree.each_line(path, function(line, number)
    local open, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
    if name then
      found[#found + 1] = { path = name, system = open == "<", line = number }
    end
  end)
  return found
end

--- Raises all problems at once.
-- @param problems list of sentences; an empty one is fine
function tree.report(problems)
  if #problems > 0 then
    error(table.concat(problems, "\n"), 0)
  end
end

return tree
