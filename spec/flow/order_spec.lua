-- Events that one turn of the worker's loop finds are heard in the order in which they came.

local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local MANY = 40 -- fewer than the loop asks the kernel for at once

describe("requests that wait for one turn of the loop", function()
  it("are served in the order in which they came", function()
    local o = origin.start(function() return { body = "ok" } end)
    local p = proxy.start { workers = 1, config = { access_log = { format = "text", file = "-" } },
      route = { to = o.url, host = "a.test" } }
    local clients = {}
    for i = 1, MANY do
      clients[i] = p:connect()
      assert.equal(200, clients[i]:request({ path = "/first" }).status)
    end
    loop.soon(function() assert.equal(MANY, #p:access_log()) end)
    p:signal("STOP")
    for i = 1, MANY do -- refused by the proxy itself, so that no backend's order shows
      clients[i]:send(("GET /nr%02d HTTP/1.1\r\nHost: nobody.test\r\n\r\n"):format(i))
    end
    p:signal("CONT")
    loop.soon(function() assert.equal(2 * MANY, #p:access_log()) end)
    local lines = p:access_log()
    for i = 1, MANY do
      assert.equal(("/nr%02d"):format(i), lines[MANY + i].path)
    end
  end)
end)
