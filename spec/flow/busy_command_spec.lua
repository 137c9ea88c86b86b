local loop = require("spec.support.loop")
local reloads = require("spec.flow.reloads")

--- Says that it began, then works for a tenth of a second of processor time.
local SLOW = reloads.command("SLOW", [[
    print("slow began")
    local from = os.clock()
    while os.clock() - from < 0.1 do end]])

local function begun(p)
  local _, count = p:log():gsub("slow began", "")
  return count
end

--- Has the proxy get no processor while a command runs that has not used up its time.
-- @return its answer
local function held_up(r, p)
  local before = begun(p)
  r:send(r:format("SLOW", "txn-1") .. "\n")
  loop.eventually(function() return begun(p) > before end)
  p:signal("STOP")
  loop.delay(0.4)
  p:signal("CONT")
  return r:receive()
end

describe("a command whose time passes while the machine does not run it", function()
  it("is told to come again, and its scripts are not blamed", function()
    local _, r, p = reloads.start { files = { ["commands/slow.lua"] = SLOW } }
    local told = 0
    loop.eventually(function()
      local answer = held_up(r, p)
      if answer == "ERROR|txn-1|the proxy is too busy, try again: SLOW" then
        told = told + 1
      else
        assert.equal("SLOW_OK|txn-1", answer) -- it was over already
      end
      return told == 2
    end)
    assert.equal(0, reloads.status(r).failures)
    reloads.wait_answer(r, "SLOW_OK", "SLOW")
  end)
end)
