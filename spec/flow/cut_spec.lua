local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local RESPONSES = {
  length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-A: b\r\n\r\n0123456789",
  chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n01234\r\n5\r\n56789\r\n0\r\nX-T: 1\r\n\r\n",
}
local REQUESTS = {
  length = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
  chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "5\r\n01234\r\n5\r\n56789\r\n0\r\nT: 1\r\n\r\n",
}

local function scripted(script)
  local plan = {}
  local o = origin.raw(function(stream)
    while stream:read_until("\r\n\r\n") do
      if script(stream, plan) == "end" then
        return
      end
    end
  end)
  return plan, o
end

describe("a response that is cut", function()
  for framing, text in pairs(RESPONSES) do
    for _, ending in ipairs({ "closed", "reset" }) do
      it(("at every byte (%s, connection %s) is never taken for whole"):format(framing, ending), function()
        local plan, o = scripted(function(stream, plan)
          stream:write(text:sub(1, plan.cut))
          if ending == "reset" then
            stream:reset()
          end
          return "end"
        end)
        local p = proxy.start { workers = 1, route = { to = o.url, options = { retries = "0" } } }

        for cut = 0, #text - 1 do
          plan.cut = cut
          local c = p:connect()
          c:send_request { method = "POST", body = "x" }
          local r = c:try_receive()
          assert.is_true(r == nil or r.status == 502, ("cut at %d: %s"):format(cut, r and r.status or ""))
        end
        plan.cut = #text
        assert.equal("0123456789", p:request({ method = "POST", body = "x" }).body)
      end)
    end

    it(("in pieces at every byte (%s) is passed whole, over one connection"):format(framing), function()
      local plan, o = scripted(function(stream, plan)
        stream:write(text:sub(1, plan.cut))
        loop.delay(0.001)
        stream:write(text:sub(plan.cut + 1))
      end)
      local c = proxy.start({ workers = 1, route = { to = o.url } }):connect()

      for cut = 1, #text - 1 do
        plan.cut = cut
        assert.equal("0123456789", c:get("/" .. cut).body, "in two pieces at " .. cut)
      end
      assert.equal(1, o.accepted)
    end)
  end
end)

describe("a request that is cut", function()
  for framing, text in pairs(REQUESTS) do
    it(("at every byte (%s) leaves nothing behind, and the next is served"):format(framing), function()
      local o = origin.start(function(request)
        return { body = request.body }
      end)
      local p = proxy.start { workers = 1, route = { to = o.url } }
      for cut = 1, #text - 1 do
        local c = p:connect()
        c:send(text:sub(1, cut))
        if cut % 2 == 0 then
          c:close()
        else
          c:reset()
        end
        assert.equal("next", p:request({ method = "POST", body = "next" }).body)
      end

      for _, request in ipairs(o.requests) do
        assert.equal("next", request.body)
      end
      loop.eventually(function()
        return o:connections() <= 1
      end)
    end)
  end
end)

describe("a backend's connection", function()
  it("is not used again after bytes that nobody asked for", function()
    local o = origin.raw(function(stream)
      while true do
        local head = stream:read_until("\r\n\r\n")
        if not head then
          return
        end
        local target = head:match("^%S+ (%S+)")
        if target == "/204" then
          stream:write("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
        elseif target == "/304" then
          stream:write("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nEVIL")
        elseif head:find("^HEAD") then
          stream:write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
        else
          stream:write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
        end
      end
    end)
    local c = proxy.start({ workers = 1, route = { to = o.url } }):connect()

    for _ = 1, 20 do
      assert.equal(204, c:get("/204").status)
      assert.equal("good", c:get("/").body)
      assert.equal(304, c:get("/304").status)
      assert.equal("good", c:get("/").body)
      assert.equal(200, c:request({ method = "HEAD", path = "/head" }).status)
      assert.equal("good", c:get("/").body)
    end
  end)

  it("may send many interim responses before the final one", function()
    local o = origin.raw(function(stream)
      while stream:read_until("\r\n\r\n") do
        stream:write(("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"):rep(2000))
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      end
    end)
    local r = proxy.start({ workers = 1, route = { to = o.url } }):get("/")

    assert.equal("ok", r.body)
    assert.is_true(#r.informational >= 1)
  end)
end)

describe("with everything breaking at once", function()
  it("clients of a sound route do not notice", function()
    local sound = origin.process { body = "sound" }
    local number = 0
    local bad = origin.raw(function(stream)
      number = number + 1
      stream:read_until("\r\n\r\n")
      stream:write(RESPONSES.chunked:sub(1, number % #RESPONSES.chunked))
      if number % 3 == 0 then
        stream:reset()
      end
    end)
    local p = proxy.start { workers = 2, config = { timeouts = { response = "300ms" } } }
    local a, b = p:registry(), p:registry()
    a:register("sound", "one")
    a:route { to = sound.url, host = "sound.example" }
    b:register("bad", "one")
    b:route { to = bad.url, host = "bad.example" }
    local l = load.start { url = p.url, host = "sound.example", connections = 8, expect = "sound" }
    for i = 1, 300 do
      local c = p:connect()
      c:send_request { host = "bad.example", path = "/" .. i }
      if i % 4 == 0 then
        c:reset()
      else
        c:try_receive()
      end
    end
    local result = l:stop()

    assert.equal(0, result.failed)
    assert.equal(result.requests, result.statuses["200"])
  end)
end)
