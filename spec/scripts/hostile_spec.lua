local hostile = require("spec.scripts.hostile")
local vm_script = require("spec.unit.script.vm_script")

-- What is allowed beyond a budget, in CPU time: 2 ms, one more for what others on the machine do to its caches,
-- and what a sanitizer costs.
local GRACE_US = vm_script.slow and 20000 or 3000

local function by_name(rows)
  local found = {}
  for _, row in ipairs(rows) do
    found[row.name] = row
  end
  return found
end

for _, budget in ipairs({ 5, 20, 100 }) do
  describe(("within %d ms, with the cleaning up, ends"):format(budget), function()
    local rows

    setup(function()
      rows = by_name(vm_script.run(vm_script.text(hostile), budget))
    end)

    for _, case in ipairs(hostile) do
      it(case[1], function()
        local row = assert(rows[case[1]], "it did not run")
        assert.is_true(row.cpu_us <= budget * 1000 + GRACE_US, ("took %d us"):format(row.cpu_us))
        assert.is_false(row.ok, row.result)
      end)
    end

    it("and leaves no memory behind", function()
      assert.is_true(tonumber(rows.memory.result) < 1024 * 1024, rows.memory.result .. " bytes")
    end)
  end)
end

describe("a state that ran out of memory", function()
  it("is good for the next call, fifty times in a row", function()
    local cases = {}
    for i = 1, 50 do
      cases[2 * i - 1] = { "full", "local t = {} for i = 1, 1e9 do t[i] = { ('x'):rep(1000) .. i } end" }
      cases[2 * i] = { "next", "local t = {} for i = 1, 5000 do t[i] = { 'text ' .. i } end return #t" }
    end
    local rows = vm_script.run(vm_script.text(cases), 2000)
    assert.equal(101, #rows)
    for i = 1, 100 do
      assert.equal(i % 2 == 0, rows[i].ok)
      assert.equal(i % 2 == 0 and "5000" or "not enough memory", rows[i].result)
    end
    assert.is_true(tonumber(rows[101].result) < 1024 * 1024)
  end)
end)

describe("an error", function()
  local rows

  setup(function()
    rows = by_name(vm_script.run(vm_script.text {
      { "rep", "('x'):rep(2 ^ 20 + 1)" },
      { "gsub", "('x'):rep(2 ^ 19):gsub('x', 'abc')" },
      { "concat", "table.concat({ ('x'):rep(2 ^ 20), 'y' })" },
      { "join", "local s = ('x'):rep(2 ^ 20) return s .. s" },
      { "long", "error(('x'):rep(1e6))" },
      { "table", "error({})" },
      { "handler", "xpcall(error, error) error('after')" },
      { "time", "while true do pcall(error) end" },
    }, 50))
  end)

  it("names what would be too long", function()
    assert.equal("script:2: string.rep: would be longer than 1048576 bytes", rows.rep.result)
    assert.equal("script:3: string.gsub: would be longer than 1048576 bytes", rows.gsub.result)
    assert.equal("script:4: table.concat: would be longer than 1048576 bytes", rows.concat.result)
    assert.equal("a text or table longer than 1114112 bytes", rows.join.result)
  end)

  it("may be long, or no text at all", function()
    assert.truthy(rows.long.result:find("^script:6: x+"))
    assert.equal("an error that is a table", rows.table.result)
    assert.truthy(rows.handler.result:find("after$"))
  end)

  it("says whose time is up", function()
    assert.equal("script:9: took longer than its 50 ms", rows.time.result)
  end)
end)
