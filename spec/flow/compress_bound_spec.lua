local compress = require("spec.flow.compress")
local loop = require("spec.support.loop")

local MIB = 1024 * 1024
local HTML = { ["Content-Type"] = "text/html" }
local LARGE = compress.large()
local request, read_chunk = compress.send, compress.read_chunk

describe("compression", function()
  it("lets go of clients that leave in the middle, and serves the next", function()
    local p = compress.start(function()
      return { body = LARGE, headers = HTML }
    end, { streams = 3 })
    for round = 1, 12 do
      local c = p:connect()
      request(c, compress.CODINGS[round % #compress.CODINGS + 1])
      c:try_head()
      read_chunk(c)
      c:reset()
      compress.stats(p, round)
    end
    local r = compress.get(p)
    assert.is_true(LARGE == compress.body(r))
    assert.equal(0, compress.stats(p, 13).skipped)
  end)

  it("of more streams than it may have is left out", function()
    local go_on = false
    local p = compress.start(function()
      return { headers = { ["Content-Type"] = "text/plain", ["Transfer-Encoding"] = "chunked" }, body = function(write)
        write("2\r\nab\r\n")
        loop.eventually(function() return go_on end)
        return write("0\r\n\r\n")
      end }
    end, { streams = 2 })
    local clients, codings = {}, {}
    for i = 1, 3 do
      clients[i] = p:connect()
      request(clients[i], "gzip")
      codings[i] = clients[i]:try_head().headers["Content-Encoding"] or "none"
    end
    assert.same({ "gzip", "gzip", "none" }, codings)
    go_on = true
    assert.equal(1, compress.stats(p, 3).skipped)
    assert.equal("gzip", compress.get(p).headers["Content-Encoding"])
  end)

  it("stops for new responses when it has taken its share of the last second", function()
    local p = compress.start(function()
      return { body = LARGE:sub(1, MIB), headers = HTML }
    end, { cpu = 1, gzip = 6 })
    p.eventually(function()
      return not compress.get(p).headers["Content-Encoding"]
    end)
    local skipped = compress.stats(p).skipped
    assert.is_true(skipped >= 1)
    -- a second without any, and it goes on
    p.eventually(function()
      return compress.get(p).headers["Content-Encoding"] == "gzip"
    end, 30)
  end)

  it("goes on side by side for many clients, each with its own bytes", function()
    local p = compress.start(function(rq)
      local at = tonumber(rq.target:match("%d+"))
      return { body = LARGE:sub(at, at + MIB), headers = HTML }
    end)
    local functions = {}
    for i = 1, 12 do
      functions[i] = function()
        local at = i * 500000
        local r = compress.get(p, compress.CODINGS[i % #compress.CODINGS + 1], { path = "/" .. at })
        assert.is_true(LARGE:sub(at, at + MIB) == compress.body(r))
        return true
      end
    end
    assert.equal(12, #loop.all(functions))
  end)

  it("does not make small requests wait for many large ones", function()
    local text = LARGE:sub(1, MIB):rep(4)
    local p = compress.start(function(rq)
      return rq.target == "/small" and { body = "hi" } or { body = text, headers = HTML }
    end, { gzip = 9 })
    local running, times, c, tasks = 12, {}, p:connect(), {}
    for i = 1, running do
      tasks[i] = loop.spawn(function()
        compress.get(p)
        running = running - 1
      end)
    end
    c:get("/small")
    while running == 12 and #times < 30 do
      local start = loop.now()
      c:get("/small")
      times[#times + 1] = loop.now() - start
    end
    table.sort(times)
    -- 15 ms here; half a second if a turn of the loop took as much as there is to compress
    assert.is_true(#times >= 10)
    assert.is_true(times[math.ceil(#times / 2)] < 0.2, "median " .. times[math.ceil(#times / 2)])
    for _, task in ipairs(tasks) do
      loop.cancel(task)
    end
  end)
end)
