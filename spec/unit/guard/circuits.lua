--- A circuit as specs use it: with a clock, rules, and transitions as tables.

local assert = require("luassert")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "guard/circuit_rules.h", "guard/circuit.h")

local circuits = { lib = lib }

local LOOKS = {
  [lib.CIRCUIT_LOOK_PASS] = "pass", [lib.CIRCUIT_LOOK_PROBE] = "probe",
  [lib.CIRCUIT_LOOK_FULL] = "full", [lib.CIRCUIT_LOOK_REFUSE] = "refuse",
}
local PHASES = {
  [lib.CIRCUIT_CLOSED] = "closed", [lib.CIRCUIT_OPEN] = "open",
  [lib.CIRCUIT_HALF_OPEN] = "half-open", [lib.CIRCUIT_HELD] = "held",
}

local Circuit = {}
Circuit.__index = Circuit

--- A closed circuit whose time is circuit.now and whose rules are circuit.rules.
-- @param rules fields of struct circuit_rules that differ from 3 failures, 2 probes, 1000 ms
function circuits.new(rules)
  local self = setmetatable({
    c = ffi.new("struct circuit"), now = 5000000, change_of_call = ffi.new("struct circuit_change"),
  }, Circuit)
  self.rules = ffi.new("struct circuit_rules",
    { threshold = 3, half_open_requests = 2, timeout_ms = 1000 })
  for name, value in pairs(rules or {}) do
    self.rules[name] = value
  end
  return self
end

-- The transition that a call reported, or nil; the same call's answer has to agree.
function Circuit:transition(changed)
  local change = self.change_of_call
  local cause = tonumber(change.cause)
  assert.equal(changed, cause ~= lib.CIRCUIT_CAUSE_NONE)
  if not changed then
    assert.equal(ffi.string(ffi.new("struct circuit_change"), ffi.sizeof("struct circuit_change")),
      ffi.string(change, ffi.sizeof(change)))
    return nil
  end
  assert.equal(self.now, tonumber(change.now_ms))
  local to = PHASES[tonumber(change.to)]
  assert.equal(to == "open", change.until_ms ~= 0)
  return {
    from = PHASES[tonumber(change.from)], to = to, generation = tonumber(change.generation),
    cause = ffi.string(lib.circuit_cause_text(change.cause)),
    open_ms = to == "open" and tonumber(change.until_ms - change.now_ms) or nil,
  }
end

function Circuit:look()
  return LOOKS[tonumber(lib.circuit_look(self.c, self.rules, self.now))]
end

--- Asks to let a request through, which has to do what a look said.
-- @return ticket or nil; the transition that the call made or nil
function Circuit:admit()
  local look, ticket = self:look(), ffi.new("struct circuit_ticket")
  local admitted = lib.circuit_admit(self.c, self.rules, self.now, ticket, self.change_of_call)
  assert.equal(admitted, look == "pass" or look == "probe")
  assert.equal(admitted, ticket.taken)
  assert.equal(look == "probe", ticket.probe)
  return admitted and ticket or nil, self:transition(self.change_of_call.cause ~= 0)
end

--- Tickets of count requests that have to be let through.
function Circuit:admit_many(count)
  local tickets = {}
  for i = 1, count do
    tickets[i] = assert((self:admit()))
  end
  return tickets
end

--- Settle a ticket, or one of a new request. Return the transition or nil.
function Circuit:success(ticket)
  ticket = ticket or assert((self:admit()))
  local changed = lib.circuit_success(self.c, self.rules, ticket, self.now, self.change_of_call)
  assert.is_false(ticket.taken)
  return self:transition(changed)
end

-- @param with { rate = exceeded, random = 0 to 2^32 - 1 }, both optional
function Circuit:failure(ticket, with)
  ticket, with = ticket or assert((self:admit())), with or {}
  local changed = lib.circuit_failure(self.c, self.rules, ticket, with.rate or false, self.now,
    with.random or 0, self.change_of_call)
  assert.is_false(ticket.taken)
  return self:transition(changed)
end

function Circuit:release(ticket)
  lib.circuit_release(self.c, ticket)
  assert.is_false(ticket.taken)
end

for _, verb in ipairs({ "tick", "hold", "unhold", "reset" }) do
  Circuit[verb] = function(self)
    return self:transition(lib["circuit_" .. verb](self.c, self.now, self.change_of_call))
  end
end

--- What circuit_read says, in plain Lua values.
function Circuit:status()
  local out = ffi.new("struct circuit_status")
  lib.circuit_read(self.c, self.now, out)
  local status = { phase = PHASES[tonumber(out.phase)], held = out.held }
  for _, name in ipairs({ "generation", "failures", "successes", "in_flight", "reopenings",
    "opened_ms", "until_ms", "last_failure_ms" }) do
    status[name] = tonumber(out[name])
  end
  return status
end

function Circuit:phase()
  return self:status().phase
end

--- Opens a closed circuit by failures in a row. Returns the transition.
function Circuit:open()
  local transition
  for _ = 1, self.rules.threshold do
    assert.is_nil(transition)
    transition = self:failure()
  end
  return assert(transition)
end

--- Opens it and lets its time pass; nobody has asked for admission yet.
function Circuit:open_and_wait()
  self.now = self.now + self:open().open_ms
end

return circuits
