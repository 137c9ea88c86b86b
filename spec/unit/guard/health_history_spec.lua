local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/health_history.h")

describe("health history", function()
  local history

  before_each(function()
    history = ffi.new("struct health_history")
  end)

  local function feed(results)
    for result in results:gmatch("[PF]") do
      lib.health_history_add(history, result == "P")
    end
  end

  local function kept()
    local list = {}
    for i = 0, history.count - 1 do
      list[i + 1] = lib.health_history_passed(history, i) and "P" or "F"
    end
    return table.concat(list)
  end

  it("keeps results, newest first", function()
    feed("PPFPF")
    assert.equal("FPFPP", kept())
  end)

  it("keeps no more than the last 32", function()
    feed(("F"):rep(10) .. ("P"):rep(31) .. "F")
    assert.equal(32, history.count)
    assert.equal("F" .. ("P"):rep(31), kept())
  end)

  it("counts how many in a row went like the newest", function()
    feed("PFPPP")
    assert.equal(3, lib.health_history_passed_run(history))
    assert.equal(0, lib.health_history_failed_run(history))
    feed(("F"):rep(100))
    assert.equal(0, lib.health_history_passed_run(history))
    assert.equal(100, lib.health_history_failed_run(history))
  end)

  it("counts changes as long as their results are kept", function()
    feed("F")
    lib.health_history_mark_change(history)
    feed("PP")
    lib.health_history_mark_change(history)
    assert.equal(2, lib.health_history_changes(history))
    feed(("P"):rep(30))
    assert.equal(1, lib.health_history_changes(history))
    feed("PP")
    assert.equal(0, lib.health_history_changes(history))
  end)

  describe("without a policy", function()
    local state

    local function judge(results)
      for result in results:gmatch("[PF]") do
        feed(result)
        state = lib.health_history_judge(history, state or lib.HEALTH_ANSWER_HEALTHY)
      end
      return tonumber(state)
    end

    before_each(function()
      state = nil
    end)

    it("is decided by its first result", function()
      assert.equal(lib.HEALTH_ANSWER_DOWN, judge("F"))
    end)

    it("is healthy after its first pass", function()
      assert.equal(lib.HEALTH_ANSWER_HEALTHY, judge("P"))
    end)

    it("goes down with three failures in a row, no less", function()
      assert.equal(lib.HEALTH_ANSWER_HEALTHY, judge("PFFPFF"))
      assert.equal(lib.HEALTH_ANSWER_DOWN, judge("F"))
    end)

    it("comes back with two passes in a row, no less", function()
      assert.equal(lib.HEALTH_ANSWER_DOWN, judge("FPFP"))
      assert.equal(lib.HEALTH_ANSWER_HEALTHY, judge("P"))
    end)
  end)
end)
