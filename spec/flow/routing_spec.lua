local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

--- One origin that answers with the base path it was reached by, and routes { base, host, path, priority } to it.
local function routes(list)
  local o = origin.start(function(request)
    return { body = request.target:match("^/([^/]*)") }
  end)
  local p = proxy.start { workers = 1 }
  local session = p:registry()
  session:register("spec", "one")
  for _, r in ipairs(list) do
    session:ok("ROUTE_ADD", r[2], r[3], o.url .. "/" .. r[1], r[4] or 0)
  end
  session:ok("CONFIG_APPLY")
  return function(host, path)
    local r = p:get(path, { host = host })
    return r.status == 200 and r.body or r.status
  end
end

describe("a request is matched by", function()
  it("host: the exact name, then one level of wildcard, then any", function()
    local ask = routes {
      { "exact", "a.example", "/" }, { "wild", "*.example", "/" }, { "any", "*", "/" }, { "deep", "*.b.example", "/" },
    }

    assert.equal("exact", ask("a.example", "/"))
    assert.equal("exact", ask("A.Example:8080", "/"))
    assert.equal("exact", ask("a.example.", "/"))
    assert.equal("wild", ask("c.example", "/"))
    assert.equal("deep", ask("x.b.example", "/"))
    assert.equal("any", ask("y.x.b.example", "/"))
    assert.equal("any", ask("example", "/"))
  end)

  it("path: the longest prefix on a segment boundary", function()
    local ask = routes { { "root", "a", "/" }, { "api", "a", "/api" }, { "users", "a", "/api/users" } }

    assert.equal("root", ask("a", "/"))
    assert.equal("root", ask("a", "/apix"))
    assert.equal("api", ask("a", "/api"))
    assert.equal("api", ask("a", "/api/"))
    assert.equal("api", ask("a", "/api?x=/users"))
    assert.equal("api", ask("a", "/api/usersx"))
    assert.equal("users", ask("a", "/api/users/1"))
  end)

  it("priority before path", function()
    local ask = routes { { "low", "a", "/api" }, { "high", "a", "/", 10 } }

    assert.equal("high", ask("a", "/api"))
  end)

  it("a less exact host when the exact one has no such path", function()
    local ask = routes { { "exact", "a.example", "/only" }, { "any", "*", "/" } }

    assert.equal("any", ask("a.example", "/other"))
    assert.equal("exact", ask("a.example", "/only"))
  end)
end)

describe("the members of a group", function()
  local function group(policy, count, workers)
    local p = proxy.start { workers = workers or 1 }
    local session = p:registry()
    session:register("spec", "one")
    local origins = {}
    for i = 1, count do
      origins[i] = origin.start { body = tostring(i) }
      local id = session:ok("ROUTE_ADD", "*", "/", origins[i].url, 0)
      session:ok("OPTIONS_SET", id, "lb_policy", policy)
    end
    session:ok("CONFIG_APPLY")
    return p, origins, session
  end

  it("take turns by default", function()
    local p, origins = group("round_robin", 3)
    for _ = 1, 30 do
      p:get("/")
    end

    for i = 1, 3 do
      assert.equal(10, origins[i]:count())
    end
  end)

  it("get fewer requests while they are busy under least_request", function()
    local p, origins = group("least_request", 2)
    origins[1]:respond { delay = 0.5 }
    local gets = {}
    for i = 1, 4 do
      gets[i] = function()
        for _ = 1, 10 do
          p:get("/")
        end
      end
    end
    loop.all(gets)

    assert.is_true(origins[2]:count() > origins[1]:count() * 2,
      ("%d against %d"):format(origins[1]:count(), origins[2]:count()))
  end)

  it("keep their clients under ip_hash, and few move when a member comes", function()
    local p, _, session = group("ip_hash", 3, 2)
    local function places()
      local seen = {}
      for i = 1, 60 do
        local url = p.url
        seen[i] = http.get(url, { source = "127.0.1." .. i }).body
      end
      return seen
    end
    local before = places()
    assert.same(before, places())
    local id = session:ok("ROUTE_ADD", "*", "/", origin.start({ body = "4" }).url, 0)
    session:ok("OPTIONS_SET", id, "lb_policy", "ip_hash")
    session:ok("CONFIG_APPLY")

    local moved, astray = 0, 0
    for i, body in ipairs(places()) do
      if body ~= before[i] then
        moved = moved + 1
        astray = astray + (body ~= "4" and 1 or 0)
      end
    end
    assert.equal(0, astray)
    assert.is_true(moved > 0 and moved < 40, "moved " .. moved)
  end)

  it("of a disconnected session are a last resort", function()
    local a, b = origin.start { body = "a" }, origin.start { body = "b" }
    local p = proxy.start { workers = 1 }
    local first, second = p:registry(), p:registry()
    first:register("spec", "a")
    first:route { to = a.url }
    second:register("spec", "b")
    second:route { to = b.url }
    first:close()
    loop.eventually(function()
      return p:log():find("disconnected")
    end)
    for _ = 1, 6 do
      assert.equal("b", p:get("/").body)
    end
    b:stop()

    assert.equal("a", p:get("/").body)
  end)
end)
