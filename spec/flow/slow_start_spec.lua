local group = require("spec.support.group")
local origin = require("spec.support.origin")

--- Adds a member to a group, in a session of its own, with a slow start.
local function join(g, url, slow_start)
  local session = g.proxy:registry()
  session:register("spec", "late")
  session:route { to = url, options = { slow_start = slow_start } }
  return session
end

local function get_many(g, count)
  for _ = 1, count do
    assert.equal(200, g:get("/").status)
  end
end

describe("slow start", function()
  it("gives a new member a tenth of its share at first", function()
    local old, new = origin.start(), origin.start()
    local g = group.start({ old.url })
    g.session = join(g, new.url, "1h")
    get_many(g, 400)
    -- Half of the requests come to the new member first.
    assert.is_true(math.abs(new:count() - 20) <= 2, tostring(new:count()))
    local effective = g:status("r1").effective
    assert.equal("shared", effective.use)
    assert.equal(10, math.floor(effective.share_percent + 0.5))
  end)

  it("ends with a member as good as any", function()
    local old, new = origin.start(), origin.start()
    local g = group.start({ old.url })
    g.session = join(g, new.url, "50ms")
    g.proxy.eventually(function()
      return g:status("r1").effective.use == "full"
    end)
    get_many(g, 20)
    assert.equal(10, new:count())
  end)

  it("grows in between", function()
    local old, new = origin.start(), origin.start()
    local g = group.start({ old.url })
    g.session = join(g, new.url, "400ms")
    local last = 0
    g.proxy.eventually(function()
      local share = g:status("r1").effective.share_percent
      assert(share >= last, "the share has shrunk")
      last = share
      return share > 50
    end)
  end)

  it("is not for the first member of a group", function()
    local g = group.start({ origin.start().url }, { options = { slow_start = "1h" } })
    assert.equal("full", g:status("r1").effective.use)
    local late = join(g, origin.start().url, "1h")
    assert.equal("full", g:status("r1").effective.use)
    g.session = late
    assert.equal("shared", g:status("r1").effective.use)
  end)

  it("leaves everything to a slow member when there is no other", function()
    local old, new = origin.start(), origin.start()
    local g = group.start({ old.url })
    join(g, new.url, "1h")
    g.session:ok("CLIENT_SHUTDOWN")
    get_many(g, 10)
    assert.equal(10, new:count())
  end)

  it("does not begin anew with an apply that changes something else", function()
    local old, new = origin.start(), origin.start()
    local g = group.start({ old.url })
    g.session = join(g, new.url, "50ms")
    g.proxy.eventually(function()
      return g:status("r1").effective.use == "full"
    end)
    g.session:ok("HEADERS_SET", "r1", "X-A", "b")
    g.session:ok("CONFIG_APPLY")
    assert.equal("full", g:status("r1").effective.use)
  end)
end)
