local proxy = require("spec.support.proxy")
local script_tool = require("spec.support.script_tool")

local function has(text, part)
  assert.truthy(text:find(part, 1, true), ("no \"%s\" in\n%s"):format(part, text))
end

--- The row of a function, or nil: calls, median, p99, max (microseconds), bytes, budget (ms), percent.
local UNITS = { ns = 1e-3, us = 1, ms = 1e3, B = 1, KiB = 1024 }

local function row(out, name)
  local line = ("\n" .. out):match("\n  " .. name .. " +(%d[^\n]*)")
  if not line then
    return nil
  end
  local calls, a, au, b, bu, c, cu, d, du, budget, percent =
    line:match("^(%d+) +([%d.]+) (%a+) +([%d.]+) (%a+) +([%d.]+) (%a+) +([%d.]+) (%a+) +(%d+) ms +([%d.]+) %%$")
  assert.truthy(calls, line)
  return {
    calls = tonumber(calls), median = a * UNITS[au], p99 = b * UNITS[bu], max = c * UNITS[cu], bytes = d * UNITS[du],
    budget = tonumber(budget), percent = tonumber(percent),
  }
end

local function bench(path, text)
  return script_tool.run(path, text, { tool = "script-bench" })
end

describe("script-bench", function()
  it("measures each function of a policy on its examples", function()
    local t = bench("policies/own.lua", script_tool.policy([[
  on_request = function(req)
    for _ = 1, 2000 do local _ = req:path() .. "x" end
  end,
  on_response = function(res) res:set_header("X", ("x"):rep(9000) and "y") end,
  examples = { { "works", given = {}, expect = { answer = false } } },]]))
    assert.same({ 0, "" }, { t.code, t.err })
    local asked, answered = row(t.out, "on_request"), row(t.out, "on_response")
    assert.is_true(asked.calls > 100 and asked.median <= asked.p99 and asked.p99 <= asked.max)
    assert.is_true(asked.median > 4 * answered.median, t.out)
    assert.is_true(answered.bytes >= 9000 and answered.bytes < 20000, t.out)
    assert.equal(5, asked.budget)
    assert.is_true(math.abs(asked.percent - asked.p99 / 5000 * 100) < 0.2 + asked.percent / 10, t.out)
  end)

  it("leaves out the function that a policy has not", function()
    local t = bench("policies/own.lua", script_tool.policy([[
  on_response = function(res) res:set_header("X", "y") end,
  examples = { { "works", given = {}, expect = { response = { headers = { X = "y" } } } } },]]))
    assert.is_nil(row(t.out, "on_request"))
    assert.truthy(row(t.out, "on_response"))
  end)

  it("measures commands, those of the file alone, and their second half", function()
    local t = bench("commands/own.lua", [[
local reply = require("registry.reply")
return { {
  name = "OWN_APPLY", summary = "", args = {}, reply = "OWN_OK", since = "0.1",
  run = function(cmd) return cmd.session:apply() end,
  finish = function() return reply.ok("OWN_OK") end,
  examples = { { "applies", "> ROUTE_ADD|<sid>|a.example|/|http://127.0.0.1:9000|0", "< ROUTE_OK|r1",
    "> OWN_APPLY|<sid>", "< OWN_OK" } },
} }]])
    assert.equal(0, t.code, t.err)
    assert.equal(250, row(t.out, "OWN_APPLY").budget)
    assert.truthy(row(t.out, "OWN_APPLY finish"))
    assert.is_nil(row(t.out, "ROUTE_ADD"))
  end)

  it("measures health policies and pages", function()
    local code, out, err = proxy.run { "script-bench", "scripts/health/ratio.lua", "scripts/maintenance/page.lua" }
    assert.equal(0, code, err)
    assert.equal(20, row(out, "health policy ratio").budget)
    assert.equal(100, row(out, "page, all formats").budget)
  end)

  it("does not measure what does not do what it should", function()
    local t = bench("policies/own.lua", script_tool.policy([[
  on_request = function() end,
  examples = { { "answers", given = {}, expect = { answer = 403 } } },]]))
    assert.equal(1, t.code)
    has(t.out, "FAILED  answers")
    assert.is_nil(row(t.out, "on_request"))
  end)

  it("ends with a script that never does", function()
    local t = bench("policies/own.lua", script_tool.policy([[
  on_request = function() while true do end end,
  examples = { { "loops", given = {}, expect = { failed = { contains = "longer than" } } } },]]))
    assert.equal(0, t.code, t.out .. t.err)
    assert.is_true(row(t.out, "on_request").percent >= 90, t.out)
  end)

  it("tells its options", function()
    local code, out = proxy.run { "script-bench", "--help" }
    assert.equal(0, code)
    has(out, "--config")
    has(out, "tidelock script-bench scripts/policies/cors.lua")
  end)
end)
