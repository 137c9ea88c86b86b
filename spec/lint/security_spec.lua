local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

local PAGE = "src/SECURITY.md"

--- The boundaries: title and text of each section whose title has an arrow.
local function boundaries()
  local list = {}
  for section in sys.read_file(PAGE):gsub("\n## ", "\0"):gmatch("%z([^%z]+)") do
    local title, text = section:match("^([^\n]+)(.*)$")
    if title:find("→", 1, true) then
      list[#list + 1] = { title = title, text = text }
    end
  end
  return list
end

describe("the threat model", function()
  it("names no spec that is not there", function()
    local problems, named = {}, 0
    for path in sys.read_file(PAGE):gmatch("`(spec/[^`]+)`") do
      named = named + 1
      if not sys.read_file(path) then
        problems[#problems + 1] = ("%s names %s"):format(PAGE, path)
      end
    end
    tree.report(problems)
    assert.is_true(named > 40)
  end)

  it("says of each boundary what crosses it, what is promised, what is not, and what guards it", function()
    local problems = {}
    local list = boundaries()
    assert.equal(11, #list)
    for _, one in ipairs(list) do
      for _, part in ipairs({ "\nCrosses: ", "\nPromised: ", "\nNot promised: ", "\nSpecs: `spec/" }) do
        if not one.text:find(part, 1, true) then
          problems[#problems + 1] = ("%s: %s has no paragraph %s"):format(PAGE, one.title, part:match("%a+ ?%a*"))
        end
      end
    end
    tree.report(problems)
  end)

  it("is where the README says it is", function()
    assert.is_truthy(sys.read_file("README.md"):find("src/SECURITY.md", 1, true))
  end)
end)
