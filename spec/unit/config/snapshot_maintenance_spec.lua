local snapshots = require("spec.unit.config.snapshots")
local control_thread = require("spec.unit.config.control_thread")
local unit = require("spec.support.unit")
local lib = snapshots.lib

describe("a snapshot's maintenance", function()
  local settings, page_state, page, draft, snapshot

  before_each(function()
    control_thread.enter()
    settings = lib.settings_new()
    settings.connect_timeout_ms, settings.response_timeout_ms = 5000, 60000
    settings.retries = 3
    page_state = snapshots.state("page")
    page = snapshots.page("closed")
    draft = snapshots.open(settings)
  end)

  after_each(function()
    draft:close()
    lib.page_unref(page)
    lib.route_state_unref(page_state)
    lib.settings_unref(settings)
    control_thread.leave()
  end)

  local function add(host, maintenance)
    return draft:put({ domains = { host }, maintenance = maintenance,
      options = { retries = "2", preserve_host = "true", timeout = "1s" } })
  end

  local function member(host)
    return assert(snapshots.match(snapshot, host, "/")).members[0]
  end

  it("is nothing for a route in service", function()
    add("a.test")
    snapshot = draft:commit()
    assert.is_true(member("a.test").maintenance == nil)
    assert.is_true(member("a.test").page_server == nil)
  end)

  it("is a page, referenced as long as some snapshot has it", function()
    local a, b = add("a.test", { page = page }), add("b.test", { page = page })
    snapshot = draft:commit()
    assert.equal(page, member("a.test").maintenance)
    assert.is_true(member("a.test").page_server == nil)
    assert.equal(3, page.refs)
    draft:drop(a)
    draft:drop(b)
    draft:commit()
    assert.equal(3, page.refs)
    draft:free(snapshot)
    assert.equal(1, page.refs)
  end)

  it("comes from a page server that has nothing of the route's own", function()
    add("a.test", { page = page, url = "http://pages.test:81/base/", state = page_state })
    snapshot = draft:commit()
    local server = member("a.test").page_server
    assert.equal(page_state, server.state)
    assert.equal("pages.test:81", unit.text(server.host))
    assert.equal("/base", unit.text(server.base_path))
    assert.equal(5000, tonumber(server.connect_timeout_ms))
    assert.equal(5000, tonumber(server.response_timeout_ms))
    assert.same({ 0, 0, 0 }, { server.retries, server.header_count, server.address_count })
    assert.is_false(server.preserve_host)
    assert.is_true(server.maintenance == nil and server.page_server == nil)
    assert.equal(2, member("a.test").retries)
  end)

  it("lets the page server of a route go with it", function()
    local a = add("a.test", { page = page, url = "http://pages.test", state = page_state })
    add("b.test")
    snapshot = draft:commit()
    assert.equal(2, page_state.refs)
    assert.is_true(member("b.test").page_server == nil)
    draft:drop(a)
    draft:free(snapshot)
    assert.equal(1, page_state.refs)
  end)

  it("keeps the page servers of two sessions apart", function()
    local other = snapshots.state("page")
    add("a.test", { page = page, url = "http://one.test", state = page_state })
    add("b.test", { page = page, url = "http://two.test", state = other })
    snapshot = draft:commit()
    assert.equal("one.test", unit.text(member("a.test").page_server.host))
    assert.equal("two.test", unit.text(member("b.test").page_server.host))
    draft:close()
    lib.route_state_unref(other)
    draft = snapshots.open(settings)
  end)
end)
