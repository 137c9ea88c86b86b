-- A short run of `make chaos`, and with the environment that `make chaos` sets the long one: no kind of check finds
-- anything wrong. README.md says what is checked.

local oracle = require("spec.chaos.oracle")
local run = require("spec.chaos.run")

local SECONDS = tonumber(os.getenv("TIDELOCK_CHAOS_SECONDS") or "") or 15
local SEED = os.getenv("TIDELOCK_CHAOS_SEED") or "1"

local result

--- The one run that all of these are about; the first to ask makes it.
local function once()
  if not result then
    result = {}
    io.stderr:write(("chaos: seed %s, %d s\n"):format(SEED, SECONDS))
    result = run.go { seed = SEED, seconds = SECONDS }
    io.stderr:write(("chaos: %d requests %s, deeds %s, %d refused for want of retries\n"):format(
      result.count, run.encode(result.kinds), run.encode(result.done), result.world.spent))
  end
  return result.problems and result or error("the run did not come to its end", 0)
end

--- The sentences of a kind's problems.
local function found(kind)
  local list = {}
  for _, problem in ipairs(once().problems) do
    if problem.kind == kind then
      list[#list + 1] = problem.why
    end
  end
  return list
end

local SENTENCES = {
  service = "no service answers for another",
  removed = "nothing reaches a member that is not there",
  drained = "nothing reaches a member that is fully drained",
  maintenance = "nothing reaches a member in maintenance",
  config = "answers are made by a configuration in force",
  preference = "nothing goes to a last resort while another member can take it",
  refused = "nothing is refused that a member could take",
  page = "the page of maintenance is shown when the whole group is in it, and only then",
  lost = "no answer is lost or cut but by the end of a backend",
  twice = "nothing is executed twice that may not be",
  unexecuted = "every answer was made by who says so",
  body = "bodies are those that were sent",
  tunnel = "tunnels end for a reason",
  stats = "what is counted is what was sent",
  log = "no error is logged that nobody brought about",
  process = "the proxy ends well, with nothing to report",
}

describe("a run of chaos", function()
  for _, kind in ipairs(oracle.KINDS) do
    it("finds that " .. SENTENCES[kind], function()
      assert.same({}, found(kind))
    end)
  end
end)
