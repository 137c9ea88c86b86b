local circuits = require("spec.unit.guard.circuits")

describe("circuit", function()
  local circuit

  before_each(function()
    circuit = circuits.new()
  end)

  context("closed", function()
    it("is what zeroed memory is, and lets everything through", function()
      assert.equal("pass", circuit:look())
      circuit:admit_many(100)
      assert.same({
        phase = "closed", held = false, generation = 0, failures = 0, successes = 0, in_flight = 0,
        reopenings = 0, opened_ms = 0, until_ms = 0, last_failure_ms = 0,
      }, circuit:status())
    end)

    it("opens with the failure that reaches the threshold", function()
      assert.is_nil(circuit:failure())
      circuit.now = circuit.now + 5
      assert.is_nil(circuit:failure())
      assert.equal("pass", circuit:look())
      circuit.now = circuit.now + 5
      assert.same({
        from = "closed", to = "open", cause = "failures in a row", generation = 1, open_ms = 1000,
      }, circuit:failure())
      assert.equal("refuse", circuit:look())
    end)

    it("counts failures in a row only", function()
      for _ = 1, 5 do
        circuit:failure()
        circuit:failure()
        assert.equal(2, circuit:status().failures)
        assert.is_nil(circuit:success())
        assert.equal(0, circuit:status().failures)
      end
      assert.equal("closed", circuit:phase())
    end)

    it("goes by the threshold of the call", function()
      circuit.rules.threshold = 10
      circuit:failure()
      circuit:failure()
      circuit:failure()
      circuit.rules.threshold = 2
      assert.equal("open", circuit:failure().to)
    end)

    it("takes no notice of a request that was released", function()
      circuit:failure()
      circuit:failure()
      circuit:release(circuit:admit())
      assert.equal(2, circuit:status().failures)
      assert.equal("open", circuit:failure().to)
    end)

    it("is left alone by a tick and by the end of a hold", function()
      assert.is_nil(circuit:tick())
      assert.is_nil(circuit:unhold())
      assert.equal(0, circuit:status().generation)
    end)
  end)

  context("without a threshold", function()
    before_each(function()
      circuit.rules.threshold = 0
    end)

    it("counts failures and never opens, whatever their rate", function()
      for _ = 1, 1000 do
        assert.is_nil(circuit:failure(nil, { rate = true }))
      end
      assert.equal(1000, circuit:status().failures)
      assert.equal("closed", circuit:phase())
    end)

    it("counts no further than it can", function()
      circuit.c.word = 0xffffffffULL
      assert.is_nil(circuit:failure())
      assert.equal(0xffffffff, circuit:status().failures)
      assert.equal(0, circuit:status().generation)
      circuit:success()
      assert.equal(0, circuit:status().failures)
    end)

    it("is held open by health, and opened again by a probe that fails", function()
      assert.equal("held", circuit:hold().to)
      assert.equal("refuse", circuit:look())
      assert.equal("half-open", circuit:unhold().to)
      assert.equal("a probe failed", circuit:failure().cause)
      assert.equal("refuse", circuit:look())
    end)
  end)

  context("open", function()
    before_each(function()
      circuit:open()
    end)

    it("refuses until its time is over, to the millisecond", function()
      circuit.now = circuit.now + 999
      assert.is_nil((circuit:admit()))
      assert.is_nil(circuit:tick())
      assert.equal("open", circuit:phase())
      circuit.now = circuit.now + 1
      assert.equal("probe", circuit:look())
    end)

    it("says since when, until when, and after how many failures", function()
      local opened = circuit.now
      circuit.now = circuit.now + 400
      local status = circuit:status()
      assert.equal("open", status.phase)
      assert.is_false(status.held)
      assert.equal(3, status.failures)
      assert.equal(opened, status.opened_ms)
      assert.equal(opened, status.last_failure_ms)
      assert.equal(opened + 1000, status.until_ms)
    end)

    it("reads as half-open once its time is over, before anything else happens", function()
      circuit.now = circuit.now + 1000
      local status = circuit:status()
      assert.equal("half-open", status.phase)
      assert.equal(0, status.until_ms)
      assert.equal(0, status.in_flight)
    end)

    it("becomes half-open with the first request after its time", function()
      circuit.now = circuit.now + 1000
      local ticket, transition = circuit:admit()
      assert.is_true(ticket.probe)
      assert.same({
        from = "open", to = "half-open", cause = "the open time is over", generation = 2,
      }, transition)
      assert.equal(1, circuit:status().in_flight)
    end)

    it("becomes half-open with a tick after its time", function()
      circuit.now = circuit.now + 1000
      assert.same({
        from = "open", to = "half-open", cause = "the open time is over", generation = 2,
      }, circuit:tick())
      assert.equal(0, circuit:status().in_flight)
      assert.is_nil(circuit:tick())
      local ticket, transition = circuit:admit()
      assert.is_true(ticket.probe)
      assert.is_nil(transition)
    end)
  end)

  context("half-open", function()
    before_each(function()
      circuit:open_and_wait()
    end)

    it("lets so many probes through at a time and no more", function()
      local probes = circuit:admit_many(2)
      assert.equal("full", circuit:look())
      assert.is_nil((circuit:admit()))
      circuit:success(probes[1])
      assert.equal("probe", circuit:look())
    end)

    it("closes when so many in a row have passed", function()
      assert.is_nil(circuit:success())
      assert.equal(1, circuit:status().successes)
      assert.same({
        from = "half-open", to = "closed", cause = "probes passed", generation = 3,
      }, circuit:success())
      assert.equal("pass", circuit:look())
      assert.equal(0, circuit:status().failures)
      assert.equal(0, circuit:status().reopenings)
    end)

    it("opens again when one fails, after a success too", function()
      circuit:success()
      assert.equal("a probe failed", circuit:failure().cause)
      assert.equal("refuse", circuit:look())
      local status = circuit:status()
      assert.equal(circuit.now, status.opened_ms)
      assert.equal(circuit.now, status.last_failure_ms)
      assert.equal(4, status.failures)
      assert.equal(1, status.reopenings)
    end)

    it("counts a probe that was released neither way, and lets another through", function()
      local probes = circuit:admit_many(2)
      circuit:release(probes[1])
      local status = circuit:status()
      assert.equal("half-open", status.phase)
      assert.equal(1, status.in_flight)
      assert.equal(0, status.successes)
      circuit:admit_many(1)
      assert.equal("full", circuit:look())
    end)

    it("follows rules that change meanwhile", function()
      local probes = circuit:admit_many(2)
      circuit.rules.half_open_requests = 4
      circuit:success(probes[1])
      circuit:admit_many(3)
      assert.equal("full", circuit:look())
      circuit.rules.half_open_requests = 1
      assert.equal("closed", circuit:success(probes[2]).to)
    end)

    it("lets one probe through when the rules say none", function()
      circuit.rules.half_open_requests = 0
      local probe = circuit:admit()
      assert.equal("full", circuit:look())
      assert.equal("closed", circuit:success(probe).to)
    end)

    it("lets 65535 probes through at most, and closes after as many", function()
      circuit.rules.half_open_requests = 0xffffffff
      circuit:tick()
      circuit.c.word = circuit.c.word + 65533 * 2 ^ 16 + 65533 -- passed, and in flight
      local probes = circuit:admit_many(2)
      assert.equal("full", circuit:look())
      assert.equal(65535, circuit:status().in_flight)
      assert.is_nil(circuit:success(probes[1]))
      assert.equal(65534, circuit:status().successes)
      assert.equal(65534, circuit:status().in_flight)
      assert.equal("closed", circuit:success(probes[2]).to)
    end)
  end)
end)
