-- A real gRPC client, the proxy, a real gRPC server.

local grpc = require("spec.support.grpc")
local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local UNARY, COUNT, COLLECT, CHAT = "/spec.Echo/Unary", "/spec.Echo/Count", "/spec.Echo/Collect", "/spec.Echo/Chat"
local FAIL, HOLD = "/spec.Echo/Fail", "/spec.Echo/Hold"

local function start(url, options, config)
  return proxy.start { workers = 1, config = config, route = { to = url, options = options } }
end

local function refused_url()
  return (origin.refusing_url():gsub("^http", "h2c"))
end

describe("gRPC through the proxy", function()
  it("passes calls of all four kinds, messages, metadata and trailers", function()
    local p = start(grpc.server().url)
    local unary, metadata, collect, count, chat = grpc.call(p.address,
      { kind = "unary", method = UNARY, text = "hello" },
      { kind = "unary", method = UNARY, text = "metadata", metadata = { ["x-mine"] = "yes" } },
      { kind = "collect", method = COLLECT, count = 20, size = 30000 },
      { kind = "count", method = COUNT, count = 20, size = 30000 },
      { kind = "chat", method = CHAT, count = 20 })

    assert.same({ "OK", "hello" }, { unary.code, unary.body })
    assert.same({ "start", "end", "0001ff" },
      { unary.initial["x-initial"], unary.trailing["x-trailing"], unary.trailing["x-blob-bin"] })
    assert.truthy(metadata.body:find('"x-mine": "yes"', 1, true))
    assert.truthy(metadata.body:find('"x-forwarded-for": "127.0.0.1"', 1, true))
    assert.same({ "OK", "20 600000" }, { collect.code, collect.body })
    assert.same({ "OK", "20 600000" }, { count.code, count.body })
    assert.equal("OK", chat.code)
    assert.equal(20, #chat.body)
    assert.equal("re:19", chat.body[20])
  end)

  it("passes messages of megabytes both ways", function()
    local p = start(grpc.server().url)
    local up, down = grpc.call(p.address,
      { kind = "collect", method = COLLECT, count = 3, size = 4000000 },
      { kind = "count", method = COUNT, count = 3, size = 4000000 })
    assert.same({ "OK", "3 12000000" }, { up.code, up.body })
    assert.same({ "OK", "3 12000000" }, { down.code, down.body })
  end)

  it("passes the server's errors with their words", function()
    local p = start(grpc.server().url)
    local failed, unknown = grpc.call(p.address, { kind = "unary", method = FAIL, text = "5" },
      { kind = "unary", method = "/spec.Echo/Nothing", text = "x" })
    assert.same({ "NOT_FOUND", "so it is: \195\164 %" }, { failed.code, failed.details })
    assert.same({ "UNIMPLEMENTED", "Method not found!" }, { unknown.code, unknown.details })
  end)

  it("tells the server of deadlines, and of calls that are cancelled", function()
    local server = grpc.server()
    local p = start(server.url)
    local left, cancelled = grpc.call(p.address,
      { kind = "unary", method = UNARY, text = "remaining", timeout = 100 },
      { kind = "cancel", method = HOLD })
    assert.is_true(tonumber(left.body) > 50 and tonumber(left.body) < 120, left.body) -- gRPC rounds up
    assert.same({ "CANCELLED", "holding" }, { cancelled.code, cancelled.body })
    server:wait_line("^released$")
  end)

  it("ends a call at the client's deadline, at the server too", function()
    local server = grpc.server()
    local p = start(server.url)
    local late = grpc.call(p.address, { kind = "cancel", method = HOLD, timeout = 1 })
    assert.equal("DEADLINE_EXCEEDED", late.code)
    server:wait_line("^released$")
  end)

  it("finds another member when one is gone", function()
    local server = grpc.server()
    local p = start(server.url)
    p.session:ok("ROUTE_ADD", "*", "/", refused_url(), 0)
    p.session:ok("CONFIG_APPLY")
    local calls = {}
    for i = 1, 10 do
      calls[i] = { kind = "unary", method = UNARY, text = tostring(i) }
    end
    for i, outcome in ipairs { grpc.call(p.address, unpack(calls)) } do
      assert.same({ "OK", tostring(i) }, { outcome.code, outcome.body })
    end
  end)

  it("goes on when the server comes back", function()
    local server = grpc.server()
    local p = start(server.url)
    assert.equal("OK", grpc.call(p.address, { kind = "unary", method = UNARY, text = "a" }).code)
    server:signal("KILL")
    server:wait_exit()
    assert.equal("UNAVAILABLE", grpc.call(p.address, { kind = "unary", method = UNARY, text = "a" }).code)
    grpc.server { port = server.port }
    assert.equal("OK", grpc.call(p.address, { kind = "unary", method = UNARY, text = "a" }).code)
  end)
end)

describe("the proxy's own answer to a gRPC client", function()
  local function code(p)
    local outcome = grpc.call(p.address, { kind = "unary", method = UNARY, text = "x" })
    return outcome.code, outcome
  end

  it("is UNAVAILABLE where nobody listens, in the words of the page", function()
    local p = start(refused_url(), nil, { access_log = { file = "-", format = "text" } })
    local status, outcome = code(p)
    assert.same({ "UNAVAILABLE", "The backend refused the connection." }, { status, outcome.details })
    assert.truthy(outcome.initial["proxy-status"] or outcome.trailing["proxy-status"])
    loop.soon(function() assert.equal("connect_refused", p:access_log()[1].verdict) end)
    loop.soon(function() assert.equal(1, require("cjson").decode(p.session:ok("STATS_GET", "r1")).errors) end)
  end)

  it("is DEADLINE_EXCEEDED when the server is late", function()
    local o = h2_origin.start(function(c) c:next_request() c:next_request() end)
    assert.equal("DEADLINE_EXCEEDED", (code(start(o.url, { timeout = "200ms" }))))
  end)

  it("is UNAVAILABLE while the service drains", function()
    local p = start(grpc.server().url)
    p.session:ok("DRAIN_START", "10ms")
    loop.eventually(function() return (code(p)) == "UNAVAILABLE" end)
  end)

  it("is RESOURCE_EXHAUSTED past the rate limit", function()
    local p = start(grpc.server().url)
    p.session:ok("RATELIMIT_SET", p.route_id, 1, "1h")
    p.session:ok("CONFIG_APPLY")
    assert.equal("OK", (code(p)))
    assert.equal("RESOURCE_EXHAUSTED", (code(p)))
  end)

  it("is UNIMPLEMENTED where there is no route", function()
    local p = proxy.start { workers = 1, route = { to = refused_url(), host = "other.test" } }
    assert.equal("UNIMPLEMENTED", (code(p)))
  end)

  it("is a head alone, with status 200 and no length", function()
    local p = proxy.start { workers = 1, route = { to = refused_url(), host = "a.test" } }
    local r = h2.connect(p.url, { authority = "a.test" }):request {
      method = "POST", body = "", headers = { { "content-type", "application/grpc+proto" } },
    }
    assert.same({ 200, "application/grpc", "14", 0 },
      { r.status, r.headers["content-type"], r.headers["grpc-status"], r.received })
    assert.is_nil(r.headers["content-length"])
  end)

  it("stays a page for gRPC-Web and everybody else", function()
    local p = proxy.start { workers = 1, route = { to = refused_url(), host = "a.test" } }
    for _, kind in ipairs { "application/grpc-web", "application/grpcx", "text/plain" } do
      assert.equal(502, p:request({ method = "POST", body = "x", headers = { ["Content-Type"] = kind } }).status)
    end
  end)
end)
