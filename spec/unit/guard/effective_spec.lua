local states = require("spec.support.states")

--- What the issue of each state is, written down a second time, in the order of what matters more.
local function expected(s)
  if s.maintenance == "yes" then
    return "none", "maintenance"
  elseif s.drain == "turned away" then
    return "none", "draining"
  elseif s.health == "awaited" then
    return "none", "health_awaited"
  elseif s.health == "down" then
    return "none", "health_down"
  elseif s.circuit == "open" then
    return "none", "circuit_open"
  elseif s.circuit == "half-open, no place free" then
    return "none", "circuit_probing"
  elseif s.requests == "at max_requests" then
    return "none", "member_full"
  elseif s.session ~= "connected" then
    return "last resort", ""
  elseif s.circuit == "half-open, a place free" then
    return "probe", ""
  elseif s.health == "degraded" or s["slow start"] == "yes" then
    return "shared", ""
  end
  return "full", ""
end

local function describe_state(state)
  local parts = {}
  for i, dimension in ipairs(states.DIMENSIONS) do
    parts[i] = dimension.name .. " " .. state[dimension.name]
  end
  return table.concat(parts, ", ")
end

describe("the effective state", function()
  local all = states.all()

  it("is told for every combination of states", function()
    assert.equal(3 * 3 * 2 * 5 * 4 * 2 * 2, #all)
  end)

  for _, state in ipairs(all) do
    it(("of %s"):format(describe_state(state)), function()
      local use, verdict = expected(state)
      local got = states.effective(state)
      assert.equal(use, got.use)
      assert.equal(verdict, got.verdict)
    end)
  end

  it("stands in rows that together are the whole table, each once", function()
    local seen, count = {}, 0
    for _, row in ipairs(states.rows()) do
      for _, state in ipairs(row.states) do
        assert.is_nil(seen[state])
        seen[state] = true
        count = count + 1
      end
    end
    assert.equal(#all, count)
  end)

  it("tells what a client gets when nobody can take its request", function()
    for _, row in ipairs(states.rows()) do
      if row.use == "none" then
        assert.equal(503, row.status)
        assert.truthy(row.error ~= "")
      end
    end
  end)
end)
