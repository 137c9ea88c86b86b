local docs = require("spec.docs.docs")
local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

describe("the reference", function()
  for page in pairs(docs.PAGES) do
    it("in " .. page .. " is what `make docs` writes", function()
      assert.is_true(docs.text(page) == sys.read_file(page), page .. " is out of date: run `make docs`")
    end)
  end

  it("has the headings that scripts/README.md points to", function()
    local anchors, problems = {}, {}
    for heading in sys.read_file("scripts/API.md"):gmatch("\n#+ ([^\n]+)") do
      anchors[heading:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-")] = true
    end
    for anchor in sys.read_file("scripts/README.md"):gmatch("API%.md#([%w_-]+)") do
      if not anchors[anchor] then
        problems[#problems + 1] = "scripts/README.md: there is no API.md#" .. anchor
      end
    end
    tree.report(problems)
  end)

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
