local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local lib = snapshots.lib

describe("snapshot", function()
  local settings, state, snapshot

  before_each(function()
    control_thread.enter()
    settings = lib.settings_new()
    settings.connect_timeout_ms = 5000
    settings.response_timeout_ms = 60000
    settings.max_body_size = 1000
    settings.retries = 1
    state = snapshots.state()
    snapshot = lib.snapshot_new(7, settings, nil)
  end)

  after_each(function()
    lib.snapshot_free(snapshot)
    lib.route_state_unref(state)
    lib.settings_unref(settings)
    control_thread.leave()
  end)

  local function add(route)
    route.state = route.state or state
    snapshots.add(snapshot, route)
  end

  local function group(host, path)
    return assert(snapshots.match(snapshot, host, path or "/"))
  end

  local function member(host, path)
    return group(host, path).members[0]
  end

  it("without routes matches nothing", function()
    lib.snapshot_seal(snapshot)
    assert.equal(0, snapshot.group_count)
    assert.is_nil(snapshots.match(snapshot, "a.test", "/"))
  end)

  it("references what it carries and lets it go", function()
    add({ domains = { "a.test", "b.test" } })
    lib.snapshot_seal(snapshot)
    assert.equal(2, state.refs)
    assert.equal(2, settings.refs)
    lib.snapshot_free(snapshot)
    assert.equal(1, state.refs)
    assert.equal(1, settings.refs)
    snapshot = lib.snapshot_new(8, settings, nil)
  end)

  it("that was never sealed lets go too", function()
    add({ domains = { "a.test" } })
    lib.snapshot_free(snapshot)
    assert.equal(1, state.refs)
    snapshot = lib.snapshot_new(8, settings, nil)
  end)

  it("groups routes by host, path and priority, in the order they came", function()
    local other = snapshots.state("r2")
    add({ domains = { "a.test" }, state = other })
    add({ domains = { "a.test" } })
    add({ domains = { "a.test" }, path = "/x" })
    add({ domains = { "b.test" } })
    lib.snapshot_seal(snapshot)
    assert.equal(3, snapshot.group_count)
    local both = group("a.test")
    assert.equal(2, both.member_count)
    assert.equal(other, both.members[0].state)
    assert.equal(state, both.members[1].state)
    assert.equal(1, group("a.test", "/x").member_count)
    assert.equal(1, group("b.test").member_count)
    lib.snapshot_free(snapshot)
    lib.route_state_unref(other)
    snapshot = lib.snapshot_new(8, settings, nil)
  end)

  it("of two priorities at one place uses the higher one alone", function()
    add({ domains = { "a.test" }, priority = 5, url = "http://high" })
    add({ domains = { "a.test" }, priority = -5, url = "http://low" })
    lib.snapshot_seal(snapshot)
    assert.equal(2, snapshot.group_count)
    assert.equal(1, group("a.test").member_count)
    assert.equal("high", unit.text(member("a.test").host))
  end)

  it("has one member for all domains of a route", function()
    add({ domains = { "a.test", "*.b.test", "*" } })
    lib.snapshot_seal(snapshot)
    assert.equal(3, snapshot.group_count)
    assert.equal(member("a.test"), member("x.b.test"))
    assert.equal(member("a.test"), member("elsewhere"))
  end)

  it("numbers its groups from 0 without gaps", function()
    add({ domains = { "a.test", "b.test" } })
    add({ domains = { "c.test", "a.test" } })
    lib.snapshot_seal(snapshot)
    local seen = {}
    for _, host in ipairs({ "a.test", "b.test", "c.test" }) do
      seen[group(host).index] = true
    end
    assert.same({ [0] = true, true, true }, seen)
  end)

  it("takes the balancing of the first member that names one", function()
    add({ domains = { "a.test" } })
    add({ domains = { "a.test" }, options = { lb_policy = "ip_hash" } })
    add({ domains = { "a.test" }, options = { lb_policy = "least_request" } })
    add({ domains = { "b.test" } })
    lib.snapshot_seal(snapshot)
    assert.equal(lib.LB_IP_HASH, group("a.test").lb_policy)
    assert.equal(lib.LB_ROUND_ROBIN, group("b.test").lb_policy)
  end)

  it("gives a member the settings where the route has no option", function()
    add({ domains = { "a.test" } })
    lib.snapshot_seal(snapshot)
    local m = member("a.test")
    assert.equal(5000, tonumber(m.connect_timeout_ms))
    assert.equal(60000, tonumber(m.response_timeout_ms))
    assert.equal(1000, tonumber(m.max_body_size))
    assert.equal(1, m.retries)
    assert.is_true(m.preserve_host)
  end)

  it("gives a member its route's options", function()
    add({
      domains = { "a.test" },
      options = {
        connect_timeout = "1s", timeout = "2s", max_body_size = "0", retries = "3",
        preserve_host = "false",
      },
    })
    lib.snapshot_seal(snapshot)
    local m = member("a.test")
    assert.equal(1000, tonumber(m.connect_timeout_ms))
    assert.equal(2000, tonumber(m.response_timeout_ms))
    assert.equal(0, tonumber(m.max_body_size))
    assert.equal(3, m.retries)
    assert.is_false(m.preserve_host)
  end)

  it("takes a timeout of 0 for none given", function()
    add({ domains = { "a.test" }, options = { timeout = "0", connect_timeout = "0s" } })
    lib.snapshot_seal(snapshot)
    assert.equal(5000, tonumber(member("a.test").connect_timeout_ms))
    assert.equal(60000, tonumber(member("a.test").response_timeout_ms))
  end)

  it("keeps the URL's authority and base path", function()
    add({ domains = { "a.test" }, url = "http://[::1]:81/base/" })
    lib.snapshot_seal(snapshot)
    assert.equal("[::1]:81", unit.text(member("a.test").host))
    assert.equal("/base", unit.text(member("a.test").base_path))
  end)
end)
