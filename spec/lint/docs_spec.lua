local docs = require("spec.docs.docs")
local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

describe("the reference", function()
  for page in pairs(docs.PAGES) do
    it("in " .. page .. " is what `make docs` writes", function()
      assert.is_true(docs.text(page) == sys.read_file(page), page .. " is out of date: run `make docs`")
    end)
  end

  it("covers every command file", function()
    local known, problems = {}, {}
    for _, name in ipairs(docs.FILES) do
      known[name] = true
    end
    for _, path in ipairs(tree.find("scripts/commands -name '*.lua'")) do
      if not known[path:match("([^/]+)%.lua$")] then
        problems[#problems + 1] = path .. " is not in FILES of spec/docs/docs.lua"
      end
    end
    tree.report(problems)
  end)

  it("has at least one refusal or example for a command that takes arguments", function()
    local problems = {}
    for _, command in ipairs(docs.commands()) do
      local told = command.errors and #command.errors > 0 or command.example
      if #command.args > 0 and not told then
        problems[#problems + 1] = command.name .. " documents neither errors nor an example"
      end
    end
    tree.report(problems)
  end)

  it("names every setting that the program reads", function()
    local page = sys.read_file("lua/config/SETTINGS.md")
    local problems = {}
    tree.each_line("src/config/settings.h", function(line)
      local path = line:match('^%s*X%([%w_]+, "([%w_.]+)"%)')
      if path and not page:find("`" .. path .. "`", 1, true) then
        problems[#problems + 1] = path .. " is in src/config/settings.h, not in lua/config/schema.lua"
      end
    end)
    tree.report(problems)
  end)
end)
