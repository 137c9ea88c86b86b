--- The share of passed checks among the last results, at most 32: a member that fails now and then
-- gets less, not nothing.
--
-- From 90 % on healthy; from 50 % on degraded, with that share of requests; below that down.

local HEALTHY, DEGRADED = 0.9, 0.5

return {
  summary = "Healthy from 90 % passed checks on, degraded to the passed share from 50 % on, else down.",
  judge = function(check)
    local passed = 0
    for _, result in ipairs(check.results) do
      passed = passed + (result and 1 or 0)
    end
    local share = passed / check.count
    if share >= HEALTHY then
      return "healthy"
    end
    local reason = ("%d_of_%d_passed"):format(passed, check.count)
    if share >= DEGRADED then
      return "degraded", reason, share
    end
    return "down", reason
  end,
  examples = {
    { "is healthy from 90 % on",
      given = { results = "PPPPPPPPPF" }, expect = { state = "healthy", share = 1 } },
    { "is degraded to the passed share from 50 % on",
      given = { results = "PPPF" }, expect = { state = "degraded", reason = "3_of_4_passed", share = 0.75 } },
    { "is down below that",
      given = { results = "PFF" }, expect = { state = "down", reason = "1_of_3_passed" } },
  },
}
