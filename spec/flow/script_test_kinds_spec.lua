local proxy = require("spec.support.proxy")
local script_tool = require("spec.support.script_tool")
local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

local function has(text, part)
  assert.truthy(text:find(part, 1, true), ("no \"%s\" in\n%s"):format(part, text))
end

local function command(run, examples)
  return ([[
local reply = require("registry.reply")
return { {
  name = "OWN", summary = "", args = {}, reply = "OWN_OK", since = "0.1",
  run = function(cmd) %s end,
  examples = { %s },
} }
]]):format(run, examples)
end

describe("script-test with scripts that come along", function()
  it("passes all policies, health policies, the hook and the page", function()
    local args = { "script-test" }
    local folders = "scripts/policies scripts/health scripts/hooks scripts/maintenance"
    for _, path in ipairs(tree.find(folders .. " -name '*.lua'")) do
      args[#args + 1] = path
    end
    local code, out, err = proxy.run(args)
    assert.equal(0, code, out .. err)
    for i = 2, #args do
      has(out, args[i] .. "\n  ok ")
    end
  end)
end)

describe("scripts/README.md", function()
  --- The scripts that it has one save, by path.
  local function tutorials()
    local files, readme = {}, sys.read_file("scripts/README.md")
    for path, text in readme:gmatch("Save this as `([%w_/.]+)`:\n\n```lua\n(.-)```") do
      files[path] = text
    end
    files["maintenance/page.lua"] = readme:match("in place of `maintenance/page.lua`%.\n\n```lua\n(.-)```")
    files["policies/tenant_spec.lua"] = readme:match("`policies/tenant_spec.lua`.-```lua\n(.-)```")
    return files, readme
  end

  for _, path in ipairs({ "commands/route_count.lua", "health/patient.lua", "policies/tenant.lua",
    "maintenance/page.lua", "policies/tenant_spec.lua" }) do
    it("has a " .. path .. " that does what its examples say", function()
      local files, readme = tutorials()
      assert.truthy(files[path])
      local t = script_tool.run(path, files)
      assert.equal(0, t.code, t.out .. t.err)
      if readme:find("script-test scripts/" .. path .. "\nscripts/", 1, true) then
        has(readme, "script-test scripts/" .. path .. "\nscripts/" .. t.out)
      end
    end)
  end

  it("shows examples that are those of the scripts that come along", function()
    local readme = sys.read_file("scripts/README.md")
    local example = readme:match("what is expected of what comes of it:\n\n```lua\n(.-)```")
    has(sys.read_file("scripts/policies/address_filter.lua"):gsub("\n    ", "\n"), example)
    local talk = readme:match("```lua\nexamples = {\n(.-)\n},\n```")
    has((sys.read_file("scripts/hooks/authorize.lua"):gsub("\n  ", "\n")), talk)
  end)
end)

describe("script-test with commands", function()
  it("holds a conversation, each service with a session of its own", function()
    local t = script_tool.run("commands/own.lua", command('return reply.ok("OWN_OK", #cmd.session:active_routes())', [[
    { "counts",
      "> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9000|0", "< ROUTE_OK|r1",
      "> CONFIG_APPLY|<sid>", "< OK", "> OWN|<sid>", "< OWN_OK|1",
      "blog> OWN|<sid>", "blog< OWN_OK|0", "blog> OWN|<shop.sid>", "blog< ERROR|invalid session" },
    { "counts anew", "> OWN|<sid>", "< OWN_OK|0" },
    { "registers by hand", "> REGISTER|blog|b1|0", "< ACK|*", "> OWN|<sid>", "< OWN_OK|0" }]]))
    assert.equal(0, t.code, t.out .. t.err)
    has(t.out, "  ok      OWN counts anew\n")
  end)

  it("says what was answered instead, and why", function()
    local t = script_tool.run("commands/own.lua", command("local x = nil return x.y", [[
    { "fails", "> OWN|<sid>", "< OWN_OK" }, { "waits", "> OWN|<sid>", "< *", "< MORE" }]]))
    assert.equal(1, t.code)
    has(t.out, "expected OWN_OK\n          got      ERROR|internal error in command OWN\n          because  "
      .. "commands/own.lua:4: ")
    has(t.out, "shop expected MORE, heard nothing within 2 s")
  end)

  it("ends a command that never does by its budget", function()
    local t = script_tool.run("commands/own.lua", command("while true do end", [[
    { "loops", "> OWN|<sid>", "< ERROR|internal error in command OWN" }]]))
    assert.equal(0, t.code, t.out .. t.err)
  end)

  it("needs no place among the scripts: --kind and --scripts say the rest", function()
    local path = sys.temp_dir() .. "/own.lua"
    sys.write_file(path, command('return reply.ok("OWN_OK")', [[{ "answers", "> OWN|<sid>", "< OWN_OK" }]]))
    local code, out, err = proxy.run { "script-test", "--kind", "commands", "--scripts", "scripts", path }
    assert.equal(0, code, out .. err)
  end)
end)

describe("script-test with a health policy", function()
  it("says what a policy that answers nonsense answered", function()
    local t = script_tool.run("health/own.lua", [[
return { summary = "", judge = function() return "fine" end,
  examples = { { "is fine", given = { results = "PP" }, expect = { state = "healthy" } } } }]])
    assert.equal(1, t.code)
    has(t.out, 'the script failed: health/own.lua: judge answered "fine" instead of')
  end)
end)

describe("script-test with a page", function()
  it("says what is wrong with it", function()
    local t = script_tool.run("maintenance/page.lua", [[
return { summary = "", html = function() return 7 end, json = function() return "{}" end,
  text = function() return "" end, examples = { { "is a page", given = {}, expect = { html = "x" } } } }]])
    assert.equal(1, t.code)
    has(t.out, "the script failed: maintenance/page.lua: html returned a number instead of a text")
  end)
end)

describe("script-test refuses", function()
  local function refusal(text, path)
    local t = script_tool.run(path or "policies/own.lua", text)
    assert.equal(1, t.code)
    assert.equal("0 passed, 0 failed\n", t.out)
    return t.err
  end

  local ONE = 'return { summary = "", on_request = function() end, %s }'

  for name, case in pairs({
    ["a script that is no Lua"] = { "return {\n  x =\n}", "policies/own.lua:3: unexpected symbol" },
    ["one that is no policy"] = { "return 7", "policies/own.lua: must return a table" },
    ["one that never ends loading"] = { "while true do end", "policies/own.lua:1: took longer than its 100 ms" },
    ["one without examples"] = { ONE:format(""), "policies/own.lua: has no examples; give its table a key examples" },
    ["an example without a sentence"] = { ONE:format("examples = { {} }"), "example 1 must be a table that begins" },
    ["an example that expects nothing"] = { ONE:format('examples = { { "a", given = {} } }'), "expect is missing" },
    ["a key that there is not"] = {
      ONE:format('examples = { { "a", giben = {}, expect = {} } }'), "unknown key giben; there are given and expect",
    },
  }) do
    it(name, function()
      has(refusal(case[1]), "tidelock: " .. (case[2]:find("^policies") and case[2] or "policies/own.lua: example"))
      has(refusal(case[1]), case[2])
    end)
  end

  it("a key of what is given that there is not, in that example alone", function()
    local t = script_tool.run("policies/own.lua", ONE:format([[examples = {
      { "a", given = { heders = {} }, expect = { answer = false } },
      { "b", given = { path = 7 }, expect = { answer = false } },
      { "c", given = {}, expect = { answer = false } } }]]))
    has(t.out, "given: unknown key heders; there are args, headers, host, members, method, ")
    has(t.out, "given: path must be a string, not a number")
    has(t.out, "1 passed, 2 failed\n")
  end)

  it("a conversation in which nothing is heard", function()
    local text = command("", '{ "says", "> OWN|<sid>" }')
    has(refusal(text, "commands/own.lua"), 'example "says": nothing is said and heard')
  end)

  it("a command that breaks what all scripts need, naming its file", function()
    has(refusal("return { { name = 7 } }", "commands/own.lua"), "tidelock: commands/own.lua: ")
  end)

  it("a spec without an it, and one whose script is not there", function()
    has(refusal({ ["policies/cors_spec.lua"] = "local x = 1" }, "policies/cors_spec.lua") , "has no it(")
    has(refusal({ ["policies/none_spec.lua"] = "it('', function() end)" }, "policies/none_spec.lua"),
      "policies/none.lua: No such file")
  end)

  it("files that are none", function()
    for path, said in pairs({
      ["/no/such/file.lua"] = "/no/such/file.lua: No such file or directory", scripts = "scripts: is not a file",
      ["README.md"] = "README.md: in none of policies/", ["scripts/policies/../README.md"] = "in none of policies/",
    }) do
      local code, _, err = proxy.run { "script-test", path }
      assert.equal(1, code)
      has(err, said)
    end
  end)
end)

describe("a spec beside a script", function()
  it("is no script to the proxy", function()
    local dir = script_tool.scripts { ["policies/cors_spec.lua"] = "it('is no policy', function() end)" }
    local code, out, err = proxy.run { "--check", "--scripts", dir }
    assert.equal(0, code, out .. err)
  end)
end)
