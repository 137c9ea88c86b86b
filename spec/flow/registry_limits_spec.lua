local limits = require("spec.support.limits")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local session, start = limits.session, limits.start
local status, too_many = limits.status, limits.too_many

describe("the limit of connections", function()
  it("has the oldest stranger make room, whoever it is, and no session", function()
    local p, r = start { registry_connections = 3 }
    local stranger, other = p:registry(), p:registry()
    local new = session(p, "cart", "one")
    stranger:wait_closed()
    assert.equal("PONG", new:call("PING"))
    assert.equal("PONG", r:call("PING"))
    other:register("late", "one")
    loop.soon(function() assert.equal(1, status(r).registry.closed.made_room) end)
  end)

  it("refuses one more when all others have sessions, and says why", function()
    local p, r = start { registry_connections = 2 }
    local second = session(p, "cart", "one")
    for i = 1, 3 do
      local surplus = p:registry()
      assert.equal(too_many("too many connections", "registry_connections", 2), surplus:receive())
      surplus:wait_closed()
      assert.equal(i, status(r).limits.registry_connections.refused)
    end
    second:close()
    loop.soon(function() assert.equal(1, status(r).registry.connections) end)
    session(p, "cart", "one")
  end)

  it("leaves one who hears events or waits for an answer alone", function()
    local p, r = start { registry_connections = 3 }
    local watcher, waiter = p:registry(), p:registry()
    watcher.session, waiter.session = r.session, r.session
    watcher:ok("SUBSCRIBE", "all")
    local hangs = origin.start(function() return { delay = 60 } end)
    waiter:send(waiter:format("BACKEND_TEST", hangs.url) .. "\n")
    loop.soon(function() assert.equal(1, status(r).limits.registry_waiting.used) end)
    assert.equal(too_many("too many connections", "registry_connections", 3), p:registry():receive())
    assert.equal("SUBSCRIBE_OK", watcher:call("SUBSCRIBE", "all"))
  end)

  it("of an address leaves others their place", function()
    local p, r = start { registry_per_address = 2 }
    local second = session(p, "cart", "one")
    assert.equal(too_many("too many connections from this address", "registry_per_address", 2), p:registry():receive())
    assert.equal("PONG", second:call("PING"))
    assert.same({ used = 2, limit = 2, refused = 1 }, status(r).limits.registry_per_address)
    local away = p:registry({ source = "127.0.2.1" })
    away:register("away", "one")
  end)
end)

