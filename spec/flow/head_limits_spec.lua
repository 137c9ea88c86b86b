local h2 = require("spec.support.h2")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local function limits(head_size)
  return { limits = { head_size = head_size } }
end

describe("limits of heads", function()
  it("are those of the newest configuration, on connections that were there before, too", function()
    local o = origin.start(function() return { status = 200, body = "hello" } end)
    local p = proxy.start { workers = 1, route = { host = "h.example", to = o.url }, config = limits(2048) }
    local long = ("x"):rep(3000)
    local function statuses(old)
      local one = old:request { path = "/", authority = "h.example", headers = { { "x-long", long } } }
      return { one.status, p:request({ path = "/", host = "h.example", headers = { ["X-Long"] = long } }).status }
    end
    local c = h2.connect(p.url)
    assert.same({ 431, 431 }, statuses(c))
    p:write_config(limits(8192))
    p:reload()
    p:wait_log("configuration reloaded")
    assert.same({ 200, 200 }, statuses(c))
  end)
end)
