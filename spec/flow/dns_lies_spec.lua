local dns = require("spec.support.dns")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

--- A proxy with a route for each name: its host is the name.
local function started(d, names, port)
  local p = proxy.start { config = { resolver = { servers = { d.address } }, timeouts = { resolve = "1s" } } }
  local s = p:registry()
  s:register("spec", "one")
  for _, name in ipairs(names) do
    s:ok("ROUTE_ADD", name, "/", ("http://%s:%d"):format(name, port), 0)
  end
  s:ok("CONFIG_APPLY")
  return p
end

local function body(p, name)
  return p:get("/", { host = name }).body
end

local function addresses(from, count)
  local list = { ttl = 1 }
  for i = from, from + count - 1 do
    list[#list + 1] = ("127.1.%d.%d"):format(math.floor(i / 250), i % 250 + 1)
  end
  return list
end

-- What a name server says of a name, and what the log says then.
local LIES = {
  silence = "timed out",
  empty = "name has no address",
  failure = "name server",
  truncated = "name has no address",
  wrong_id = "timed out",
  other_question = "timed out",
  other_owner = "name has no address",
  garbage = "Misformatted",
  cut = "timed out",
  short_address = "name has no address",
  pointer_loop = "Misformatted",
  cname_loop = "name has no address",
  no_such_name = "no such name",
}

local function lie(d, name, kind)
  d.names[name] = kind ~= "no_such_name" and { lie = kind } or nil
end

describe("a name server that lies", function()
  it("is told of and changes no address, be there one or none, and is believed once it says one", function()
    local names = {}
    local d = dns.start {}
    for kind in pairs(LIES) do
      names[#names + 1], names[#names + 2] = kind .. ".live.test", kind .. ".new.test"
      d.names[kind .. ".live.test"] = { ttl = 1, "127.0.0.1" }
      lie(d, kind .. ".new.test", kind)
    end
    local old = origin.start { body = "old" }
    origin.start({ body = "new" }, { host = "127.0.0.2", port = old.port })
    local p = started(d, names, old.port)
    for kind in pairs(LIES) do
      assert.equal("old", body(p, kind .. ".live.test"))
      assert.equal(502, p:get("/", { host = kind .. ".new.test" }).status)
      lie(d, kind .. ".live.test", kind)
    end

    for kind, expected in pairs(LIES) do
      local reason = p:wait_log(('name=%s%%.live%%.test reason="([^"]*)" kept=1'):format(kind))
      assert.truthy(reason:find(expected, 1, true), kind .. ": " .. reason)
      assert.equal("old", body(p, kind .. ".live.test"), kind)
      assert.truthy(p:log():find(('name=%s%%.new%%.test reason="[^"]*" kept=0'):format(kind)), kind)
      assert.equal(502, p:get("/", { host = kind .. ".new.test" }).status)
    end
    for _, name in ipairs(names) do
      d.names[name] = { ttl = 60, "127.0.0.2" }
    end
    for _, name in ipairs(names) do
      loop.eventually(function() return body(p, name) == "new" end)
    end
  end)
end)

describe("the addresses of a name", function()
  it("are asked for once a second with a TTL of 0 or an impossible one, and not before its time with a huge one",
    function()
      local o = origin.start { body = "x" }
      local names = { "zero.test", "huge.test", "impossible.test" }
      local d = dns.start { ["zero.test"] = { ttl = 0, "127.0.0.1" }, ["huge.test"] = { ttl = 2 ^ 31 - 1, "127.0.0.1" },
        ["impossible.test"] = { ttl = 2 ^ 32 - 1, "127.0.0.1" } }
      local before = loop.now()
      local p = started(d, names, o.port)
      loop.eventually(function() return d.queries["zero.test"] >= 2 and d.queries["impossible.test"] >= 2 end)

      assert.is_true(loop.now() - before >= 0.95)
      assert.is_true(d.queries["zero.test"] <= (loop.now() - before) / 0.95 + 1)
      assert.equal(1, d.queries["huge.test"])
      for _, name in ipairs(names) do
        assert.equal("x", body(p, name))
      end
    end)

  it("may be a thousand, over TCP: the same 64 are used in whatever order they come", function()
    local d = dns.start { ["many.test"] = addresses(0, 1000) }
    local o = origin.start({ body = "low" }, { host = "127.1.0.1" })
    local p = started(d, { "many.test" }, o.port)
    p:wait_log('msg="backend name resolved" name=many.test (addresses=64)')
    local turned = { ttl = 1 }
    for i = 1000, 1, -1 do
      turned[#turned + 1] = d.names["many.test"][i]
    end
    d.names["many.test"] = turned
    local asked = d.queries["many.test"]
    loop.eventually(function() return d.queries["many.test"] >= asked + 2 end)

    assert.equal(1, select(2, p:log():gsub("backend name resolved", "")))
    loop.eventually(function() return body(p, "many.test") == "low" end)
  end)

  it("change under load, and their server goes away, without a request being lost", function()
    local a = origin.process { name = "a" }
    local b = origin.start({ body = "b" }, { host = "127.0.0.2", port = a.port })
    local d = dns.start { ["svc.test"] = { ttl = 1, "127.0.0.1" } }
    local p = started(d, { "svc.test" }, a.port)
    local l = load.start { url = p.url, host = "svc.test", connections = 4, rate = 500 }
    d.names["svc.test"] = { ttl = 1, "127.0.0.2" }
    loop.eventually(function() return b:count() > 50 end)
    d:stop()
    p:wait_log('msg="backend name not resolved" name=svc.test reason="(name server does not answer)" kept=1')
    local so_far = b:count()
    loop.eventually(function() return b:count() > so_far + 50 end)
    local result = l:stop()

    assert.equal(0, result.failed)
    assert.same({ ["200"] = result.requests }, result.statuses)
  end)
end)
