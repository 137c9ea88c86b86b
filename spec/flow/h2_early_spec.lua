local h2 = require("spec.support.h2")
local origin = require("spec.support.origin")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")

describe("an answer over HTTP/2 before the request has ended", function()
  it("reaches curl each time", function()
    local o = origin.start(function()
      return { body = "served" }
    end)
    local p = proxy.start { route = { to = o.url, options = { policy = "block_agents", policy_args = "agents=evil" } } }
    local command = { "/usr/bin/curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{http_version} %{exitcode}\\n",
      "--http2-prior-knowledge", "-A", "evil", "-H", "Host: a.example", "-H", "Content-Type: application/grpc",
      "-d", "x", p.url .. "/" }

    for _ = 1, 60 do
      local curl = process.start(command, { name = "curl" })

      assert.equal("403 2 0", (curl:wait_line("^(%d+ %d %d+)$")))
    end
    assert.equal(200, h2.connect(p.url):request({ method = "POST", body = "x" }).status)
  end)
end)
