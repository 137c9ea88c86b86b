-- Fails one call after the other while the proxy does a bit of everything (spec/faults/scenario.lua). Meanwhile a
-- request may get an error of the proxy's own, or be cut, but no wrong byte; afterwards everything is served, a new
-- service is taken, SIGTERM ends the program with 0, and no sanitizer has anything to say.
--
-- Environment: TIDELOCK_FAULTS, the build with the sites (default: the build under test); FAULTS, "all" (make faults)
-- or "sample" (make test); FAULTS_PART, "1/2"; FAULTS_ONLY, a pattern of sites; FAULTS_RULES, values of
-- TIDELOCK_FAIL with blanks between them, instead of all that.

local loop = require("spec.support.loop")
local plan = require("spec.faults.plan")
local scenario = require("spec.faults.scenario")
local world = require("spec.faults.world")

local build = os.getenv("TIDELOCK_FAULTS") or os.getenv("TIDELOCK_BUILD") or "build"
local options = { binary = build .. "/tidelock" }
local index, count = (os.getenv("FAULTS_PART") or "1/1"):match("^(%d+)/(%d+)$")
local only = os.getenv("FAULTS_ONLY")
only = only ~= "" and only or nil

loop.TIMEOUT = 15
local met, missed = 0, {}

local function run(case)
  local w, ended = world.start(case.fail, options)
  if not w then
    -- It may refuse to start, as it does where the machine cannot carry it, and says why.
    assert.equal(1, ended.exit_code, ended:output())
    assert.truthy(ended:output():find("tidelock: ", 1, true) or ended:output():find("%S+: ", 1), ended:output())
    return
  end
  scenario.run(w)
  scenario.heal(w)
  w.proxy:stop() -- some calls are made only then
  if w.proxy:log():find("fault: ", 1, true) then
    met = met + 1
  else
    missed[#missed + 1] = case.name
  end
  assert.same({}, w.wrong)
end

local sites, wrong = plan.learn(options)
local rules = os.getenv("FAULTS_RULES")
local cases = rules and plan.given(rules)
  or os.getenv("FAULTS") == "all" and plan.all(sites) or plan.sample(sites)

describe("the scenario", function()
  it("goes well when nothing fails, and reaches the sites", function()
    assert.same({}, wrong)
    assert.is_true(#sites > 150, #sites .. " sites")
  end)
end)

describe("stays whole when it fails:", function()
  -- A call in the middle of many may be one too many for another run.
  teardown(function()
    assert.is_true(#missed <= 2 + met / 5, ("%d faults were not met: %s"):format(#missed, table.concat(missed, " ")))
  end)

  for _, case in ipairs(plan.part(cases, tonumber(index), tonumber(count), only)) do
    it(case.name, function()
      run(case)
    end)
  end
end)
