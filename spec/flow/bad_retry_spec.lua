-- An answer that can't be understood is a failed attempt: another member takes the request, if it may be sent again.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local BIG = ("a"):rep(100000)

local function one(bytes)
  return function()
    return origin.raw(function(stream)
      local head = stream:read_until("\r\n\r\n")
      stream:read(tonumber(head and head:match("Content%-Length: (%d+)") or 0))
      stream:write(bytes)
      stream:read_some()
    end)
  end
end

local function two(fields)
  return function()
    return h2_origin.start(function(c, _, self)
      for s in c.next_request, c do
        self.seen = (self.seen or 0) + 1
        c:send(h2.frame("HEADERS", h2.END_HEADERS + h2.END_STREAM, s.id, h2.block(fields)))
      end
    end)
  end
end

local FOUR = ("x"):rep(4000)

-- Each: name, a backend that answers so, why.
local CASES = {
  { "that is no HTTP", one("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), "bad_response" },
  { "with two lengths", one("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n01"), "bad_response" },
  { "that switches protocols unasked", one("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "bad_response" },
  { "whose head is too large", one("HTTP/1.1 200 OK\r\nA: " .. BIG .. "\r\n\r\n"), "response_head_too_big" },
  { "whose head is malformed HTTP/2", two({ { ":status", "200" }, { "X-A", "b" } }), "bad_response" },
  { "whose head of HTTP/2 is too large", two({ { ":status", "200" }, { "a", FOUR }, { "b", FOUR }, { "c", FOUR } }),
    "response_head_too_big" },
}

local LIMITS = { limits = { head_size = 8192 } }

local function why(r)
  return r.headers["Proxy-Status"] and r.headers["Proxy-Status"]:match('details="([%w_]+)')
end


describe("an answer", function()
  for _, case in ipairs(CASES) do
    it(("%s goes to no client that another member can serve"):format(case[1]), function()
      local sick, well = case[2](), origin.start { body = "well" }
      local g = group.start({ sick.url, well.url }, { config = LIMITS, circuit = { 1000, "1h", 1 },
        options = { retries = "1" } })
      for i = 1, 6 do
        local r = g.proxy:request { method = i % 2 == 0 and "PUT" or "GET", body = i % 2 == 0 and "x" or nil }
        assert.same({ 200, "well" }, { r.status, r.body })
      end
      loop.soon(function()
        assert.is_true(g:status("r1").retries > 0)
        assert.equal(g:status("r1").retries, g:circuit("r1").failures)
        assert.equal(0, g:circuit("r2").failures)
        assert.equal(0, g:status("r1").in_flight)
      end)
    end)

    it(("%s is told to a client whose request may not be sent again"):format(case[1]), function()
      local sick, well = case[2](), origin.start { body = "well" }
      local g = group.start({ sick.url, well.url }, { config = LIMITS, options = { retries = "1" } })
      local seen = {}
      for _ = 1, 4 do
        local r = g.proxy:request { method = "POST", body = "x" }
        seen[r.status == 200 and r.body or why(r)] = true
      end
      assert.same({ well = true, [case[3]] = true }, seen)
      assert.equal(0, g:status("r1").retries)
    end)

    it(("%s is told when no member is left"):format(case[1]), function()
      local g = group.start({ case[2]().url, case[2]().url }, { config = LIMITS, circuit = { 1000, "1h", 1 } })
      local r = g.proxy:get("/")
      assert.same({ 502, case[3] }, { r.status, why(r) })
      loop.soon(function()
        assert.same({ 1, 1 }, { g:circuit("r1").failures, g:circuit("r2").failures })
        assert.equal(0, g:status("r1").in_flight + g:status("r2").in_flight)
      end)
    end)

    it(("%s is not asked for more often than retries says"):format(case[1]), function()
      local g = group.start({ case[2]().url, case[2]().url, case[2]().url }, { config = LIMITS,
        circuit = { 1000, "1h", 1 }, options = { retries = "1" } })
      local r = g.proxy:get("/")
      assert.same({ 502, case[3] }, { r.status, why(r) })
      loop.soon(function()
        assert.equal(2, g:circuit("r1").failures + g:circuit("r2").failures + g:circuit("r3").failures)
      end)
    end)
  end

  it("of that kind opens the circuit of its member, which is asked no more", function()
    local sick, well = CASES[1][2](), origin.start { body = "well" }
    local g = group.start({ sick.url, well.url }, { circuit = { 2, "1h", 1 } })
    for _ = 1, 10 do
      assert.equal("well", g:get("/").body)
    end
    loop.soon(function()
      assert.equal("open", g:circuit("r1").state)
    end)
    assert.equal(2, sick.accepted)
  end)
end)
