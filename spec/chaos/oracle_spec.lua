-- Forged histories: what is allowed is let pass, and each kind of lie is seen.

local oracle = require("spec.chaos.oracle")
local timeline = require("spec.chaos.timeline")

local world

local function member(instance, backend, path)
  local m = { service = "shop", instance = instance, path = path or "/", name = instance, at = timeline.new(backend),
    drain = timeline.new("none"), maintenance = timeline.new(false), session = timeline.new("connected"),
    config = timeline.new(1), fit = timeline.new(true) }
  table.insert(world.members, m)
  return m
end

local function up(...)
  for _, name in ipairs { ... } do
    world.up[name] = timeline.new(true)
  end
end

--- A GET from 10 to 11, answered by a backend unless the fields say otherwise.
local function request(fields)
  local r = { id = "1", service = "shop", path = "/", method = "GET", idempotent = true, repeatable = true, sent = 10,
    done = 11, status = 200, complete = true, backend = "a", config = 1 }
  for key, value in pairs(fields or {}) do
    r[key] = value
  end
  if r.backend == "" then
    r.backend, r.config = nil, nil
  end
  return r
end

local function ran(backend, at)
  return { id = "1", backend = backend or "a", at = at or 10.5 }
end

--- The kinds of problems that the oracle finds, sorted.
local function kinds(r, executions)
  local list = {}
  for _, problem in ipairs(oracle.judge(world, { r }, executions)) do
    list[#list + 1] = problem.kind
  end
  table.sort(list)
  return list
end

local function refused(status, refusal, fields)
  local r = request(fields)
  r.backend, r.config, r.status, r.refusal = nil, nil, status, refusal
  return r
end

local function get_by(fields) return kinds(request(fields), { ran() }) end

before_each(function()
  world = { members = {}, up = {} }
  up("a", "b", "x")
end)

describe("an answer", function()
  it("is right from a member that is there", function()
    member("one", "a")
    assert.same({}, get_by())
  end)

  it("is wrong from one that was removed before, right while that was doubtful", function()
    local m = member("one", "a")
    m.at:set(false, 8, 9)
    assert.same({ "removed" }, get_by())
    m.at = timeline.new("a")
    m.at:set(false, 8, 10.2)
    assert.same({}, get_by())
  end)

  it("is wrong from one that comes only after it was executed", function()
    member("one", false).at:set("a", 10.6, 10.8)
    assert.same({ "removed" }, get_by())
  end)

  it("is wrong from the backend that a member has left", function()
    member("one", "a").at:set("b", 8, 9)
    assert.same({ "removed" }, get_by())
  end)

  it("is wrong from another service's backend", function()
    member("one", "a")
    member("thief", "x").service = "other"
    assert.same({ "service" }, kinds(request { backend = "x" }, { ran("x") }))
  end)

  it("is wrong from one that was fully drained, right while the drain goes on", function()
    local m = member("one", "a")
    m.drain:set("some", 8, 8.1)
    assert.same({}, get_by())
    m.drain:set("full", 9, 9.5)
    assert.same({ "drained" }, get_by())
  end)

  it("is wrong from one in maintenance", function()
    member("one", "a").maintenance:set(true, 8, 9)
    member("two", "b")
    assert.same({ "maintenance" }, get_by())
  end)

  it("is wrong when no moment allows all of it, though each condition holds at some moment", function()
    local m = member("one", "a")
    m.drain:set("full", 9, 9.5)
    m.drain:set("none", 10.3, 10.4)
    m.at:set(false, 10.1, 10.2)
    assert.same({ "drained" }, get_by())
  end)

  it("is wrong with the stamp of a configuration that was not in force", function()
    local m = member("one", "a")
    assert.same({ "config" }, get_by { config = 2 })
    m.config:set(2, 8, 9)
    assert.same({ "config" }, get_by())
    assert.same({}, get_by { config = 2 })
  end)

  it("is wrong from / while somebody is there at the path itself", function()
    member("one", "a")
    local deep = member("two", "b", "/deep")
    assert.same({ "removed" }, get_by { path = "/deep" })
    deep.at:set(false, 10.1, 10.2)
    assert.same({}, get_by { path = "/deep" })
  end)

  it("is wrong from a last resort while another was able", function()
    local one = member("one", "a")
    local two = member("two", "b")
    one.session:set("lost", 8, 9)
    assert.same({ "preference" }, get_by())
    two.drain:set("some", 10.1, 10.2)
    assert.same({}, get_by())
  end)

  it("is wrong when its backend has not executed it, or another one has", function()
    member("one", "a")
    member("two", "b")
    assert.same({ "unexecuted" }, kinds(request(), {}))
    assert.same({ "unexecuted" }, kinds(request(), { ran("b") }))
  end)

  it("is wrong with a body that is", function()
    member("one", "a")
    assert.same({ "body" }, get_by { body_wrong = "byte 3 of 10 differs" })
  end)
end)

describe("executions", function()
  it("are one for what must not be repeated", function()
    member("one", "a")
    member("two", "b")
    assert.same({ "twice" }, kinds(request { idempotent = false }, { ran("b", 10.1), ran() }))
  end)

  it("are more for others, when the ones before failed", function()
    member("one", "a")
    member("two", "b")
    assert.same({ "twice" }, kinds(request(), { ran("b", 10.1), ran() }))
    world.up.b:set(false, 10.2, 10.3)
    assert.same({}, kinds(request(), { ran("b", 10.1), ran() }))
  end)

  it("are judged each by itself, also those without an answer", function()
    member("one", "a")
    member("two", "b").maintenance:set(true, 8, 9)
    world.up.b:set(false, 10.2, 10.3)
    assert.same({ "maintenance" }, kinds(request(), { ran("b", 10.1), ran() }))
  end)

  it("of what nobody sent, or of what came too late on its connection, are wrong", function()
    member("one", "a")
    local problems = oracle.judge(world, {}, { ran() })
    assert.equal("twice", problems[1].kind)
    local late = request { skipped = true, complete = false, backend = "" }
    assert.same({ "twice" }, kinds(late, { ran() }))
  end)
end)

describe("a refusal", function()
  it("is wrong while somebody was able to take the request", function()
    member("one", "a").drain:set("full", 8, 9)
    member("two", "b")
    assert.same({ "refused" }, kinds(refused(503, "draining"), {}))
  end)

  it("is right when everybody was blocked at some moment, and for a reason that there was", function()
    member("one", "a").drain:set("full", 8, 9)
    assert.same({}, kinds(refused(503, "draining"), {}))
    assert.same({ "page" }, kinds(refused(503, "maintenance"), {}))
  end)

  it("for want of a route is wrong while there is one", function()
    local m = member("one", "a")
    m.maintenance:set(true, 10.1, 10.2)
    assert.same({ "refused" }, kinds(refused(404, "no_route"), {}))
    m.at:set(false, 10.1, 10.2)
    assert.same({}, kinds(refused(404, "no_route"), {}))
  end)

  it("for a backend that failed is wrong when none did", function()
    local m = member("one", "a")
    m.drain:set("some", 8, 9)
    assert.same({ "refused" }, kinds(refused(502, "connect_refused"), {}))
    world.up.a:set(false, 9, 9.5)
    assert.same({}, kinds(refused(502, "connect_refused"), {}))
  end)

  it("for a backend that failed is right beside an able member only for what cannot be repeated", function()
    member("one", "a")
    member("two", "b")
    world.up.b:set(false, 10.2, 10.3)
    local get = refused(502, "backend_broke")
    assert.same({ "refused" }, kinds(get, { ran("b", 10.1) }))
    local post = refused(502, "backend_broke", { idempotent = false, repeatable = false })
    assert.same({}, kinds(post, { ran("b", 10.1) }))
  end)

  it("for a circuit or for health is wrong unless the proxy may have found something", function()
    local m = member("one", "a")
    assert.same({ "refused" }, kinds(refused(503, "circuit_open"), {}))
    m.drain:set("some", 8, 9)
    assert.same({ "page" }, kinds(refused(503, "circuit_open"), {}))
    m.fit:begin(false, 9)
    for _, reason in ipairs { "circuit_open", "circuit_probing", "health_down", "health_awaited" } do
      assert.same({}, kinds(refused(503, reason), {}))
    end
    m.fit:set(true, 9.5, 9.6)
    assert.same({ "page" }, kinds(refused(503, "circuit_open"), {}))
  end)

  it("of an unknown kind is wrong", function()
    member("one", "a").drain:set("some", 8, 9)
    assert.same({ "refused" }, kinds(refused(400, "unknown"), {}))
  end)
end)

describe("the page of maintenance", function()
  it("is right when all are in it, and wrong while one is not", function()
    member("one", "a").maintenance:set(true, 8, 9)
    assert.same({}, kinds(refused(503, "maintenance"), {}))
    local two = member("two", "b")
    two.drain:set("some", 8, 9)
    assert.same({}, kinds(refused(503, "maintenance"), {}))
    two.drain = timeline.new("none")
    assert.same({ "refused" }, kinds(refused(503, "maintenance"), {}))
  end)

  it("is due when all are in it", function()
    member("one", "a").maintenance:set(true, 8, 9)
    world.up.a:set(false, 8, 9)
    assert.same({ "page" }, kinds(refused(502, "connect_refused"), {}))
  end)
end)

describe("an answer that does not come whole", function()
  it("is wrong unless a backend ended", function()
    member("one", "a")
    local cut = { complete = false, failure = "closed" }
    assert.same({ "lost" }, get_by(cut))
    world.up.a:set(false, 10.6, 10.7)
    assert.same({}, get_by(cut))
  end)

  it("is wrong without a head when it could be repeated elsewhere", function()
    member("one", "a")
    member("two", "b")
    world.up.b:set(false, 10.2, 10.3)
    local r = refused(nil, nil, { complete = false, failure = "reset" })
    r.status = nil
    assert.same({ "lost" }, kinds(r, { ran("b", 10.1) }))
  end)
end)

describe("a tunnel", function()
  local function tunnel(how) return get_by { status = 101, tunnel = { how = how } } end

  it("that its client ended is right, one that ends by itself is wrong", function()
    member("one", "a")
    assert.same({}, tunnel("done"))
    assert.same({ "tunnel" }, tunnel("told"))
    assert.same({ "tunnel" }, tunnel("cut"))
  end)

  it("is told to end by a drain, by maintenance and by removal", function()
    local m = member("one", "a")
    m.drain:set("some", 10.6, 10.7)
    assert.same({}, tunnel("told"))
    assert.same({ "tunnel" }, tunnel("cut"))
    m.drain = timeline.new("none")
    m.at:set(false, 10.6, 10.7)
    assert.same({}, tunnel("told"))
  end)

  it("is cut by the end of its backend", function()
    member("one", "a")
    world.up.a:set(false, 10.6, 10.7)
    assert.same({}, tunnel("cut"))
  end)
end)

describe("what is counted", function()
  it("has to be what was sent, name by name", function()
    assert.same({}, oracle.counted({ requests = 3, bytes = 0 }, { requests = 3 }))
    assert.equal(1, #oracle.counted({ requests = 3 }, { requests = 4 }))
    assert.equal(1, #oracle.counted({ ["status 200"] = 3 }, {}))
    assert.equal(1, #oracle.counted({}, { ["status 500"] = 1 }))
  end)
end)
