local proxy = require("spec.support.proxy")
local script_tool = require("spec.support.script_tool")
local sys = require("spec.support.sys")

local ANSWERS = [[
  on_request = function(req) req:answer(403, { ["X-Why"] = "no" }, "Not here.\n") end,
]]

local function policy(lines, options)
  return script_tool.run("policies/own.lua", script_tool.policy(lines), options)
end

local function has(text, part)
  assert.truthy(text:find(part, 1, true), ("no \"%s\" in\n%s"):format(part, text))
end

describe("script-test", function()
  it("runs a policy's examples and says what each says", function()
    local t = policy(ANSWERS .. [[  examples = {
    { "turns everybody away", given = { path = "/a" }, expect = { answer = { status = 403, body = "Not here.\n" } } },
    { "says why", given = {}, expect = { answer = { headers = { ["x-why"] = "no" } } } },
  },]])
    assert.same({ 0, "" }, { t.code, t.err })
    assert.equal("policies/own.lua\n  ok      turns everybody away\n  ok      says why\n2 passed, 0 failed\n", t.out)
  end)

  it("says where one failed, what it expected and what it got, and goes on", function()
    local t = policy(ANSWERS .. [[  examples = {
    { "lets all pass", given = {}, expect = { answer = false } },
    { "turns away politely", given = {},
      expect = { answer = { status = 404, headers = { ["X-Why"] = "maybe" }, body = { contains = "sorry" } } } },
    { "turns away", given = {}, expect = { answer = 403 } },
  },]])
    assert.equal(1, t.code)
    has(t.out, "  FAILED  lets all pass\n          policies/own.lua:5\n          answer: expected nothing, got { ")
    has(t.out, "policies/own.lua:6\n")
    has(t.out, "answer.status: expected 404, got 403")
    has(t.out, 'answer.headers.X-Why: expected "maybe", got "no"')
    has(t.out, 'answer.body: expected a text that contains "sorry", got "Not here.\\n"')
    has(t.out, "  ok      turns away\n1 passed, 2 failed\n")
  end)

  it("ends a policy that never does by the policy's budget, and the next example begins anew", function()
    local t = policy([[
  on_request = function(req) while req:path() == "/loop" do end end,
  examples = {
    { "loops", given = { path = "/loop" }, expect = { answer = false } },
    { "expects to", given = { path = "/loop" }, expect = { failed = { contains = "longer than its 5 ms" } } },
    { "goes on", given = {}, expect = { answer = false } },
  },]])
    assert.equal(1, t.code)
    has(t.out, "the script failed: policies/own.lua:3: took longer than its 5 ms")
    has(t.out, "ok      expects to\n  ok      goes on\n2 passed, 1 failed\n")
  end)

  it("takes budgets from the configuration", function()
    local config = sys.temp_dir() .. "/tidelock.lua"
    sys.write_file(config, 'scripts_budget = { policy = "77ms" }')
    local t = policy([[
  on_request = function() while true do end end,
  examples = { { "loops", given = {}, expect = { failed = { contains = "longer than its 77 ms" } } } },]],
      { args = { "--config", config } })
    assert.equal(0, t.code, t.out .. t.err)
  end)

  it("ends an example that never does, and goes on with the next", function()
    local t = policy(ANSWERS .. [[  examples = {
    { "loops itself", given = {}, expect = { answer = function() while true do end end } },
    { "does not", given = {}, expect = { answer = 403 } },
  },]])
    assert.equal(1, t.code)
    has(t.out, "took longer than its 5000 ms")
    has(t.out, "1 passed, 1 failed\n")
  end)

  it("runs the code that serves: the same limits, the same sandbox", function()
    local t = policy([[
  on_request = function(req)
    if req:path() == "/memory" then
      local t = {}
      for i = 1, 1e9 do t[i] = { i } end
    elseif req:path() == "/io" then
      return io.open("x")
    end
    req:set_header("Host", "x")
  end,
  examples = {
    { "takes much", given = { path = "/memory" }, expect = { failed = true } },
    { "opens files", given = { path = "/io" }, expect = { failed = { contains = "undefined global: io" } } },
    { "sets what is not its own", given = {}, expect = { failed = { contains = "Host is the proxy's own" } } },
    { "is refused by the parser", given = { headers = { ["Content-Length"] = "x" } }, expect = { answer = false } },
  },]])
    assert.equal(1, t.code)
    has(t.out, "3 passed, 1 failed\n")
    has(t.out, "given: no request that gets to a policy")
  end)

  it("keeps nothing from one example to the next", function()
    local t = script_tool.run("policies/own.lua", [[
local seen = 0
return { summary = "", on_request = function(req) seen = seen + 1 req:tag("seen", seen) end,
  examples = {
    { "first", given = {}, expect = { tags = { seen = "1" } } },
    { "second", given = {}, expect = { tags = { seen = "1" } } },
  } }]])
    assert.equal(0, t.code, t.out .. t.err)
  end)

  it("shows what the script prints", function()
    local t = policy([[
  on_request = function(req) print("path", req:path()) end,
  examples = { { "prints", given = { path = "/a" }, expect = { answer = false } } },]])
    has(t.out, "  print   path /a\n")
  end)

  it("runs specs in busted's terms, which stand beside their script", function()
    local t = script_tool.run("policies/own_spec.lua", {
      ["policies/own.lua"] = script_tool.policy(ANSWERS),
      ["policies/own_spec.lua"] = [[
describe("own", function()
  context("for everybody", function()
    it("answers", function()
      local got = given { path = "/a" }
      assert.equal(403, got.answer.status)
      assert.same({ ["x-why"] = "no", ["content-type"] = "text/plain; charset=utf-8" }, got.answer.headers)
      assert.like({ answer = { body = { matches = "^Not" } } }, got)
      assert(got.answer, "none")
    end)
    it("passes", function()
      assert.is_nil(given({}).answer)
    end)
  end)
end)
]] })
    assert.equal(1, t.code)
    has(t.out, "  ok      own for everybody answers\n  FAILED  own for everybody passes\n")
    has(t.out, "policies/own_spec.lua:10\n")
    has(t.out, "policies/own_spec.lua:11: expected nil, got {")
  end)

  it("tells its options", function()
    local code, out = proxy.run { "script-test", "--help" }
    assert.equal(0, code)
    for _, option in ipairs({ "--kind", "--scripts", "--config", "--help", "Exit status" }) do
      has(out, option)
    end
    has(select(2, proxy.run { "--help" }), "script-test [OPTION]... FILE...")
  end)

  for _, args in ipairs({ {}, { "--kind", "poem", "x.lua" }, { "--colour", "x.lua" }, { "--kind" } }) do
    it("refuses the command line \"script-test " .. table.concat(args, " ") .. "\"", function()
      local code, _, err = proxy.run { "script-test", unpack(args) }
      assert.equal(2, code)
      has(err, "Try: tidelock script-test --help")
    end)
  end

  it("names the option that is wrong, wherever it stands, and the one that was meant", function()
    for option, said in pairs({
      ["--scrips"] = "script-test: unknown option --scrips; did you mean --scripts?", ["-x"] = "unknown option -x\n",
      ["--help=x"] = "script-test: --help: takes no value", ["--kind"] = "script-test: --kind: a value is missing",
    }) do
      local code, _, err = proxy.run { "script-test", "scripts/policies/cors.lua", option }
      assert.equal(2, code)
      has(err, said)
    end
  end)
end)
