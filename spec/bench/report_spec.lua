local cjson = require("cjson")
local report = require("spec.bench.report")

local function row(more)
  local r = { work = "small", against = "nginx", what = "CPU", unit = "us", ours = 11.42, theirs = 12.3,
    low = .9, mid = .923, high = .951, target = .82 }
  for key, value in pairs(more or {}) do
    r[key] = value
  end
  return r
end

describe("the report of a benchmark", function()
  it("marks what is above its target, by the median", function()
    assert.is_true(report.short(row()))
    assert.is_false(report.short(row { target = .923 }))
    assert.is_false(report.short(row { low = .7, mid = .8, high = .9 }))
    local r = row()
    r.target = nil
    assert.is_false(report.short(r))
  end)

  it("counts a work that could not be measured as short", function()
    assert.is_true(report.short { work = "small", failed = "no wrk" })
  end)

  it("counts targets met, missed, and works not measured; rows without a target in neither", function()
    local without = row()
    without.target = nil
    local met, short, failed = report.count { row(), row { target = 1 }, without, { work = "x", failed = "why" } }
    assert.same({ 1, 1, 1 }, { met, short, failed })
  end)

  it("writes numbers with three digits", function()
    assert.equal("0.05", report.number(.0512))
    assert.equal("9.99", report.number(9.987))
    assert.equal("11.4", report.number(11.42))
    assert.equal("12346", report.number(12345.6))
    assert.equal("", report.number(nil))
  end)

  it("puts rows under one head, columns below each other", function()
    local lines = report.lines { row { rps = { 75404, 68797 } }, row { work = "a longer name", target = 1 } }
    assert.equal(3, #lines)
    assert.is_truthy(lines[1]:find("^work +against +what +ours +theirs +min +median +max +target"))
    assert.is_truthy(lines[2]:find("^small +nginx +CPU us +11%.4 +12%.3 +0%.90 +0%.92 +0%.95 +0%.82 +SHORT"))
    assert.is_truthy(lines[2]:find(" 75404 / 68797$"))
    assert.is_truthy(lines[3]:find(" ok$"))
    assert.equal(lines[1]:find("ours", 1, true), lines[2]:find("11.4", 1, true))
    assert.equal(lines[2]:find("nginx", 1, true), lines[3]:find("nginx", 1, true))
  end)

  it("marks rows whose load was the bottleneck, and says what that means", function()
    local lines = report.lines { row { busy = .71 }, row { busy = .97 } }
    assert.is_truthy(lines[2]:find("71 %%%*$"))
    assert.is_truthy(lines[3]:find("97 %%$"))
    assert.is_truthy(lines[4]:find("^%* the load was the bottleneck"))
    assert.equal(2, #report.lines { row { busy = .97 } })
  end)

  it("puts failures and notes behind the table", function()
    local lines = report.lines { { work = "idle", failed = "no nginx" }, row { note = "as it was" } }
    assert.equal("idle: FAILED: no nginx", lines[3])
    assert.equal("small: as it was", lines[4])
  end)

  it("says all of it as JSON", function()
    local decoded = cjson.decode(report.json({ load = "1 2 3" }, { row(), row { target = 1 } }))
    assert.equal("1 2 3", decoded.facts.load)
    assert.equal(.923, decoded.rows[1].mid)
    assert.is_true(decoded.rows[1].short)
    assert.is_false(decoded.rows[2].short)
  end)
end)
