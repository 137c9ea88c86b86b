-- Clients that send much to make work: each gets GOAWAY, and nobody else notices.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local frame, HEADERS, END_STREAM = h2.frame, h2.END_HEADERS, h2.END_STREAM
local MIB = 1024 * 1024 * (loop.SLOWNESS > 1 and 8 or 1) -- with what sanitizers add
local CALM = "ENHANCE_YOUR_CALM"
local CONFIG = { http2 = { max_resets = 50, max_control_frames = 100 } }

-- The flood: one frame a call; what has to be open before it.
local FLOODS = {
  ["PINGs"] = { each = function() return frame("PING", 0, 0, "12345678") end },
  ["answers to PINGs that were not sent"] = { each = function() return frame("PING", h2.ACK, 0, "12345678") end },
  ["SETTINGS"] = { each = function() return frame("SETTINGS", 0, 0, h2.settings({ ENABLE_PUSH = 0 })) end },
  ["empty SETTINGS"] = { each = function() return frame("SETTINGS", 0, 0) end },
  ["PRIORITY"] = { each = function(i) return frame("PRIORITY", 0, i * 2 + 1, "\0\0\0\0\1") end },
  ["frames of unknown types"] = { each = function() return frame(0x20, 0, 0, "x") end, count = 20000, harmless = true },
  ["window updates, for all"] = { each = function() return frame("WINDOW_UPDATE", 0, 0, h2.bytes(1, 4)) end },
  ["window updates, for a stream"] = { open = true,
    each = function() return frame("WINDOW_UPDATE", 0, 1, h2.bytes(1, 4)) end },
  ["empty DATA"] = { open = true, each = function() return frame("DATA", 0, 1, "") end },
  ["DATA of padding alone"] = { open = true, each = function() return frame("DATA", h2.PADDED, 1, "\0") end,
    count = 20000, harmless = true },
  ["requests taken back (rapid reset)"] = { each = function(i)
    return frame("HEADERS", HEADERS + END_STREAM, i * 2 + 1, h2.block(h2.fields({})))
      .. frame("RST_STREAM", 0, i * 2 + 1, h2.bytes(8, 4))
  end },
  ["malformed requests"] = { each = function(i)
    return frame("HEADERS", HEADERS + END_STREAM, i * 2 + 1, h2.block({ { "X", "y" } }))
  end },
  ["requests that are refused, being too many"] = { options = {}, each = function(i)
    return frame("HEADERS", HEADERS, i * 2 + 1, h2.block(h2.fields({ method = "POST" })))
  end, config = { http2 = { max_streams = 10, max_resets = 50 } }, deaf = true },
}

local function start(config)
  local o = origin.start()
  return proxy.start { workers = 1, config = config or CONFIG, route = { to = o.url, host = "a.test" } }
end

-- Sends until the proxy has had enough; returns how many it took.
local function flood(c, one)
  local count = one.count or 2000
  if one.open then
    c:headers(1, h2.fields({ method = "POST" }))
  end
  for i = 1, count do
    if not c:send(one.each(i)) then
      return i
    end
  end
  return count
end

