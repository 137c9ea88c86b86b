local checks = require("spec.flow.checks")
local grpc = require("spec.support.grpc")
local origin = require("spec.support.origin")
local process = require("spec.support.process")

local GRPC_CHECK = { path = "/grpc.health.v1.Health/Check", interval = "100ms" }

-- A server of static files that speaks HTTP/2 only.
local function nghttpd()
  local port = origin.refusing_url():match("%d+$")
  local server = process.start({ "/usr/sbin/nghttpd", "--no-tls", "-v", "-d", "spec/support", port },
    { name = "nghttpd", env = { LD_PRELOAD = "" } })
  server:wait_line("listen")
  return server, "h2c://127.0.0.1:" .. port
end

describe("a health check of an h2c backend", function()
  it("is a GET in HTTP/2, whose status counts", function()
    local server, url = nghttpd()
    local _, r = checks.start()
    checks.route(r, url, { path = "/sys.lua", interval = "100ms" })
    assert.equal("passed", checks.wait_state(r, "healthy").last_result)
    server:wait_line(":path: /sys.lua")
    server:wait_line("user%-agent: tidelock")
  end)

  it("fails for a status that is not 2xx", function()
    local _, url = nghttpd()
    local _, r = checks.start()
    checks.route(r, url, { path = "/none", interval = "100ms" })
    assert.equal("status_404", checks.wait_state(r, "down").last_result)
  end)

  it("fails for a backend that speaks HTTP/1 only", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
      stream:read_all()
    end)
    local _, r = checks.start()
    checks.route(r, o.url:gsub("^http", "h2c"), { path = "/", interval = "100ms" })
    assert.equal("bad_answer", checks.wait_state(r, "down").last_result)
  end)

  it("fails where nobody listens", function()
    local _, r = checks.start()
    checks.route(r, (origin.refusing_url():gsub("^http", "h2c")), { path = "/", interval = "100ms" })
    assert.equal("connection_refused", checks.wait_state(r, "down").last_result)
  end)
end)

describe("a check of gRPC's health service", function()
  it("passes when the server is SERVING", function()
    local server = grpc.server()
    local _, r = checks.start()
    checks.route(r, server.url, GRPC_CHECK)
    assert.equal("passed", checks.wait_state(r, "healthy").last_result)
    server:wait_line("^checked$")
  end)

  it("fails when it is NOT_SERVING", function()
    local server = grpc.server { health = "down" }
    local _, r = checks.start()
    checks.route(r, server.url, GRPC_CHECK)
    assert.equal("status_503", checks.wait_state(r, "down").last_result)
  end)

  it("fails when the server has no such service", function()
    local server = grpc.server { health = "bare" }
    local _, r = checks.start()
    checks.route(r, server.url, GRPC_CHECK)
    assert.equal("status_501", checks.wait_state(r, "down").last_result)
  end)
end)
