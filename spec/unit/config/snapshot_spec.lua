local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local lib = snapshots.lib

describe("snapshot", function()
  local settings, state, draft, snapshot

  before_each(function()
    control_thread.enter()
    settings = lib.settings_new()
    settings.connect_timeout_ms = 5000
    settings.response_timeout_ms = 60000
    settings.max_body_size = 1000
    settings.retries = 1
    state = snapshots.state()
    draft = snapshots.open(settings)
  end)

  after_each(function()
    draft:close()
    lib.route_state_unref(state)
    lib.settings_unref(settings)
    control_thread.leave()
  end)

  local function add(route)
    return draft:put(route)
  end

  local function group(host, path)
    return assert(snapshots.match(snapshot, host, path or "/"))
  end

  local function member(host, path)
    return group(host, path).members[0]
  end

  it("without routes matches nothing", function()
    snapshot = draft:commit()
    assert.equal(0, snapshot.group_indices)
    assert.is_nil(snapshots.match(snapshot, "a.test", "/"))
  end)

  it("references what it carries and lets it go", function()
    add({ domains = { "a.test", "b.test" }, state = state })
    snapshot = draft:commit()
    assert.equal(3, state.refs) -- the atlas, and the member
    assert.equal(2, settings.refs)
    draft:drop(state)
    assert.equal(2, state.refs)
    draft:free(snapshot)
    assert.equal(1, state.refs)
    assert.equal(1, settings.refs)
  end)

  it("has what it had when routes have gone and come since", function()
    add({ domains = { "a.test" }, state = state, url = "http://old" })
    local old = draft:commit()
    add({ domains = { "a.test" }, state = state, url = "http://new" })
    add({ domains = { "b.test" } })
    snapshot = draft:commit()
    assert.equal("new", unit.text(member("a.test").host))
    assert.equal("old", unit.text(snapshots.match(old, "a.test", "/").members[0].host))
    assert.is_nil(snapshots.match(old, "b.test", "/"))
  end)

  it("shares with the one before what did not change", function()
    add({ domains = { "a.test" } })
    local old = draft:commit()
    add({ domains = { "b.test" } })
    snapshot = draft:commit()
    assert.equal(snapshots.match(old, "a.test", "/"), group("a.test"))
  end)

  it("finds the member of a state", function()
    add({ domains = { "a.test" }, state = state })
    local old = draft:commit()
    draft:drop(state)
    snapshot = draft:commit()
    assert.equal(state, lib.snapshot_member(old, state).state)
    assert.is_true(lib.snapshot_member(snapshot, state) == nil)
  end)

  it("groups routes by host, path and priority, in their order", function()
    local first = add({ domains = { "a.test" }, order = 10 })
    local third = add({ domains = { "a.test" }, order = 30 })
    local second = add({ domains = { "a.test" }, order = 20 })
    add({ domains = { "a.test" }, path = "/x" })
    add({ domains = { "b.test" } })
    snapshot = draft:commit()
    assert.equal(3, snapshot.group_indices)
    local all = group("a.test")
    assert.equal(3, all.member_count)
    for i, state_then in ipairs({ first, second, third }) do
      assert.equal(state_then, all.members[i - 1].state)
    end
    assert.equal(1, group("a.test", "/x").member_count)
    assert.equal(1, group("b.test").member_count)
  end)

  it("has a group's only member at hand, and none once there are several", function()
    local first = add({ domains = { "a.test" }, order = 10 })
    snapshot = draft:commit()
    local alone = group("a.test")
    assert.equal(member("a.test"), alone.only)
    assert.equal(first, alone.state)
    add({ domains = { "a.test" }, order = 20 })
    snapshot = draft:commit()
    local both = group("a.test")
    assert.is_true(both.only == nil and both.state == nil)
    assert.equal(first, both.members[0].state)
  end)

  it("of two priorities at one place uses the higher one alone", function()
    local high = add({ domains = { "a.test" }, priority = 5, url = "http://high" })
    add({ domains = { "a.test" }, priority = -5, url = "http://low" })
    snapshot = draft:commit()
    assert.equal(1, group("a.test").member_count)
    assert.equal("high", unit.text(member("a.test").host))
    draft:drop(high)
    snapshot = draft:commit()
    assert.equal("low", unit.text(member("a.test").host))
  end)

  it("has one member for all domains of a route", function()
    add({ domains = { "a.test", "*.b.test", "*" } })
    snapshot = draft:commit()
    assert.equal(3, snapshot.group_indices)
    assert.equal(member("a.test"), member("x.b.test"))
    assert.equal(member("a.test"), member("elsewhere"))
  end)

  it("numbers its groups from 0 without gaps, and gives the numbers of those that go to others", function()
    local gone = add({ domains = { "x.test" } })
    snapshot = draft:commit()
    draft:drop(gone)
    snapshot = draft:commit()
    add({ domains = { "a.test", "b.test" } })
    add({ domains = { "c.test", "a.test" } })
    snapshot = draft:commit()
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
    snapshot = draft:commit()
    assert.equal(lib.LB_IP_HASH, group("a.test").lb_policy)
    assert.equal(lib.LB_ROUND_ROBIN, group("b.test").lb_policy)
  end)

  it("gives a member the settings where the route has no option", function()
    add({ domains = { "a.test" } })
    snapshot = draft:commit()
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
    snapshot = draft:commit()
    local m = member("a.test")
    assert.equal(1000, tonumber(m.connect_timeout_ms))
    assert.equal(2000, tonumber(m.response_timeout_ms))
    assert.equal(0, tonumber(m.max_body_size))
    assert.equal(3, m.retries)
    assert.is_false(m.preserve_host)
  end)

  it("takes a timeout of 0 for none given", function()
    add({ domains = { "a.test" }, options = { timeout = "0", connect_timeout = "0s" } })
    snapshot = draft:commit()
    assert.equal(5000, tonumber(member("a.test").connect_timeout_ms))
    assert.equal(60000, tonumber(member("a.test").response_timeout_ms))
  end)

  it("keeps the URL's authority and base path", function()
    add({ domains = { "a.test" }, url = "http://[::1]:81/base/" })
    snapshot = draft:commit()
    assert.equal("[::1]:81", unit.text(member("a.test").host))
    assert.equal("/base", unit.text(member("a.test").base_path))
  end)
end)
