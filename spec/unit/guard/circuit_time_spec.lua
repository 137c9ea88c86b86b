local circuits = require("spec.unit.guard.circuits")

local HIGHEST = 0xffffffff
local LONGEST = 0x7fffffff

describe("circuit's open times", function()
  local circuit

  before_each(function()
    circuit = circuits.new()
  end)

  -- Opens a closed circuit, then again count times by a probe that fails. Returns all open times.
  local function times(count, random)
    local list = { circuit:open().open_ms }
    for i = 1, count do
      circuit.now = circuit.now + list[i]
      list[i + 1] = circuit:failure(nil, { random = random }).open_ms
    end
    return list
  end

  -- The same, and the last one has passed.
  local function pass_times(count)
    local list = times(count, 0)
    circuit.now = circuit.now + list[count + 1]
  end

  it("double with each reopening, up to 32 times the first", function()
    assert.same({ 1000, 2000, 4000, 8000, 16000, 32000, 32000, 32000 }, times(7, 0))
    assert.equal(7, circuit:status().reopenings)
  end)

  it("grow no further than five minutes", function()
    circuit.rules.timeout_ms = 60000
    assert.same({ 60000, 120000, 240000, 300000, 300000 }, times(4, 0))
  end)

  it("do not grow when the first is longer than that", function()
    circuit.rules.timeout_ms = 400000
    assert.same({ 400000, 400000, 400000 }, times(2, 0))
  end)

  it("get up to a tenth added at reopenings, none at the first", function()
    assert.same({ 1000, 2199, 4399, 8799, 17599, 35199, 35199 }, times(6, HIGHEST))
  end)

  it("get as much of that as the random number says", function()
    assert.same({ 1000, 2100, 4200, 8400 }, times(3, 0x80000000))
  end)

  it("start from the first again after a closing", function()
    pass_times(3)
    circuit:success()
    circuit:success()
    assert.same({ 1000, 2000 }, times(1, 0))
  end)

  it("start from the first again after a reset", function()
    times(3, 0)
    circuit:reset()
    assert.same({ 1000, 2000 }, times(1, 0))
  end)

  it("go on doubling after a hold of a half-open one", function()
    pass_times(1)
    assert.equal("half-open", circuit:tick().to)
    circuit:hold()
    circuit:unhold()
    assert.equal(4000, circuit:failure().open_ms)
  end)

  it("count a hold as the first opening", function()
    circuit:hold()
    circuit:unhold()
    assert.equal(2000, circuit:failure().open_ms)
  end)

  it("may be nothing", function()
    circuit.rules.timeout_ms = 0
    assert.equal(0, circuit:open().open_ms)
    assert.equal("probe", circuit:look())
  end)

  it("are 2^31 - 1 ms at most, with what is added too", function()
    circuit.rules.timeout_ms = 2 ^ 53
    assert.same({ LONGEST, LONGEST }, times(1, HIGHEST))
    circuit.now = circuit.now + LONGEST - 1
    assert.equal("refuse", circuit:look())
    circuit.now = circuit.now + 1
    assert.equal("probe", circuit:look())
  end)
end)

describe("circuit's clock", function()
  local circuit

  before_each(function()
    circuit = circuits.new({ timeout_ms = 1000 })
  end)

  -- Opens at now and looks around the end.
  local function check_end_of(now)
    circuit.now = now
    circuit:open()
    circuit.now = now + 999
    assert.equal("refuse", circuit:look())
    assert.equal(now + 1000, circuit:status().until_ms)
    circuit.now = now + 1000
    assert.equal("probe", circuit:look())
    assert.equal("half-open", circuit:phase())
    circuit:reset()
  end

  it("may pass 2^32 ms during an open time, before it, or at its end", function()
    for turn = 1, 3 do
      for _, before in ipairs({ 1, 500, 999, 1000, 1001, 0 }) do
        check_end_of(turn * 2 ^ 32 - before)
      end
    end
  end)

  it("may pass 2^32 ms during the longest time", function()
    circuit.rules.timeout_ms = LONGEST
    circuit.now = 2 ^ 32 - 1000000
    local opened = circuit.now
    circuit:open()
    for _, passed in ipairs({ 0, 1, 999999, 1000000, 1000001, LONGEST - 1 }) do
      circuit.now = opened + passed
      assert.equal("refuse", circuit:look())
      assert.equal(opened + LONGEST, circuit:status().until_ms)
    end
    circuit.now = opened + LONGEST
    assert.equal("probe", circuit:look())
  end)

  it("may be behind that of the thread which opened the circuit for the longest time", function()
    circuit.rules.timeout_ms = LONGEST
    circuit:open()
    circuit.now = circuit.now - 120000
    assert.equal("refuse", circuit:look())
    assert.equal(circuit.now + 120000 + LONGEST, circuit:status().until_ms)
  end)

  it("may go on for 24 days before somebody asks again", function()
    circuit:open()
    circuit.now = circuit.now + 1000 + 24 * 86400 * 1000
    assert.equal("probe", circuit:look())
    assert.equal("half-open", circuit:tick().to)
  end)
end)
