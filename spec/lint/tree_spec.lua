local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

local TOP = {
  src = true, lua = true, scripts = true, spec = true, vendor = true, Makefile = true,
  ["README.md"] = true,
}

-- In pieces, so that this file does not find itself.
local FOREIGN = { "/wo" .. "rk/", "/ho" .. "me/", "/ro" .. "ot/", "%.%./sha" .. "red" }

local function text_files()
  return tree.find("src lua scripts spec vendor .ci Makefile README.md .busted .luacheckrc " ..
    ".clang-tidy .clang-format .gitignore 2>/dev/null")
end

describe("the tree", function()
  it("has the agreed entries at its top, and dot files", function()
    local pipe = assert(io.popen("git ls-files 2>/dev/null | cut -d/ -f1 | sort -u"))
    for name in pipe:lines() do
      assert.is_truthy(TOP[name] or name:find("^%."), name .. " does not belong at the top")
    end
    pipe:close()
  end)

  it("names no path of somebody's machine", function()
    local problems = {}
    for _, path in ipairs(text_files()) do
      local text = sys.read_file(path)
      for _, foreign in ipairs(FOREIGN) do
        if text:find(foreign) then
          problems[#problems + 1] = ("%s: mentions %s"):format(path, foreign)
        end
      end
    end
    tree.report(problems)
  end)

  it("leaves no spec marked to run alone, and none switched off", function()
    local problems = {}
    for _, path in ipairs(tree.find("spec -name '*_spec.lua'")) do
      tree.each_line(path, function(line, number)
        if line:find("#on" .. "ly") or line:find("^%s*pending%s*%(") then
          problems[#problems + 1] = ("%s:%d: %s"):format(path, number, line)
        end
      end)
    end
    tree.report(problems)
  end)

  it("has no file that is empty", function()
    for _, path in ipairs(text_files()) do
      assert.is_truthy(sys.read_file(path):find("%S"), path .. " is empty")
    end
  end)
end)

describe("vendor/packages", function()
  it("gives each package a kind and a reason", function()
    local kinds = { run = true, build = true, test = true, fuzz = true, bench = true }
    tree.each_line("vendor/packages", function(line, number)
      if line ~= "" and not line:find("^#") then
        local name, kind, reason = line:match("^(%S+)%s+(%S+)%s+(%S.*)$")
        assert.is_truthy(name and kinds[kind] and #reason > 3,
          ("vendor/packages:%d: %s"):format(number, line))
      end
    end)
  end)
end)
