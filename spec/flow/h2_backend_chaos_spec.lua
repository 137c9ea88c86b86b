-- Two h2c backends that end streams and connections as they like, clients that do the same: nothing is answered
-- wrongly, and nothing is left behind.

local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")

local random = math.random

-- What a backend may do with a request. False: the connection is over.
local DEEDS = {
  function(c, s) c:respond(s.id, { body = s.request[":path"] }) end,
  function(c, s) c:respond(s.id, { body = s.request[":path"], trailers = { { "x-t", "1" } } }) end,
  function(c, s) c:reset(s.id, 7) end,
  function(c, s) c:reset(s.id, 2) end,
  function(c, s)
    c:respond(s.id, { body = false })
    c:data(s.id, s.request[":path"]:sub(1, 3))
    c:reset(s.id, 8)
  end,
  function(c, s)
    c:respond(s.id, { body = s.request[":path"] })
    c:reset(s.id, 0)
  end,
  function(c, s) c:leave(s.id - 2) end,
  function(c, s)
    c:leave(s.id)
    c:respond(s.id, { body = s.request[":path"] })
  end,
  function() return false end,
  function(c)
    c.stream:reset()
    return false
  end,
  function(c)
    c:send("garbage" .. ("x"):rep(random(100)))
    return false
  end,
  function(c, s) c:headers(s.id, { { "no", "status" } }) end,
  function() end, -- says nothing: a time-out
}

local function chaos()
  return h2_origin.start(function(c)
    for s in c.next_request, c do
      -- As often as all else: a proper answer.
      local deed = random(2) == 1 and DEEDS[1] or DEEDS[random(#DEEDS)]
      if s.request[":path"] == "/quiet" then
        deed = DEEDS[1]
      end
      if deed(c, s) == false then
        return
      end
    end
  end, { settings = { MAX_CONCURRENT_STREAMS = 4 } })
end

-- One request over HTTP/1.1.
local function ask(p, path)
  local c = http.connect(p.url)
  local method = random(2) == 1 and "POST" or "GET"
  c:send_request { path = path, host = "a.test", method = method, body = ("x"):rep(random(200)) }
  if random(6) == 1 then
    c:close()
    return
  end
  local r = c:try_receive()
  assert.is_true(not r or r.status >= 502 or r.body == path, "a wrong answer")
  c:close()
end

-- Some requests over one session.
local function ask_all(p, paths)
  local c = h2.connect(p.url, { authority = "a.test" })
  local ids = {}
  for i, path in ipairs(paths) do
    ids[i] = c:open { path = path, method = "POST", body = random(2) == 1 and "body" or false }
    if random(4) == 1 then
      c:reset(ids[i], 8)
      ids[i] = false
    end
  end
  for i, path in ipairs(paths) do
    local r = ids[i] and c:response(ids[i])
    if r and (not r.reset or r.reset == "NO_ERROR") then
      assert.is_nil(r.closed and c.goaway and c.goaway.code or r.closed)
      assert.is_true(r.status >= 400 or r.text == path, ("a wrong answer: %s %s"):format(r.status, r.text))
    end
  end
  c:close()
end

describe("chaos", function()
  it("makes no answer wrong, and leaves nothing behind", function()
    local one, two = chaos(), chaos()
    local p = proxy.start { workers = 2, config = { timeouts = { response = "200ms", body = "200ms" } },
      route = { to = one.url, host = "a.test" } }
    p.session:ok("ROUTE_ADD", "a.test", "/", two.url, 0)
    p.session:ok("CONFIG_APPLY")
    local tasks = {}
    for i = 1, 12 do
      tasks[i] = function()
        for n = 1, 15 do
          if n % 3 == 0 then
            ask_all(p, { "/a" .. n, "/b" .. n, "/c" .. n, "/d" .. n })
          else
            ask(p, ("/%d/%d"):format(i, n))
          end
        end
      end
    end
    loop.all(tasks)
    loop.eventually(function() return p:get("/quiet", { host = "a.test" }).body == "/quiet" end)
    for _, route in ipairs { "r1", "r2" } do
      loop.eventually(function()
        return require("cjson").decode(p.session:ok("ROUTE_STATUS", route)).in_flight == 0
      end)
    end
  end)
end)
