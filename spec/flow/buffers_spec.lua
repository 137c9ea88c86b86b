-- limits.buffer_memory: what becomes of requests when a worker's buffers are used up.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local KIB, MIB = 1024, 1024 * 1024
local BLOCKS = MIB / (16 * KIB) -- small blocks that a megabyte has

local function start(handler)
  local o = origin.start(handler or function(request)
    return { body = request.body or "" }
  end)
  return proxy.start { workers = 1, config = { limits = { buffer_memory = "1m", buffer_size = "16k" } },
    route = { to = o.url, host = "a.test" } }
end

--- Clients that hold a block each: their heads don't come to an end.
local function hold(p, count)
  local held = {}
  for i = 1, count do
    held[i] = p:connect()
    held[i]:send("GET / HTTP/1.1\r\nX-Long: ")
  end
  return held
end

local function let_go(held)
  for _, c in ipairs(held) do
    c:close()
  end
end

local function pattern(size)
  return ("0123456789abcdef"):rep(size / 16)
end

describe("limits.buffer_memory", function()
  it("has new requests answered with 503, unread, when it is used up, and served when it is not", function()
    local p = start()
    local held = hold(p, BLOCKS + 8)
    loop.soon(function()
      local r = p:get("/")
      assert.equal(503, r.status)
      assert.equal('tidelock; error=proxy_internal_error; details="buffers_full"', r.headers["Proxy-Status"])
      assert.equal("close", r.headers.Connection)
    end)
    local r = p:request { method = "POST", body = pattern(MIB) } -- whose rest nobody reads
    assert.equal(503, r.status)
    assert.is_true(p:status().refused.buffers_full >= 2)
    loop.soon(function() -- the last block may have been that of a request which was refused for it
      local bytes = p:status().buffer_bytes
      assert.is_true(bytes <= MIB and bytes >= MIB - 32 * KIB, bytes)
    end)
    let_go(held)
    loop.soon(function() assert.equal(200, p:get("/").status) end)
  end)

  it("answers streams of HTTP/2 so, and their connection goes on", function()
    local p = start()
    local c = h2.connect(p.url, { authority = "a.test" })
    assert.equal(200, c:request().status)
    local held = hold(p, BLOCKS + 8)
    loop.soon(function() assert.equal(503, c:request().status) end)
    let_go(held)
    loop.soon(function() assert.equal(200, c:request().status) end)
  end)

  it("moves bodies of any size through small blocks while it is short, exactly", function()
    local p = start()
    local held = hold(p, BLOCKS * 3 / 4 + 2)
    local body = pattern(2 * MIB)
    local c = h2.connect(p.url, { authority = "a.test" })
    for _ = 1, 2 do
      local r = p:request { method = "POST", body = body }
      assert.same({ 200, true }, { r.status, r.body == body })
      r = p:request { method = "POST", body = { body:sub(1, 100000), body:sub(1, 77) } }
      assert.same({ 200, true }, { r.status, r.body == body:sub(1, 100000) .. body:sub(1, 77) })
      local id = c:open { method = "POST", body = false }
      assert.is_true(c:upload(id, body, true))
      local answer = c:response(id)
      assert.same({ 200, true }, { answer.status, answer.text == body })
    end
    let_go(held)
  end)

  it("goes on with requests that are in progress when it fills", function()
    local gate = { held = 0 }
    local big = pattern(MIB)
    local p = start(function()
      gate.held = gate.held + 1
      loop.eventually(function() return gate.open end)
      return { body = big }
    end)
    local tasks = {}
    for i = 1, 5 do
      tasks[i] = loop.spawn(function() return p:get("/").body end)
    end
    loop.eventually(function() return gate.held == 5 end)
    local held = hold(p, BLOCKS + 8)
    -- A request before that would wait at the gate.
    loop.eventually(function() return p:status().buffer_bytes == MIB end)
    assert.equal(503, p:get("/").status)
    gate.open = true
    for _, task in ipairs(tasks) do
      assert.is_true(loop.join(task) == big)
    end
    let_go(held)
  end)

  it("bounds what clients with heads that dribble can take", function()
    local p = start()
    let_go(hold(p, BLOCKS * 2)) -- warm
    local before = p:rss()
    local held = {}
    for round = 1, 4 do
      held[round] = hold(p, 150)
      loop.soon(function() assert.equal(503, p:get("/").status) end)
    end
    -- 600 of them: 9.4 MiB of blocks without a limit.
    assert.is_true(p:rss() - before < 6 * MIB * loop.SLOWNESS)
    for _, list in ipairs(held) do
      let_go(list)
    end
    loop.soon(function() assert.equal(200, p:get("/").status) end)
  end)

  it("leaves idle connections without a block", function()
    local p = start()
    for _ = 1, BLOCKS * 2 do
      local c = p:connect()
      assert.equal(200, c:get("/").status)
    end
    assert.equal(200, p:get("/").status)
  end)
end)

describe("limits.buffer_size", function()
  for _, size in ipairs { "16k", "63k", "64k", "256k", "1m" } do
    it("of " .. size .. " serves bodies of any size", function()
      local o = origin.start(function(request) return { body = request.body or "" } end)
      local p = proxy.start { workers = 1, config = { limits = { buffer_size = size } },
        route = { to = o.url, host = "a.test" } }
      for _, bytes in ipairs { 16, 64 * KIB, 3 * MIB } do
        local body = pattern(bytes)
        local r = p:request { method = "POST", body = body }
        assert.same({ 200, true }, { r.status, r.body == body })
      end
    end)
  end
end)
