local behind = require("spec.scripts.policies.behind")

local DAYS = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" }

--- A time of day, minutes from now; and the day (UTC) that it is then.
local function at(minutes)
  local time = os.time() + minutes * 60
  return os.date("!%H:%M", time), DAYS[os.date("!*t", time).wday]
end

local function window(from, to, days)
  local args = ("from=%s to=%s"):format((at(from)), (at(to)))
  return behind.start("maintenance_window", days and args .. " days=" .. days or args)
end

describe("the policy maintenance_window", function()
  it("turns requests away within the window, and says for how long", function()
    local b = window(-60, 60)
    local answer = b:get("/")
    assert.equal(503, answer.status)
    local seconds = tonumber(answer.headers["Retry-After"])
    assert.is_true(seconds > 3400 and seconds <= 3600, seconds)
    assert.equal(0, b.origin:count())
  end)

  it("lets them pass outside of it", function()
    assert.equal(200, window(60, 120):get("/").status)
    assert.equal(200, window(-120, -60):get("/").status)
  end)

  it("goes by the day it began on", function()
    local _, began = at(-600)
    local others = {}
    for _, day in ipairs(DAYS) do
      others[#others + 1] = day ~= began and day or nil
    end
    assert.equal(503, window(-600, 60, began):get("/").status)
    assert.equal(200, window(-600, 60, table.concat(others, ",")):get("/").status)
  end)

  it("lets them pass when it cannot be read", function()
    assert.equal(200, behind.start("maintenance_window", "from=2 to=3"):get("/").status)
  end)
end)