describe("a connection that has not said AUTH", function()
  it("may send a few lines only", function()
    local p, r = start({ registry_auth_lines = 3 }, { registry_token = "secret" })
    local stranger = p:registry()
    for _ = 1, 3 do
      assert.equal("ERROR|unauthorized", stranger:ask("PING|x"))
    end
    assert.equal(too_many("too many lines without AUTH", "registry_auth_lines", 3), stranger:ask("PING|x"))
    stranger:wait_closed()
    loop.soon(function()
      local s = status(r)
      assert.same({ 1, 1 }, { s.registry.closed.unauthorized, s.limits.registry_auth_lines.refused })
    end)
  end)

  it("counts what is no line, and runs none of those behind", function()
    local p = start({ registry_auth_lines = 2 }, { registry_token = "secret" })
    local stranger = p:registry()
    stranger:send("\1\n\255\nAUTH|secret\n")
    assert.equal("ERROR|invalid character", stranger:receive())
    assert.equal("ERROR|invalid utf-8", stranger:receive())
    assert.equal(too_many("too many lines without AUTH", "registry_auth_lines", 2), stranger:receive())
    stranger:wait_closed()
  end)

  it("has some time only, whatever it sends", function()
    local p, r = start(nil, { registry_token = "secret", timeouts = { registry_auth = "300ms" } })
    local silent, halting = p:registry(), p:registry()
    halting:send("AUTH|sec")
    for _, stranger in ipairs({ silent, halting }) do
      assert.equal("ERROR|no AUTH in time: timeouts.registry_auth", stranger:receive())
      stranger:wait_closed()
    end
    assert.equal("PONG", r:call("PING"))
    loop.soon(function() assert.equal(2, status(r).registry.closed.unauthorized) end)
  end)

  it("waits longer with each wrong token of its address, and others do not", function()
    local p, r = start({ registry_auth_lines = 100 }, { registry_token = "secret" })
    local guesser, from = p:registry({ source = "127.0.2.1" }), loop.now()
    for i = 1, 4 do
      assert.equal("ERROR|unauthorized", guesser:ask("AUTH|guess" .. i))
    end
    assert.is_true(loop.now() - from >= 0.7, "100, 200 and 400 ms")
    local begin = loop.now()
    assert.equal("OK", p:registry({ source = "127.0.2.2" }):ask("AUTH|secret"))
    local known = p:registry()
    assert.equal("OK", known:ask("AUTH|secret"))
    for _ = 1, 5 do
      assert.equal("PONG", r:call("PING"))
    end
    assert.is_true(loop.now() - begin < 0.6 * loop.SLOWNESS, loop.now() - begin)
    local again = p:registry({ source = "127.0.2.1" })
    from = loop.now()
    assert.equal("OK", again:ask("AUTH|secret"))
    assert.is_true(loop.now() - from >= 0.6, "800 ms from its begin")
    begin = loop.now()
    again:register("shop", "two")
    for _ = 1, 5 do
      assert.equal("PONG", again:call("PING"))
    end
    assert.is_true(loop.now() - begin < 0.6 * loop.SLOWNESS, "who is authorized waits no more")
    assert.same({ 4, true }, { status(r).registry.auth_failures, status(r).registry.auth_delayed >= 4 })
  end)
end)

describe("a connection without a session that says nothing", function()
  it("is closed after a while; one that hears events, and one with a session, are not", function()
    local p, r = start(nil, { timeouts = { registry_idle = "300ms" } })
    local idle, watcher = p:registry(), p:registry()
    watcher.session = r.session
    watcher:ok("SUBSCRIBE", "all")
    assert.equal("ERROR|idle for too long: timeouts.registry_idle", idle:receive())
    idle:wait_closed()
    loop.soon(function() assert.equal(1, status(r).registry.closed.idle) end)
    assert.equal("SUBSCRIBE_OK", watcher:call("SUBSCRIBE", "all"))
    assert.equal("PONG", r:call("PING"))
  end)
end)

describe("more lines a second than may be", function()
  it("wait, are all answered in order, and hold up nobody else", function()
    local p, r = start { registry_lines = 100, registry_burst = 50 }
    local other, lines = session(p, "cart", "one"), {}
    for i = 1, 150 do
      lines[i] = ("PING|%s|txn-%d\n"):format(r.session, i)
    end
    local from = loop.now()
    r:send(table.concat(lines))
    assert.equal("PONG", other:call("PING"))
    assert.is_true(loop.now() - from < 0.9 * loop.SLOWNESS)
    for i = 1, 150 do
      assert.equal("PONG|txn-" .. i, r:receive())
    end
    assert.is_true(loop.now() - from >= 0.9, "50 at once, 100 in a second")
    assert.is_true(status(other).limits.registry_lines.refused > 0)
  end)

  it("are not lost when their client says no more and ends", function()
    local _, r = start { registry_lines = 100, registry_burst = 10 }
    r:send((("PING|%s\n"):format(r.session)):rep(40))
    r.stream:shutdown()
    for _ = 1, 40 do
      assert.equal("PONG", r:receive())
    end
    r:wait_closed()
  end)

  it("are held back by what the client can send, not in memory", function()
    local p, r = start { registry_lines = 1, registry_burst = 1 }
    local flood = p:registry()
    flood.stream.timeout = 1
    local before = p:rss()
    local sent = flood.stream:write(("PING|nobody\n"):rep(2000000))
    assert.is_nil(sent)
    assert.is_true(p:rss() - before < 4 * 1024 * 1024)
    flood:reset()
    assert.equal("PONG", r:call("PING"))
  end)
end)
