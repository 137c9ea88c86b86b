local circuits = require("spec.unit.guard.circuits")

local WALKS, STEPS = 20, 1000

-- What a circuit should do, without words, bits and concurrency.
local Model = {}
Model.__index = Model

local function new_model()
  return setmetatable({
    phase = "closed", generation = 0, row = 0, passed = 0, in_flight = 0, reopenings = 0,
  }, Model)
end

function Model:go(to, cause)
  local transition = { from = self.phase, to = to, cause = cause }
  self.phase, self.generation = to, self.generation + 1
  self.row, self.passed, self.in_flight, self.until_ms = 0, 0, 0, nil
  if to == "closed" then
    self.reopenings = 0
  end
  return transition
end

function Model:open(cause, rules, now, open_ms)
  local timeout = tonumber(rules.timeout_ms)
  if cause == "a probe failed" then
    self.reopenings = self.reopenings + 1
  end
  local most = math.max(timeout, math.min(32 * timeout, 300000))
  local least = math.min(timeout * 2 ^ self.reopenings, most)
  assert.is_truthy(open_ms, "did not open")
  assert.is_true(open_ms >= least)
  assert.is_true(open_ms <= least * (self.reopenings > 0 and 1.1 or 1))
  local transition = self:go("open", cause)
  transition.open_ms, self.until_ms = open_ms, now + open_ms
  return transition
end

function Model:tick(now)
  if self.phase == "open" and now >= self.until_ms then
    return self:go("half-open", "the open time is over")
  end
end

function Model:admit(rules, now)
  local transition = self:tick(now)
  if self.phase == "closed" then
    return { generation = self.generation }
  elseif self.phase == "half-open" and self.in_flight < rules.half_open_requests then
    self.in_flight = self.in_flight + 1
    return { generation = self.generation, probe = true }, transition
  end
end

function Model:success(ticket, rules)
  if ticket.generation ~= self.generation then
    return nil
  elseif not ticket.probe then
    self.row = 0
    return nil
  end
  self.in_flight, self.passed = self.in_flight - 1, self.passed + 1
  if self.passed >= rules.half_open_requests then
    return self:go("closed", "probes passed")
  end
end

-- open_ms: what the circuit chose, if it opened
function Model:failure(ticket, rules, now, rate, open_ms)
  if ticket.generation ~= self.generation then
    return nil
  elseif ticket.probe then
    return self:open("a probe failed", rules, now, open_ms)
  end
  self.row = self.row + 1
  if rules.threshold > 0 and self.row >= rules.threshold then
    return self:open("failures in a row", rules, now, open_ms)
  elseif rules.threshold > 0 and rate then
    return self:open("share of failures", rules, now, open_ms)
  end
end

function Model:release(ticket)
  if ticket.probe and ticket.generation == self.generation then
    self.in_flight = self.in_flight - 1
  end
end

function Model:hold()
  return self.phase ~= "held" and self:go("held", "health is down") or nil
end

function Model:unhold()
  return self.phase == "held" and self:go("half-open", "health is back") or nil
end

function Model:reset()
  local transition = self:go("closed", "reset")
  return transition.from ~= "closed" and transition or nil
end

-- Random steps on a circuit and the model, side by side.
local Walk = {}
Walk.__index = Walk

local function new_walk()
  local circuit = circuits.new({
    threshold = math.random(0, 4), half_open_requests = math.random(1, 4),
    timeout_ms = ({ 1, 50, 20000, 1000000 })[math.random(4)],
  })
  circuit.now = 2 ^ 32 * math.random(1, 5) - math.random(0, 2000) -- to pass where 32 bits wrap
  return setmetatable({ circuit = circuit, model = new_model(), open = {}, seen = {} }, Walk)
end

function Walk:agree(transition, expected)
  if expected then
    expected.generation = self.model.generation
    self.seen[expected.cause] = true
  end
  assert.same(expected, transition)
end

function Walk:admit()
  local ticket, transition = self.circuit:admit()
  local expected, expected_transition = self.model:admit(self.circuit.rules, self.circuit.now)
  self:agree(transition, expected_transition)
  assert.equal(expected ~= nil, ticket ~= nil)
  if ticket then
    assert.equal(expected.generation, ticket.generation)
    assert.equal(expected.probe or false, ticket.probe)
    table.insert(self.open, { ticket, expected })
  end
end

function Walk:settle()
  if #self.open == 0 then
    return
  end
  local ticket, expected = unpack(table.remove(self.open, math.random(#self.open)))
  local how, rules, now = math.random(10), self.circuit.rules, self.circuit.now
  if how <= 5 then
    self:agree(self.circuit:success(ticket), self.model:success(expected, rules))
  elseif how <= 9 then
    local rate = math.random(20) == 1
    local transition = self.circuit:failure(ticket,
      { rate = rate, random = math.random(0, 2 ^ 32 - 1) })
    self:agree(transition, self.model:failure(expected, rules, now, rate,
      transition and transition.open_ms))
  else
    self.circuit:release(ticket)
    self.model:release(expected)
  end
end

function Walk:pass_time()
  local left = self.model.until_ms and self.model.until_ms - self.circuit.now or 0
  if left > 0 and math.random(2) == 1 then
    self.circuit.now = self.circuit.now + left - math.random(0, 1)
  else
    self.circuit.now = self.circuit.now + math.random(0, 20)
  end
end

function Walk:steer()
  local verb = ({ "hold", "unhold", "unhold", "reset" })[math.random(4)]
  self:agree(self.circuit[verb](self.circuit), self.model[verb](self.model))
end

function Walk:step()
  local what = math.random(100)
  if what <= 45 then
    self:admit()
  elseif what <= 85 or #self.open > 20 then
    self:settle()
  elseif what <= 95 then
    self:pass_time()
  elseif what <= 97 then
    self:agree(self.circuit:tick(), self.model:tick(self.circuit.now))
  else
    self:steer()
  end
end

function Walk:compare()
  local model, status = self.model, self.circuit:status()
  local over = model.phase == "open" and self.circuit.now >= model.until_ms
  local phase = over and "half-open" or model.phase == "held" and "open" or model.phase
  assert.equal(phase, status.phase)
  assert.equal(model.phase == "held", status.held)
  assert.equal(model.generation, status.generation)
  assert.equal(model.in_flight, status.in_flight)
  assert.equal(model.passed, status.successes)
  assert.equal(model.reopenings, status.reopenings)
  assert.equal(phase == "open" and model.until_ms or 0, status.until_ms)
  if model.phase == "closed" then
    assert.equal(model.row, status.failures)
  end
end

describe("circuit", function()
  it("does in random histories what a simple model of it does", function()
    local seed = os.time()
    math.randomseed(seed)
    local seen = {}
    for _ = 1, WALKS do
      local walk = new_walk()
      for step = 1, STEPS do
        local ok, err = pcall(function()
          walk:step()
          walk:compare()
        end)
        assert.is_true(ok, ("seed %d, step %d: %s"):format(seed, step, tostring(err)))
      end
      for cause in pairs(walk.seen) do
        seen[cause] = true
      end
    end
    for _, cause in ipairs({ "a probe failed", "the open time is over", "probes passed",
      "health is down", "health is back", "reset" }) do
      assert.is_true(seen[cause], ("seed %d: never came to: %s"):format(seed, cause))
    end
  end)
end)
