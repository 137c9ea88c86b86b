-- Many 1xx answers in front of the final one, for clients of HTTP/2.

local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local MIB = 1024 * 1024 * (loop.SLOWNESS > 1 and 8 or 1) -- with what sanitizers add

-- All different, and more than HPACK's table holds: none of them is small on the wire.
local hints = {}
for i = 1, 100 do
  hints[i] = ("HTTP/1.1 103 Early Hints\r\nLink: <%d%s>\r\n\r\n"):format(i, ("x"):rep(500))
end
local HINTS = table.concat(hints)

-- A backend that gives count times a hundred hints; `all_sent` once it has.
local function chatty(count)
  local o
  o = origin.start(function(request)
    for _ = 1, count do
      request.stream:write(HINTS)
    end
    o.all_sent = true
    return { body = "ok" }
  end)
  return o, proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
end

describe("1xx answers over HTTP/2", function()
  it("take no memory without end for a client that does not read", function()
    local o, p = chatty(400)
    local c = h2.connect(p.url, { receive_buffer = 4096 })
    local before = p:rss()

    local id = c:open()
    loop.eventually(function()
      return o.all_sent
    end)
    assert.is_true(p:rss() - before < 4 * MIB, "grew by " .. p:rss() - before)
    assert.equal("ok", c:response(id).text)
  end)

  it("pass on to a client that reads", function()
    local o = origin.start(function()
      return { informational = { { status = 103, headers = { Link = "</a.css>" } } }, body = "ok" }
    end)
    local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }

    local r = h2.connect(p.url):request()
    assert.equal(103, r.informational[1].status)
    assert.equal("</a.css>", r.informational[1].headers.link)
    assert.equal("ok", r.text)
  end)
end)
