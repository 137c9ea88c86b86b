local circuits = require("spec.unit.guard.circuits")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("guard/failure_window.h")

-- Two workers in front of a circuit that opens at half of ten requests in ten seconds.
describe("circuit with a failure rate", function()
  local circuit, windows

  before_each(function()
    circuit = circuits.new({
      threshold = 1000, rate_percent = 50, rate_min_requests = 10, rate_window_ms = 10000,
    })
    windows = { ffi.new("struct failure_window"), ffi.new("struct failure_window") }
  end)

  local function exceeded()
    local requests, failures = ffi.new("uint64_t[1]"), ffi.new("uint64_t[1]")
    local window_ms = lib.circuit_rate_window_ms(circuit.c, circuit.rules, circuit.now)
    for _, window in ipairs(windows) do
      lib.failure_window_sum(window, window_ms, circuit.now, requests, failures)
    end
    return lib.circuit_rules_rate_exceeded(circuit.rules, requests[0], failures[0])
  end

  local function report(worker, failed)
    lib.failure_window_add(windows[worker], failed, circuit.rules.rate_window_ms, circuit.now)
    if failed then
      return circuit:failure(nil, { rate = exceeded() })
    end
    return circuit:success()
  end

  it("opens when all workers together reach it", function()
    for _ = 1, 5 do
      assert.is_nil(report(1, false))
    end
    for _ = 1, 4 do
      assert.is_nil(report(2, true))
    end
    assert.same({
      from = "closed", to = "open", cause = "share of failures", generation = 1, open_ms = 1000,
    }, report(1, true))
    assert.equal(5, circuit:status().failures)
  end)

  it("stays closed below the share and the least number of requests", function()
    for _ = 1, 9 do
      assert.is_nil(report(1, true))
    end
    for _ = 1, 11 do
      assert.is_nil(report(2, false))
    end
    assert.is_nil(report(1, true))
    assert.equal("closed", circuit:phase())
  end)

  it("forgets what is older than the window", function()
    for _ = 1, 9 do
      report(1, true)
    end
    circuit.now = circuit.now + 10000
    assert.is_nil(report(1, true))
    assert.equal("closed", circuit:phase())
  end)

  it("prefers to name failures in a row when both are reached", function()
    circuit.rules.threshold = 10
    for _ = 1, 9 do
      report(1, true)
    end
    assert.equal("failures in a row", report(1, true).cause)
  end)

  local function close_again()
    circuit.now = circuit.now + 1000
    circuit:success()
    assert.equal("closed", circuit:success().to)
  end

  it("does not open again by failures from before it closed", function()
    for _ = 1, 10 do
      report(1, true)
    end
    close_again()
    circuit.now = circuit.now + 500
    assert.is_nil(report(1, true))
    circuit.now = circuit.now + 1000
    for _ = 1, 8 do
      assert.is_nil(report(2, true))
    end
    assert.equal("share of failures", report(2, true).cause)
  end)

  it("does not open again by failures from before a reset", function()
    for _ = 1, 9 do
      report(1, true)
    end
    circuit:reset()
    circuit.now = circuit.now + 1
    assert.is_nil(report(2, true))
    assert.equal("closed", circuit:phase())
  end)

  it("takes the whole window when it never was closed by anything", function()
    assert.equal(10000, tonumber(lib.circuit_rate_window_ms(circuit.c, circuit.rules, circuit.now)))
  end)

  it("takes none of the window when another thread has just closed it", function()
    circuit:reset()
    circuit.now = circuit.now - 5
    assert.equal(0, tonumber(lib.circuit_rate_window_ms(circuit.c, circuit.rules, circuit.now)))
  end)
end)
