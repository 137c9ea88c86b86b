-- Large bodies go through wide blocks while whoever takes them does so at once, and through large ones when not.

local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local KIB, MIB = 1024, 1024 * 1024
local WIDE, LARGE = 256 * KIB, 64 * KIB
local SIZE = 64 * MIB -- more than the kernel holds for anybody

local function start(config)
  local o = origin.process { size = SIZE }
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }
end

--- A client that asks and takes nothing but the head.
local function ask(p)
  local c = http.connect(p.url, { receive_buffer = 32 * KIB })
  c:send_request { host = "a.test" }
  assert.truthy(c.stream:read_until("\r\n\r\n"))
  return c
end

--- Waits until the buffers hold what check says, for good: twice in a row, with a request between.
local function buffers(p, check)
  loop.eventually(function() return check(p:status().buffer_bytes) and check(p:status().buffer_bytes) end)
end

describe("a large response", function()
  it("goes through a wide block at first, and through a large one once its client has kept it waiting", function()
    local p = start()
    local c = ask(p)
    buffers(p, function(bytes) return bytes >= WIDE end)
    local read = 0
    repeat
      assert.truthy(c.stream:read(LARGE))
      read = read + LARGE
      assert.is_true(read < SIZE)
      local bytes = p:status().buffer_bytes
    until bytes <= LARGE + 32 * KIB
    while read < SIZE do -- and comes whole
      assert.truthy(c.stream:read(LARGE))
      read = read + LARGE
    end
    assert.equal(200, p:get("/").status)
    c:close()
  end)

  it("gets no wide block where that would make memory short", function()
    local p = start { limits = { buffer_memory = "256k" } }
    local c = ask(p)
    buffers(p, function(bytes) return bytes >= LARGE end)
    assert.is_true(p:status().buffer_bytes < WIDE)
    c:close()
  end)

  it("gets no wide block when many others have one each", function()
    local p = start { limits = { buffer_memory = "0" } }
    local clients = {}
    for i = 1, 80 do
      clients[i] = ask(p)
    end
    buffers(p, function(bytes) return bytes >= 80 * LARGE end)
    local bytes = p:status().buffer_bytes -- with two small blocks for each head and what comes of it
    assert.is_true(bytes <= 64 * WIDE + 16 * LARGE + 80 * 2 * 16 * KIB, bytes)
    for _, c in ipairs(clients) do
      c:close()
    end
    loop.eventually(function() return p:status().buffer_bytes == 0 end)
  end)
end)
