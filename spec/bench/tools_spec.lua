-- The programs that benchmarks run do what they say: a floor that did less would be too cheap, so would a client that
-- skipped handshakes.

local cjson = require("cjson")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"

local function tool(name, ...)
  return process.start({ TOOLS .. "/bench-" .. name, ... }, { name = name })
end

local function floor(o)
  return "http://127.0.0.1:" .. tool("floor", tostring(o.port)):wait_line("^listening (%d+)$")
end

describe("the floor", function()
  it("relays requests and answers of kept connections", function()
    local o = origin.start(function(request) return { body = request.target } end)
    local c = http.connect(floor(o))
    for i = 1, 3 do
      assert.equal("/" .. i, c:request({ path = "/" .. i }).body)
    end
    assert.equal(3, o:count())
  end)

  it("relays a MiB each way", function()
    local body = ("0123456789abcdef"):rep(65536)
    local o = origin.start(function(request) return { body = request.body } end)
    assert.is_true(http.request(floor(o), { method = "POST", path = "/", body = body }).body == body)
  end)

  it("ends a client's connection and keeps the backend's where the client wants to end it", function()
    local o = origin.start(function(request) return { body = tostring(request.connection) } end)
    local url = floor(o)
    for _ = 1, 3 do
      local c = http.connect(url)
      assert.equal("1", c:request({ path = "/", headers = { Connection = "close" } }).body)
      c:wait_closed()
    end
  end)

  it("answers each of many clients at a time", function()
    local o = origin.start(function(request) return { body = request.target, delay = .01 } end)
    local url, asks = floor(o), {}
    for i = 1, 20 do
      asks[i] = function() return http.request(url, { path = "/" .. i }).body end
    end
    for i, body in ipairs(loop.all(asks)) do
      assert.equal("/" .. i, body)
    end
  end)

  it("waits for a head that comes in pieces", function()
    local o = origin.start(function(request) return { body = request.headers.host } end)
    local c = http.connect(floor(o))
    for piece in ("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n"):gmatch("..?.?") do
      c:send(piece)
      loop.delay(.001)
    end
    assert.equal("one.example", c:receive("GET").body)
  end)
end)

describe("the TLS client", function()
  local function run(p, ...)
    local client = tool("tls-client", "--port", p.https_address:match("%d+$"), "--connections", "2", "--seconds", ".3",
      ...)
    client:wait_exit()
    return cjson.decode(sys.read_file(client.stdout):match("{.*}"))
  end

  local function start()
    local o = origin.start { body = "hi" }
    return proxy.start { https = true, route = { to = o.url },
      config = { tls = { certificates = { pki.pair(pki.certificate { names = { "bench.example" } }) } } } }
  end

  it("makes a full handshake for each request, as the proxy counts them, too", function()
    local p = start()
    local r = run(p)
    assert.is_true(r.requests > 0)
    assert.same({ 0, 0 }, { r.failed, r.resumed })
    local handshakes = p:status().handshakes
    assert.equal(0, handshakes.resumed)
    assert.is_true(handshakes.done >= r.requests)
  end)

  it("resumes all with --resume, but each slot's first", function()
    local p = start()
    local r = run(p, "--resume")
    assert.is_true(r.requests > 0)
    assert.same({ 0, r.requests }, { r.failed, r.resumed })
    assert.is_true(p:status().handshakes.resumed >= r.requests)
  end)
end)

describe("the idle client", function()
  it("holds connections that have asked once, until it is told to end", function()
    local o = origin.start { body = "hi" }
    local p = proxy.start { route = { to = o.url } }
    local client = tool("idle-client", "--port", p.address:match("%d+$"), "--connections", "50")
    client:wait_line("^open 50$")
    assert.equal(50, o:count())
    assert.equal(50, p:status().connections.open)
    client:signal("TERM")
    client:wait_line("^still 50$")
    assert.equal(0, client:wait_exit())
  end)
end)

describe("the benchmark", function()
  local function run(...)
    local bench = process.start({ "/usr/bin/luajit", "spec/bench/bench.lua", ... }, { name = "bench" })
    return bench:wait_exit(60), sys.read_file(bench.stdout), sys.read_file(bench.stderr)
  end

  it("lists its works, each once", function()
    local code, out = run("help")
    assert.equal(0, code)
    local seen = {}
    for name in out:gmatch("([%w_]+) [^\n]+\n") do
      assert.is_nil(seen[name])
      seen[name] = true
    end
    assert.is_true(seen.small and seen.apply and seen.h2_tls)
  end)

  it("refuses a work that there is not", function()
    local code, _, err = run("small,nothing")
    assert.equal(1, code)
    assert.is_truthy(err:find("no such work: nothing", 1, true))
  end)
end)
