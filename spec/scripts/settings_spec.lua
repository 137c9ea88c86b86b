local conversation = require("spec.scripts.conversation")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

-- A row with a default: the setting's name and its default.
local ROW = "\n| `([%w_.]+)` |[^\n]-| `([^`]+)` |"

--- Runs --check on a configuration file with this text.
-- @return exit code, standard error with the file's name as "t.lua"
local function check(text)
  local dir = sys.temp_dir()
  local path = dir .. "/t.lua"
  sys.write_file(path, text)
  finally(function() os.execute("rm -rf " .. dir) end)
  local code, _, err = proxy.run { "--check", "--config", path }
  return code, conversation.without(dir, err)
end

local function says(message, text)
  local code, err = check(text)
  assert.equal(1, code)
  assert.equal(message .. "\n", err)
end

describe("a configuration file", function()
  it("is fine with every setting of its reference at its default", function()
    local groups, lines = {}, {}
    local page = sys.read_file("lua/config/SETTINGS.md"):match("^(.-)## Routes")
    for path, default in page:gmatch(ROW) do
      local group, name = path:match("^(.*)%.(.*)$")
      groups[group or ""] = (groups[group or ""] or "") .. ("%s = %s%s"):format(name or path, default,
        group and ", " or "\n")
    end
    for group, text in pairs(groups) do
      lines[#lines + 1] = group == "" and text or ("%s = { %s }"):format(group, text)
    end
    assert.is_true(#lines > 3)
    assert.same({ 0, "" }, { check(table.concat(lines, "\n")) })
  end)

  it("is reported with all its problems, by line", function()
    says('t.lua:1: unknown key "timeout"; did you mean "timeouts"?\n'
      .. "t.lua:2: retries is out of range: 0 to 10\n"
      .. "t.lua:4: unknown key \"haed\" in timeouts; did you mean \"head\"?",
      'timeout = { head = "1s" }\nretries = 11\ntimeouts = {\n  haed = "1s" }\n')
  end)

  it("is reported with all problems of its routes", function()
    says('t.lua:2: routes.1: domains: "a b" is neither a host name nor *.example.com nor *\n'
      .. "t.lua:4: routes.3: duplicate route: r2",
      'routes = {\n{ domains = "a b", backend_url = "http://x" },\n'
      .. '{ domains = "a", backend_url = "http://x" },\n{ domains = "a", backend_url = "http://x" } }')
  end)

  it("is stopped when it runs for ever", function()
    says("t.lua:2: runs for more than 2 s; the file is data, no loop is needed",
      "workers = 1\nwhile true do end")
  end)

  it("is stopped when it takes too much memory", function()
    says("t.lua:1: takes too much memory; the file is data, it needs no more than a few MiB",
      "local t = {} for i = 1, 1e9 do t[i] = { i } end")
  end)

  it("reaches nothing outside itself", function()
    says("t.lua:1: os has no value here; put texts in quotes", "os.exit(5)")
    says("t.lua:1: require has no value here; put texts in quotes", 'require("host")')
  end)

  it("has to be text", function()
    says("t.lua:1: is compiled; the file has to be text", "\27LJ\2\2")
  end)

  it("is named when it cannot be read", function()
    local code, _, err = proxy.run { "--check", "--config", "/nonexistent.lua" }
    assert.equal(1, code)
    assert.equal("/nonexistent.lua: No such file or directory\n", err)
  end)
end)

describe("static routes", function()
  it("serve like a service's", function()
    local o = require("spec.support.origin").start(function() return { body = "hi" } end)
    local p = proxy.start { workers = 1, config = { routes = {
      { domains = "a.example", backend_url = o.url, headers = { ["X-A"] = "1" } },
    } } }
    local response = p:get("/", { host = "a.example" })
    assert.equal("hi", response.body)
    assert.same({ "1" }, response:values("X-A"))
  end)
end)
