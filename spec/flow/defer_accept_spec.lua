-- When a client's connection is taken: once it has sent something, or after a second; as it stands where that is off,
-- and where it is to speak TLS.

local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local tls = require("spec.support.tls_client")

local TRIES = 5

local function start(config)
  local o = origin.start(function() return { body = "ok" } end)
  return proxy.start { workers = 1, config = config, route = { to = o.url, host = "a.test" } }
end

local function open(p)
  return p:status().connections.open
end

local function start_tls()
  local o = origin.start(function() return { body = "ok" } end)
  local certificate = pki.certificate { names = { "a.test" } }
  return proxy.start {
    workers = 1, https = true, route = { to = o.url, host = "a.test" },
    config = { tls = { certificates = { pki.pair(certificate) } } },
  }
end

--- Seconds from the first packet of a client that says nothing until its connection is taken; the client.
-- @param url where it connects (default: the proxy's in clear)
local function taken_after(p, url)
  local before, from = open(p), loop.now()
  local c = url and http.connect(url) or p:connect()
  loop.eventually(function() return open(p) == before + 1 end)
  return loop.now() - from, c
end

--- The least of some tries: a busy machine makes some slow.
local function least(measure)
  local best = math.huge
  for _ = 1, TRIES do
    best = math.min(best, (measure()))
  end
  return best
end

describe("a client that says nothing", function()
  it("is taken after a second, and then heard like any other", function()
    local p = start()
    local after, c = taken_after(p)
    assert.is_true(after >= 1, after)
    assert.equal("ok", c:get("/").body)
    c:close()
    loop.eventually(function() return open(p) == 0 end)
  end)

  it("is taken as it stands with defer_accept = false", function()
    local p = start { defer_accept = false }
    assert.is_true(least(function() return taken_after(p) end) < .5)
  end)

  it("is taken as it stands where it is to speak TLS", function()
    local p = start_tls()
    local url = "http://" .. p.https_address
    assert.is_true(least(function() return taken_after(p, url) end) < .5)
    assert.is_true((taken_after(p)) >= 1)
  end)

  it("takes no place from others before", function()
    local p = start { limits = { connections_per_address = 4 } }
    for try = 1, TRIES do
      local from, silent = loop.now(), {}
      for i = 1, 16 do
        silent[i] = p:connect()
      end
      local c = p:connect()
      c:send_request {}
      local ok, answer = pcall(c.receive, c)
      if loop.now() - from < 1 then
        assert(ok, answer)
        assert.equal("ok", answer.body)
        return
      end
      assert.is_true(try < TRIES, "the machine is too busy for this")
      for _, one in ipairs(silent) do
        one:close()
      end
      c:close()
      loop.eventually(function() return open(p) == 0 end)
    end
  end)

  for _, way in ipairs { "close", "shutdown" } do
    it("and leaves is let go: " .. way, function()
      local p = start()
      local c = p:connect()
      c[way](c)
      loop.eventually(function() return p:status().closed.client_done == 1 end)
      assert.equal(0, open(p))
    end)
  end

  it("and is reset disturbs nobody", function()
    local p = start()
    for _ = 1, 20 do
      p:connect():reset()
    end
    assert.equal("ok", p:connect():get("/").body)
  end)
end)

describe("a client that speaks before the second is over", function()
  it("is answered at once", function()
    local p = start()
    assert.is_true(least(function()
      local from = loop.now()
      local c = p:connect()
      assert.is_true(open(p) == 0 or loop.now() - from >= 1)
      c:send_request { headers = { Connection = "close" } }
      assert.equal("ok", c:receive().body)
      assert.equal("closed", c:wait_closed())
      loop.eventually(function() return open(p) == 0 end)
      return loop.now() - from
    end) < .5)
  end)

  it("is answered at once over TLS", function()
    local p = start_tls()
    assert.is_true(least(function()
      local from = loop.now()
      local c = assert(tls.connect(p, "a.test"))
      assert.equal("ok", c:get("/").body)
      c:close()
      return loop.now() - from
    end) < .5)
  end)
end)

describe("defer_accept", function()
  it("changes with a restart only", function()
    local p = start()
    p:write_config { defer_accept = false }
    p:reload()
    p:wait_log("setting changes with a restart only\" setting=defer_accept\n")
    assert.is_true((taken_after(p)) >= 1)
  end)
end)
