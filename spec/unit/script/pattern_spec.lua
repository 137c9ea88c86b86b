local sys = require("spec.support.sys")
local vm_script = require("spec.unit.script.vm_script")

local CASES = {
  anything = "gives what Lua's own do for thousands of patterns and texts",
  classes = "knows the classes of all bytes",
  exact = "gives what Lua's own do at the edges",
  malformed = "refuses malformed patterns, in the same words",
  rep = "repeats as Lua's own does",
}

describe("a script's find, match, gmatch and gsub", function()
  local results = {}

  setup(function()
    for _, row in ipairs(vm_script.run(sys.read_file("spec/unit/script/pattern_cases.lua"), 60000)) do
      results[row.name] = row.result
    end
  end)

  for name, what in pairs(CASES) do
    it(what, function()
      assert.equal("same", results[name])
    end)
  end
end)
