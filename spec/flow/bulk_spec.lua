-- Large bodies get a share of each turn of a worker's loop; what is more waits, and everything arrives as it was sent.

local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local KIB, MIB = 1024, 1024 * 1024
local MANY = 48

local function start()
  local big, echo = origin.process { size = MIB }, origin.start(function(request)
    return { body = request.body or "" }
  end)
  local p = proxy.start { workers = 1 }
  local r = p:registry()
  r:register("spec", "one")
  r:ok("ROUTE_ADD", "*", "/", big.url, 0)
  r:ok("ROUTE_ADD", "*", "/echo", echo.url, 0)
  r:ok("CONFIG_APPLY")
  return p
end

--- A body of so many bytes, no part of which is like another.
local function body(size)
  local parts = {}
  for i = 1, size / 16 do
    parts[i] = ("%015d\n"):format(i)
  end
  return table.concat(parts)
end

--- Runs steps while many large responses are under way, until some have waited.
-- @return what the clients of these saw
local function beside(p, step)
  local l = load.start { url = p.url .. "/", connections = MANY }
  local before = p:status().bodies_waited
  repeat
    step()
  until p:status().bodies_waited > before + 100
  return l:stop()
end

describe("many large responses at once", function()
  it("wait for one another, and come whole", function()
    local p = start()
    assert.equal(0, p:status().bodies_waited)
    local result = beside(p, function() assert.equal(200, p:get("/").status) end)
    assert.same({ 0, result.requests }, { result.failed, result.statuses["200"] })
    assert.equal(MIB, #p:get("/").body)
  end)

  it("leave bodies of others as they are, both ways", function()
    local p, sent = start(), body(MIB)
    local result = beside(p, function()
      local r = p:request { method = "POST", path = "/echo", body = sent }
      assert.is_true(r.status == 200 and r.body == sent)
      r = p:request { method = "POST", path = "/echo", body = { sent:sub(1, 300 * KIB), sent:sub(300 * KIB + 1) } }
      assert.is_true(r.status == 200 and r.body == sent)
      local c = h2.connect(p.url)
      local id = c:open { method = "POST", path = "/echo", authority = "a.test", body = false }
      assert.is_true(c:upload(id, sent, true))
      assert.is_true(c:response(id).text == sent)
      c:close()
    end)
    assert.equal(0, result.failed)
  end)

  it("may be left by their clients while they wait", function()
    local p = start()
    local result = beside(p, function()
      for _ = 1, 20 do
        local c = http.connect(p.url)
        c:send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        loop.delay(0)
        c:close()
      end
    end)
    assert.equal(0, result.failed)
    loop.eventually(function() return p:status().connections.open == 0 end)
    assert.equal(200, p:get("/").status)
  end)

  it("that all end while they wait leave the worker at rest", function()
    local p = start()
    for _ = 1, 10 do
      local l = load.start { url = p.url .. "/", connections = MANY }
      local before = p:status().bodies_waited
      loop.eventually(function() return p:status().bodies_waited > before + 100 end)
      p:signal("STOP")
      l.process:signal("KILL")
      l.process:wait_exit()
      p:signal("CONT")
      loop.eventually(function() return p:status().connections.open == 0 end)
      loop.eventually(function()
        local used = p:cpu_seconds()
        loop.delay(0.5)
        return p:cpu_seconds() - used < 0.1
      end)
    end
  end)

  it("that nobody reads hold up no other", function()
    local p = start()
    local held = {}
    for i = 1, 100 do
      held[i] = http.connect(p.url)
      held[i]:send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    end
    for _ = 1, 50 do
      local r = p:request { method = "POST", path = "/echo", body = "small" }
      assert.same({ 200, "small" }, { r.status, r.body })
    end
    for i = 1, 100 do
      assert.equal(MIB, #held[i]:receive("GET").body)
    end
  end)
end)
