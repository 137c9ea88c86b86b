local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = snapshots.lib

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
    first.statuses[200 - lib.STATUS_MIN], second.statuses[200 - lib.STATUS_MIN] = 2, 4
    second.statuses[599 - lib.STATUS_MIN] = 1
    lib.histogram_add(first.latency, 100)
    lib.histogram_add(second.latency, 300)
    local sum = totals()
    assert.equal(7, tonumber(sum.requests))
    assert.equal(1, tonumber(sum.in_flight))
    assert.equal(6, tonumber(sum.statuses[100]))
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

  it("shares no cache line between workers", function()
    local first, second = lib.route_state_local(state, 0), lib.route_state_local(state, 1)
    assert.equal(0, tonumber(ffi.cast("uintptr_t", first) % 64))
    assert.equal(0, tonumber(ffi.cast("uintptr_t", second) % 64))
  end)
end)
