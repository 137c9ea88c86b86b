local conversation = require("spec.scripts.conversation")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local cjson = require("cjson")

local start, json = conversation.start, conversation.json

local function completed(r)
  return cjson.decode(r:wait_event("^EVENT|drain_completed|"):match("^EVENT|drain_completed|(.*)$"))
end

--- A backend whose answer waits until the function returned is called.
local function held_origin()
  local released = false
  local o = origin.start(function()
    loop.eventually(function() return released end)
    return {}
  end)
  return o, function() released = true end
end

describe("the event drain_completed", function()
  it("is sent once, when the time is over, and says what was drained", function()
    local r = start()
    r:route { to = "http://127.0.0.1:1" }
    r:route { to = "http://127.0.0.1:1", path = "/two" }
    r:ok("SUBSCRIBE", "drain_completed")
    r:ok("DRAIN_START", "50ms")
    local event = completed(r)
    assert.is_truthy(event.started_at:find("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$"))
    event.started_at = nil
    assert.same({ service = "shop", instance = "shop-1", routes = { "r1", "r2" }, duration_seconds = 1,
      requests_turned_away = 0 }, event)
    assert.equal("PONG", r:call("PING"))
    r:ok("DRAIN_CANCEL")
    assert.same({}, r.events)
  end)

  it("escapes names", function()
    local r = start()
    r:register('sh"op\\', "käse-1")
    r:ok("SUBSCRIBE", "all")
    r:ok("DRAIN_START", "0")
    local event = completed(r)
    assert.same({ 'sh"op\\', "käse-1" }, { event.service, event.instance })
  end)

  it("comes for a session without routes", function()
    local r = start()
    r:ok("SUBSCRIBE", "drain_completed")
    r:ok("DRAIN_START", "0")
    assert.same({}, completed(r).routes)
  end)

  it("waits for the last request in flight", function()
    local o, release = held_origin()
    local r, p = start()
    r:route { to = o.url }
    r:ok("SUBSCRIBE", "drain_completed")
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return o:count() == 1 end)
    r:ok("DRAIN_START", "1ms")
    loop.eventually(function()
      return json(r:call("DRAIN_STATUS"), "DRAIN_STATUS_OK").traffic_percent == 0
    end)
    for _ = 1, 50 do -- longer than a few looks at it
      loop.delay(0.002)
      assert.equal(false, json(r:call("DRAIN_STATUS"), "DRAIN_STATUS_OK").completed)
    end
    assert.same({}, r.events)
    release()
    assert.equal(200, c:receive().status)
    assert.same({ "r1" }, completed(r).routes)
    assert.equal(true, json(r:call("DRAIN_STATUS"), "DRAIN_STATUS_OK").completed)
  end)

  it("does not come for a drain that is cancelled while a request is in flight", function()
    local o, release = held_origin()
    local r, p = start()
    r:route { to = o.url }
    r:ok("SUBSCRIBE", "drain_completed")
    local c = p:connect()
    c:send_request {}
    loop.eventually(function() return o:count() == 1 end)
    r:ok("DRAIN_START", "0")
    r:ok("DRAIN_CANCEL")
    release()
    assert.equal(200, c:receive().status)
    r:ok("DRAIN_START", "0")
    assert.equal(0, completed(r).duration_seconds)
    assert.equal("PONG", r:call("PING"))
    assert.same({}, r.events)
  end)

  it("names routes that were applied while it ran", function()
    local r = start()
    r:ok("SUBSCRIBE", "drain_completed")
    r:ok("DRAIN_START", "300ms")
    r:route { to = "http://127.0.0.1:1" }
    assert.same({ "r1" }, completed(r).routes)
  end)

  it("fits into a line, however many routes there are", function()
    local r = start()
    local one = '{"domains":["h%d"],"path":"/%d","backend_url":"http://127.0.0.1:1"}'
    local batches, size = 25, 200
    for batch = 1, batches do
      local list = {}
      for i = 1, size do
        list[i] = one:format(batch, i)
      end
      r:ok("ROUTE_ADD_BULK", "[" .. table.concat(list, ",") .. "]")
    end
    r:ok("CONFIG_APPLY")
    r:ok("SUBSCRIBE", "drain_completed")
    r:ok("DRAIN_START", "0")
    local event = completed(r)
    assert.is_true(#event.routes > 3000)
    assert.equal(batches * size, #event.routes + event.routes_omitted)
  end)

  it("reaches subscribers of the session, bound to it or not, and no other's", function()
    local r, p = start()
    local watcher, other = p:registry(), p:registry()
    watcher.session = r.session
    watcher:ok("SUBSCRIBE", "drain_completed")
    other:register("bar", "bar-1")
    other:ok("SUBSCRIBE", "all")
    r:ok("DRAIN_START", "0")
    assert.equal("shop", completed(watcher).service)
    assert.equal("PONG", other:call("PING"))
    assert.same({}, other.events)
    assert.same({}, r.events)
  end)

  it("does not come for a session that was superseded or has gone", function()
    local r, p = start()
    r:route { to = "http://127.0.0.1:1" }
    local gone = p:registry()
    gone:register("bar", "bar-1")
    r:ok("DRAIN_START", "100ms")
    gone:ok("DRAIN_START", "100ms")
    gone:ok("CLIENT_SHUTDOWN")
    local new = p:registry()
    new:register("shop", "shop-1")
    new:ok("SUBSCRIBE", "all")
    new:ok("DRAIN_START", "300ms")
    assert.equal(1, completed(new).duration_seconds)
    assert.same({}, new.events)
    p:wait_log("Drain completed")
    assert.equal(1, select(2, p:log():gsub("Drain completed", "")))
  end)
end)
