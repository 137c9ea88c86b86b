local circuits = require("spec.unit.guard.circuits")
local lib = circuits.lib
local ffi = require("ffi")

describe("circuit, held by health", function()
  local circuit

  before_each(function()
    circuit = circuits.new()
  end)

  it("refuses for as long as it is held, and says no end", function()
    assert.same({ from = "closed", to = "held", cause = "health is down", generation = 1 },
      circuit:hold())
    local since = circuit.now
    circuit.now = circuit.now + 3600 * 1000
    assert.is_nil((circuit:admit()))
    assert.is_nil(circuit:tick())
    local status = circuit:status()
    assert.equal("open", status.phase)
    assert.is_true(status.held)
    assert.equal(0, status.until_ms)
    assert.equal(since, status.opened_ms)
  end)

  it("is held once", function()
    circuit:hold()
    assert.is_nil(circuit:hold())
    assert.equal(1, circuit:status().generation)
  end)

  it("is half-open when the hold ends, and closes as from any other", function()
    circuit:hold()
    assert.same({ from = "held", to = "half-open", cause = "health is back", generation = 2 },
      circuit:unhold())
    circuit:success()
    assert.equal("closed", circuit:success().to)
  end)

  it("stays as it is when a hold ends that there was not", function()
    circuit:open()
    assert.is_nil(circuit:unhold())
    assert.equal("open", circuit:phase())
    circuit.now = circuit.now + 1000
    circuit:tick()
    circuit:admit()
    assert.is_nil(circuit:unhold())
    assert.equal(1, circuit:status().in_flight)
  end)

  it("keeps the time of its opening and its failures when it was open before", function()
    circuit:open()
    local opened = circuit.now
    circuit.now = circuit.now + 100
    assert.equal("open", circuit:hold().from)
    assert.equal(opened, circuit:status().opened_ms)
    assert.equal(3, circuit:status().failures)
  end)

  it("takes over from half-open, whose probes no longer count", function()
    circuit:open_and_wait()
    local probe = circuit:admit()
    assert.equal("half-open", circuit:hold().from)
    assert.is_nil(circuit:failure(probe))
    assert.is_true(circuit:status().held)
  end)

  it("keeps the failures that it had closed", function()
    circuit:failure()
    circuit:hold()
    assert.equal(1, circuit:status().failures)
  end)
end)

describe("circuit, reset", function()
  local circuit

  before_each(function()
    circuit = circuits.new()
  end)

  it("is closed, from open", function()
    circuit:open()
    assert.same({ from = "open", to = "closed", cause = "reset", generation = 2 }, circuit:reset())
    assert.equal("pass", circuit:look())
    assert.equal(0, circuit:status().failures)
  end)

  it("is closed, from half-open", function()
    circuit:open_and_wait()
    circuit:admit()
    assert.equal("half-open", circuit:reset().from)
    assert.equal("closed", circuit:phase())
  end)

  it("is closed, from held", function()
    circuit:hold()
    assert.equal("held", circuit:reset().from)
    assert.equal("closed", circuit:phase())
    assert.is_nil(circuit:unhold())
  end)

  it("from closed is no transition, forgets failures and begins a generation", function()
    circuit:failure()
    circuit:failure()
    assert.is_nil(circuit:reset())
    assert.equal(0, circuit:status().failures)
    assert.equal(1, circuit:status().generation)
    circuit:failure()
    circuit:failure()
    assert.equal("closed", circuit:phase())
  end)
end)

describe("circuit, late results", function()
  local circuit

  before_each(function()
    circuit = circuits.new()
  end)

  it("from before a reset are ignored", function()
    local early = circuit:admit_many(4)
    circuit:reset()
    for i = 1, 3 do
      circuit:failure(early[i])
    end
    local status = circuit:status()
    assert.equal(0, status.failures)
    assert.equal(0, status.last_failure_ms)
    circuit:failure()
    circuit:success(early[4])
    assert.equal(1, circuit:status().failures)
  end)

  it("from before the opening move no end, and neither open nor close a half-open one", function()
    local early = circuit:admit_many(4)
    circuit:open()
    local opened = circuit:status()
    circuit.now = circuit.now + 500
    circuit:failure(early[1], { rate = true })
    assert.same(opened, circuit:status())
    circuit.now = circuit.now + 500
    circuit:tick()
    circuit:failure(early[2])
    circuit:success(early[3])
    circuit:release(early[4])
    local status = circuit:status()
    assert.equal("half-open", status.phase)
    assert.equal(0, status.successes)
    assert.equal(0, status.in_flight)
  end)

  it("of probes from before a reopening take no part in the next trial", function()
    circuit.rules.half_open_requests = 4
    circuit:open_and_wait()
    local early = circuit:admit_many(4)
    circuit.now = circuit.now + circuit:failure(early[1]).open_ms
    circuit:admit_many(4)
    circuit:failure(early[2])
    circuit:success(early[3])
    circuit:release(early[4])
    local status = circuit:status()
    assert.equal("half-open", status.phase)
    assert.equal(4, status.in_flight)
    assert.equal(0, status.successes)
    assert.equal("full", circuit:look())
  end)

  it("of probes from before the closing do not count against it", function()
    circuit:open_and_wait()
    local probes = circuit:admit_many(2)
    circuit:success(probes[1])
    circuit:success()
    circuit.rules.threshold = 1
    assert.is_nil(circuit:failure(probes[2]))
    assert.equal(0, circuit:status().failures)
  end)

  it("of probes free no slot of a later half-open phase after a hold", function()
    circuit:open_and_wait()
    local early = circuit:admit_many(2)
    circuit:hold()
    circuit:unhold()
    circuit:admit_many(2)
    circuit:release(early[1])
    circuit:release(early[2])
    assert.equal("full", circuit:look())
  end)

  it("are told apart also where generations start from 0 again", function()
    circuit.c.word = 0x3fffffffULL * 2 ^ 32
    local early = circuit:admit()
    assert.equal(0x3fffffff, early.generation)
    assert.is_nil(circuit:reset())
    assert.equal(0, circuit:status().generation)
    assert.equal("closed", circuit:phase())
    circuit:failure(early)
    assert.equal(0, circuit:status().failures)
    assert.equal(1, circuit:open().generation)
  end)
end)

describe("circuit's words", function()
  it("are those of the wire, where a held one is open", function()
    local texts = {}
    for phase = 0, 3 do
      texts[phase + 1] = ffi.string(lib.circuit_phase_text(phase))
    end
    assert.same({ "closed", "open", "half-open", "open" }, texts)
  end)

  it("give every cause one of its own", function()
    local seen = {}
    for cause = 0, lib.CIRCUIT_CAUSE_COUNT - 1 do
      local text = ffi.string(lib.circuit_cause_text(cause))
      assert.is_nil(seen[text])
      seen[text] = true
    end
    assert.is_true(seen["failures in a row"])
  end)
end)