describe("HTTP/2", function()
  for name, one in pairs(FLOODS) do
    if one.harmless then
      it("does not mind " .. name .. ", of which each costs next to nothing", function()
        local p = start()
        local c = h2.connect(p.url)
        local before = p:rss()
        assert.equal(one.count, flood(c, one))
        c.next_id = 3
        assert.equal(200, c:request().status)
        assert.is_true(p:rss() - before < 2 * MIB)
      end)
    else
      it("ends connections that flood with " .. name .. ", others go on", function()
        local p = start(one.config)
        local other = h2.connect(p.url)
        assert.equal(200, other:request().status)
        local c = h2.connect(p.url)
        if one.deaf then
          c.acknowledge = false
        end
        flood(c, one)
        pcall(c.wait, c, function()
          return c.goaway
        end)
        assert.equal(CALM, c.goaway and c.goaway.code or c.closed)
        assert.equal(200, other:request().status)
        assert.matches("sent too many", p:wait_log('session refused" client=%S+ reason="([^"]+)"'))
      end)
    end
  end

  it("lets a client go on that stays below the limits", function()
    local p = start()
    local c = h2.connect(p.url)
    for i = 1, 90 do
      c:send(frame("PING", 0, 0, ("%08d"):format(i)))
    end
    for i = 1, 45 do
      c:reset(c:open({ path = "/" .. i }))
    end
    assert.equal(200, c:request().status)
    assert.equal(90, #c.pongs)
  end)

  it("counts no window update that a client has reason for", function()
    local o = origin.start(function()
      return { body = ("x"):rep(16384 * 20) }
    end)
    local p = proxy.start { workers = 1, config = CONFIG, route = { to = o.url, host = "a.test" } }
    local c = h2.connect(p.url)
    for _ = 1, 30 do
      assert.equal(16384 * 20, #c:request().text) -- two updates for each frame: about 1200
    end
  end)

  for _, size in ipairs({ 1, 16000 }) do
    it(("ends connections that send CONTINUATION without end, of %d bytes"):format(size), function()
      local p = start()
      local c = h2.connect(p.url)
      c:send(frame("HEADERS", END_STREAM, 1, h2.block(h2.fields({}))))
      for _ = 1, 200 do
        local payload = size == 1 and "" or h2.block({ { "x", ("y"):rep(size - 20) } })
        if not c:send(frame("CONTINUATION", 0, 1, payload)) then
          break
        end
      end
      pcall(c.wait, c, function()
        return c.goaway
      end)
      assert.equal(CALM, c.goaway and c.goaway.code or c.closed)
      assert.equal(200, p:get("/").status)
    end)
  end

  it("does not blow up a head that refers to one large field over and over", function()
    local p = start()
    local c = h2.connect(p.url)
    local before = p:rss()
    local large = "\64\1x" .. h2.integer(0, 7, 4000) .. ("y"):rep(4000)
    c:send(frame("HEADERS", HEADERS + END_STREAM, 1, h2.block(h2.fields({})) .. large .. ("\190"):rep(10000)))
    assert.equal(CALM, c:wait(function() return c.goaway end).code)
    assert.is_true(p:rss() - before < 4 * MIB)
    assert.equal(200, p:get("/").status)
  end)

  it("keeps no more memory for a client that opens many streams with bodies than the windows allow", function()
    local o = origin.start(function(request)
      loop.delay(30)
      return { body = request.body }
    end, { stream = true, receive_buffer = 4096 })
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
    local c = h2.connect(p.url)
    local before = p:rss()
    for i = 1, 100 do
      local id = c:open({ method = "POST", body = false })
      c:wait(function() return c.settings and c.given[0] end)
      local n = math.min(65535, c:sendable(id))
      c.taken[0], c.taken[id] = (c.taken[0] or 0) + n, n
      for at = 1, n, 16384 do
        c:data(id, ("x"):rep(math.min(16384, n - at + 1)))
      end
      c:send(frame("PING", 0, 0, ("%08d"):format(i)))
      c:wait(function() return #c.pongs == i end)
    end
    assert.is_true(p:rss() - before < 12 * MIB, "grew by " .. p:rss() - before)
  end)

  it("does not answer a client that does not read without end", function()
    local p = start({ http2 = { max_control_frames = 1000000 } })
    local c = h2.connect(p.url, { receive_buffer = 4096 })
    c.stream.timeout = 2
    local before = p:rss()
    for _ = 1, 20000 do
      if not c:send(frame("PING", 0, 0, "12345678"):rep(50)) then
        break
      end
    end
    assert.is_true(p:rss() - before < 4 * MIB)
    assert.equal(200, p:get("/").status)
  end)

  it("keeps no refusals without end for a client that does not read", function()
    local o = origin.start(function()
      return { body = ("x"):rep(8 * 1024 * 1024) }
    end)
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
    local c = h2.connect(p.url, { receive_buffer = 4096, settings = { INITIAL_WINDOW_SIZE = 2 ^ 31 - 1 } })
    c.acknowledge = false
    c:send(frame("WINDOW_UPDATE", 0, 0, h2.bytes(2 ^ 30, 4)))
    c:headers(1, h2.fields({}), HEADERS + END_STREAM)
    p.eventually(function() return o:count() == 1 end)
    c.stream.timeout = 2
    local before = p:rss()
    local block = h2.block(h2.fields({ method = "POST" }))
    for i = 1, 4000 do
      local many = {}
      for k = 1, 50 do
        many[k] = frame("HEADERS", HEADERS, (i * 50 + k) * 2 + 1, block)
      end
      if not c:send(table.concat(many)) then
        break
      end
    end
    local grown = p:rss() - before
    assert.is_true(grown < 8 * MIB, grown)
    assert.equal(200, p:get("/").status)
  end)
end)
