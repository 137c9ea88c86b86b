-- What a backend sends behind an answer is never the next one, also where it was still in the kernel when the next
-- request came; and names that only the proxy may use do not come in from outside.

local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local web = require("spec.support.web")

local EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

--- A backend whose answer to /N has N bytes in all, with more behind them.
local function start()
  local o = origin.raw(function(stream)
    while true do
      local head = stream:read_until("\r\n\r\n")
      if not head then
        return
      end
      local size = tonumber(head:match("^%S+ /(%d+) "))
      if size then
        local first = ("HTTP/1.1 200 OK\r\nX-Fill: y\r\nContent-Length: %06d\r\n\r\n"):format(size - 54)
        stream:write(first .. ("x"):rep(size - #first) .. EVIL)
      else
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
      end
    end
  end)
  return proxy.start { workers = 1, route = { to = o.url, host = "a.example" } }
end

describe("bytes behind an answer that fills what the proxy reads at a time", function()
  for _, size in ipairs { 16384, 16384 + 65536, 16384 + 2 * 65536, 65536 } do
    it(("(%d bytes) are not the answer to the request behind it"):format(size), function()
      local p = start()
      for _ = 1, 10 do
        local c = p:connect()
        c:send_request { path = "/" .. size }
        c:send_request { path = "/next" }
        assert.equal(200, c:receive().status)
        assert.equal("good", c:receive().body)
        c:close()
      end
    end)
  end
end)

describe("fields that configuration makes the proxy's own", function()
  local function received(lines, body)
    local o = origin.start()
    local options = web.listening { workers = 1, route = { to = o.url, host = web.HOST },
      config = { maintenance = { bypass_header = "X-Peek", bypass_secret = "open-sesame" } } }
    local c = proxy.start(options):connect()
    c:send(("POST / HTTP/1.1\r\nHost: %s\r\n%sTransfer-Encoding: chunked\r\n\r\n%s"):format(web.HOST, lines, body))
    assert.equal(200, c:receive("POST").status)
    return o.requests[1]
  end

  local NAMES = { "X-Client-Cert-Subject", "X-Client-Cert-Verify", "X_Client_Cert_Subject", "x_client-cert_verify",
    "X-Peek",
    "X_Peek" }

  it("do not pass from a client, with underscores for dashes neither", function()
    local lines = ""
    for _, name in ipairs(NAMES) do
      lines = lines .. name .. ": forged\r\n"
    end
    local request = received(lines .. "X_Other: 1\r\n", "0\r\n\r\n")
    assert.is_nil(request.raw:find("forged", 1, true), request.raw)
    assert.equal("1", request.headers["X_Other"])
  end)

  it("do not pass as trailers", function()
    local lines = ""
    for _, name in ipairs(NAMES) do
      lines = lines .. name .. ": forged\r\n"
    end
    local request = received("", "0\r\n" .. lines .. "X-Other: 1\r\n\r\n")
    assert.same({ { "X-Other", "1" } }, { unpack(request.trailers) })
  end)
end)
