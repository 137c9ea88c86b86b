local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = snapshots.lib

local LINE = 64

-- The counters of a worker's part, and those of the rest of it.
local COUNTED_BESIDE = [[requests bytes_sent bytes_received successes errors connects connect_errors retries
  turned_by_drain turned_by_ratelimit turned_by_circuit in_flight]]
local COUNTED_APART = [[turned_by_maintenance turned_by_health turned_by_requests turned_by_tunnels
  shadowed_by_ratelimit panicked policy_failures policy_skipped compressed compressed_in compressed_out compress_skipped
  probes tunnels tunnels_open]]

describe("route state", function()
  local state

  before_each(function()
    control_thread.enter()
    state = lib.route_state_new("session", "r12", "shop", "shop-1", 2)
  end)

  after_each(function()
    lib.route_state_unref(state)
    control_thread.leave()
  end)

  local function totals()
    local out = ffi.new("struct route_totals")
    lib.route_state_sum(state, out)
    return out
  end

  it("says whose it is", function()
    assert.equal("r12", ffi.string(state.route_id))
    assert.equal("shop", ffi.string(state.service))
    assert.equal("shop-1", ffi.string(state.instance))
  end)

  it("cuts names that are too long", function()
    local long = lib.route_state_new("session", "r1", ("s"):rep(200), ("i"):rep(200), 1)
    assert.equal(("s"):rep(63), ffi.string(long.service))
    assert.equal(("i"):rep(63), ffi.string(long.instance))
    lib.route_state_unref(long)
  end)

  it("has an identity that depends on session and route alone", function()
    local function identity(session, route)
      local other = lib.route_state_new(session, route, "other", "other", 1)
      local value = other.identity
      lib.route_state_unref(other)
      return value
    end
    assert.equal(state.identity, identity("session", "r12"))
    assert.are_not.equal(state.identity, identity("session", "r1"))
    assert.are_not.equal(state.identity, identity("session2", "r12"))
  end)

  it("sums to nothing before any request", function()
    local sum = totals()
    assert.equal(0, tonumber(sum.requests))
    assert.equal(0, tonumber(sum.latency.count))
  end)

  it("keeps a worker's part and sums all of them", function()
    local first, second = lib.route_state_local(state, 0), lib.route_state_local(state, 1)
    assert.are_not.equal(first, second)
    assert.equal(first, lib.route_state_local(state, 0))
    first.requests, second.requests = 3, 4
    first.in_flight = 1
    first.oks = 2
    first.rest.statuses[201 - lib.STATUS_MIN], second.rest.statuses[201 - lib.STATUS_MIN] = 2, 4
    second.rest.statuses[599 - lib.STATUS_MIN] = 1
    lib.histogram_add(first.rest.latency, 100)
    lib.histogram_add(second.rest.latency, 300)
    first.latency_us, second.latency_us = 100, 300
    local sum = totals()
    assert.equal(7, tonumber(sum.requests))
    assert.equal(1, tonumber(sum.in_flight))
    assert.equal(2, tonumber(sum.statuses[100]))
    assert.equal(6, tonumber(sum.statuses[101]))
    assert.equal(1, tonumber(sum.statuses[499]))
    assert.equal(2, tonumber(sum.latency.count))
    assert.equal(400, tonumber(sum.latency.sum_us))
  end)

  it("sums single counters, also before any worker has its part", function()
    assert.equal(0, tonumber(lib.route_state_in_flight(state)))
    assert.equal(0, tonumber(lib.route_state_turned_by_drain(state)))
    lib.route_state_local(state, 1).in_flight = 2
    lib.route_state_local(state, 0).turned_by_drain = 3
    lib.route_state_local(state, 1).turned_by_drain = 4
    assert.equal(2, tonumber(lib.route_state_in_flight(state)))
    assert.equal(7, tonumber(lib.route_state_turned_by_drain(state)))
  end)

  it("has as many places for tunnels as it is asked for, and any number for 0", function()
    assert.is_true(lib.route_state_take_tunnel(state, 2))
    assert.is_true(lib.route_state_take_tunnel(state, 2))
    assert.is_false(lib.route_state_take_tunnel(state, 2))
    assert.is_true(lib.route_state_take_tunnel(state, 0))
    lib.route_state_give_tunnel(state)
    assert.is_false(lib.route_state_take_tunnel(state, 2))
    lib.route_state_give_tunnel(state)
    assert.is_true(lib.route_state_take_tunnel(state, 2))
  end)

  it("sums every counter of both workers, wherever it is kept", function()
    local first, second = lib.route_state_local(state, 0), lib.route_state_local(state, 1)
    local wanted, n = {}, 0
    local function count(one, other, names)
      for name in names:gmatch("%S+") do
        n = n + 1
        one[name], other[name] = n, 1000
        wanted[name] = 1000 + n
      end
    end
    count(first, second, COUNTED_BESIDE)
    count(first.rest, second.rest, COUNTED_APART)
    local sum, got = totals(), {}
    for name in pairs(wanted) do
      got[name] = tonumber(sum[name])
    end
    assert.same(wanted, got)
  end)

  it("has a worker's part from the start, and the rest of it from its first request on", function()
    assert.is_true(state["local"][1].rest == nil)
    local second = lib.route_state_local(state, 1)
    assert.is_true(second == state["local"] + 1)
    assert.is_true(second.rest ~= nil)
    assert.is_true(state["local"][0].rest == nil)
    second.requests, second.rest.probes = 3, 2
    assert.same({ 3, 2 }, { tonumber(totals().requests), tonumber(totals().probes) })
  end)

  local function line(pointer)
    return tonumber(ffi.cast("uintptr_t", pointer)) / LINE
  end

  it("keeps what all read at every request, and what each worker counts then, in a cache line each", function()
    local circuit_end = ffi.offsetof("struct route_state", "circuit") + ffi.sizeof("struct circuit")
    local posture = ffi.offsetof("struct route_state", "posture")
    assert.equal(0, posture % LINE)
    assert.is_true(circuit_end - posture <= LINE)
    assert.equal(math.floor(line(state["local"])), line(state["local"]))
    assert.is_true(ffi.offsetof("struct route_local", "rest") + 8 <= LINE)
  end)

  it("keeps workers two cache lines apart, from each other and from what all read", function()
    local first, second = lib.route_state_local(state, 0), lib.route_state_local(state, 1)
    assert.equal(0, line(first) % 2)
    assert.equal(0, line(second) % 2)
    assert.equal(2, line(second) - line(first))
    assert.is_true(line(first) - line(state) >= ffi.offsetof("struct route_state", "posture") / LINE + 2)
    assert.equal(0, line(first.rest) % 1)
  end)
end)
