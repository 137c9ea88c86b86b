-- Frames in any order: whatever a client sends, the proxy lives, leaks nothing and serves others.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function pick(list)
  return list[math.random(#list)]
end

local function bytes(most)
  local out = {}
  for i = 1, math.random(0, most) do
    out[i] = string.char(math.random(0, 255))
  end
  return table.concat(out)
end

-- Some are right, some wrong, some nonsense. id: of a stream, small, so that they meet.
local MAKERS = {
  function(id)
    return h2.frame("HEADERS", pick({ 4, 5, 5, 5 }), id, h2.block(h2.fields({ method = pick({ "GET", "POST", "PUT" }),
      path = pick({ "/", "/slow", "/cut", "/large", "x", "" }), headers = pick({ {}, { { "te", "trailers" } },
        { { "content-length", "3" } }, { { "X", "y" } }, { { "expect", "100-continue" } } }) })))
  end,
  function(id) return h2.frame("DATA", pick({ 0, 0, 1, 8 }), id, bytes(200)) end,
  function(id) return h2.frame("DATA", 0, id, ("x"):rep(16384)) end,
  function(id) return h2.frame("HEADERS", 5, id, h2.block({ { "t", "1" } })) end,
  function(id) return h2.frame("RST_STREAM", 0, id, h2.bytes(math.random(0, 20), 4)) end,
  function(id) return h2.frame("WINDOW_UPDATE", 0, pick({ 0, id }), h2.bytes(math.random(0, 100000), 4)) end,
  function() return h2.frame("SETTINGS", 0, 0, h2.settings({ INITIAL_WINDOW_SIZE = math.random(0, 100000) })) end,
  function() return h2.frame("SETTINGS", 0, 0, h2.settings({ HEADER_TABLE_SIZE = pick({ 0, 100, 4096, 100000 }) })) end,
  function() return h2.frame("PING", 0, 0, "12345678") end,
  function(id) return h2.frame("PRIORITY", 0, id, "\0\0\0\0\1") end,
  function(id) return h2.frame(math.random(0, 12), math.random(0, 255), id, bytes(50)) end,
}

local function send_some(c)
  local newest = -1
  for _ = 1, math.random(5, 60) do
    local kind = math.random() < 0.02 and #MAKERS or math.random(#MAKERS - 1)
    local id = math.max(1, newest - 2 * math.random(0, 3))
    if kind == 1 then
      newest = newest + 2
      id = newest
    end
    if not c:send(MAKERS[kind](id)) then
      return
    end
    if math.random() < 0.05 then
      loop.delay(0.002)
    end
  end
end

describe("frames in any order", function()
  it("end in answers, errors or the connection's end, and harm nobody", function()
    local o = origin.start(function(request)
      if request.target == "/slow" then
        loop.delay(0.02)
      elseif request.target == "/cut" then
        return { raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", close = true }
      end
      return { body = request.target == "/large" and ("x"):rep(200000) or request.body }
    end)
    local config = { timeouts = { body = "1s" } }
    local p = proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }
    local seed = tonumber(os.getenv("TIDELOCK_SEED")) or 1
    math.randomseed(seed)
    for round = 1, 150 do
      local c = h2.connect(p.url)
      send_some(c)
      local how = math.random(4)
      if how == 1 then
        c.stream:reset()
      elseif how == 2 then
        c:send(h2.frame("PING", 0, 0, "the end!"))
        c:wait(function()
          return c.pongs[#c.pongs] == "the end!"
        end)
      end
      c:close()
      assert.is_true(p.process:running(), ("round %d of seed %d"):format(round, seed))
    end
    assert.equal(200, p:get("/").status)
    assert.equal(200, h2.connect(p.url):request().status)
    loop.eventually(function() -- nothing is left of them: listeners, registry, one client, one backend
      return p:descriptors() < 45
    end)
  end)
end)
