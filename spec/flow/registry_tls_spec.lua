local pki = require("spec.support.pki")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local stream = require("spec.support.stream")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls")
local tls_registry = require("spec.support.tls_registry")

local start, asking = tls_registry.start, tls_registry.asking

--- Conversations that are the same with and without TLS: { what, function(r, p, connect) }.
local CASES = {
  { "registers, applies and serves a route", function(r, p)
    r:register("shop", "a")
    r:route({ to = origin.start({ body = "from the shop" }).url, host = "a.example" })
    assert.equal("from the shop", p:get("/", { host = "a.example" }).body)
  end },
  { "answers many lines that came at once, in order", function(r)
    local id = r:register("shop", "a")
    r:send(("PING|" .. id .. "\n"):rep(2000) .. "NONSENSE|" .. id .. "\n")
    for _ = 1, 2000 do
      assert.equal("PONG", r:receive())
    end
    assert.equal("ERROR|unknown command: NONSENSE", r:receive())
  end },
  { "takes lines byte by byte", function(r)
    for byte in ("REGISTER|shop|a||\n"):gmatch(".") do
      r:send(byte)
    end
    assert.matches("^ACK|", r:receive())
  end },
  { "refuses a line that is too long, and a NUL, and goes on", function(r)
    local id = r:register("shop", "a")
    assert.equal("ERROR|line too long", r:ask(("x"):rep(40000)))
    assert.equal("ERROR|invalid character", r:ask("PING\0|" .. id))
    assert.equal("PONG", r:call("PING"))
  end },
  { "sends a large answer whole", function(r)
    r:register("shop", "a")
    local list = {}
    for i = 1, 100 do
      list[i] = ('{"domains":["host-%d.example"],"path":"/","backend_url":"http://127.0.0.1:1","priority":0}'):format(i)
    end
    r:ok("ROUTE_ADD_BULK", "[" .. table.concat(list, ",") .. "]")
    local _, count = r:ok("ROUTE_LIST"):gsub('"route_id"', "")
    assert.equal(100, count)
  end },
  { "is taken over by RECONNECT", function(r, _, connect)
    local id = r:register("shop", "a")
    local other = connect()
    assert.equal("OK", other:reconnect(id))
    r:wait_closed()
    assert.equal("PONG", other:call("PING"))
  end },
  { "ends after CLIENT_SHUTDOWN", function(r)
    r:register("shop", "a")
    assert.equal("SHUTDOWN_OK", r:call("CLIENT_SHUTDOWN"))
    assert.equal("closed", r:wait_closed())
  end },
  { "is told when the proxy stops", function(r, p)
    r:register("shop", "a")
    p:signal("TERM")
    assert.equal("SHUTDOWN", r:next_event())
    p:wait_exit()
  end },
  { "keeps a session for its grace period when the client goes", function(r, _, connect)
    local id = r:register("shop", "a")
    r:close()
    assert.equal("OK", connect():reconnect(id))
  end },
}

for _, with in ipairs({ "without", "with" }) do
  describe(("a registry connection %s TLS"):format(with), function()
    for _, case in ipairs(CASES) do
      it(case[1], function()
        local p = start()
        local function connect()
          return with == "with" and p:registry_tls() or p:registry()
        end
        case[2](connect(), p, connect)
      end)
    end
  end)
end

describe("the registry's TLS listener", function()
  it("shows its certificate", function()
    local p = start()
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    local bytes = assert(stream.connect(host, tonumber(port)))
    local context = tls.context({ client = true, client_ca = pki.authority().certificate })
    assert.equal("/CN=registry.example", assert(tls.connect(bytes, context, "registry.example")).peer)
  end)

  it("can be the only one", function()
    local p = start({ only = true })
    assert.is_nil(p.registry_address)
    assert.matches("^%x+$", p:registry_tls():register("shop", "a"))
  end)

  it("takes a new certificate with SIGHUP, and no bad one", function()
    local dir = sys.temp_dir()
    local function write(files)
      sys.write_file(dir .. "/cert.pem", sys.read_file(files.certificate))
      sys.write_file(dir .. "/key.pem", sys.read_file(files.key))
    end
    write(pki.certificate({ subject = "/CN=before" }))
    local p = start({ certificate = dir .. "/cert.pem", key = dir .. "/key.pem" })
    local old = p:registry_tls()
    old:register("shop", "a")
    assert.equal("/CN=before", old.stream.peer)
    write(pki.certificate({ subject = "/CN=after" }))
    p:reload()
    p:wait_log("configuration reloaded")
    assert.equal("/CN=after", p:registry_tls().stream.peer)
    sys.write_file(dir .. "/cert.pem", "nothing")
    p:reload()
    p:wait_log("configuration refused")
    assert.equal("/CN=after", p:registry_tls().stream.peer)
    assert.equal("PONG", old:call("PING"))
    os.execute("rm -rf " .. dir)
  end)

  it("gives a client that is slow at the handshake some time only", function()
    local p = start(nil, { timeouts = { registry_handshake = "100ms" } })
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    local bytes = assert(stream.connect(host, tonumber(port)))
    bytes:write("\22\3\1")
    assert.is_nil(bytes:read_some())
    local r = p:registry_tls()
    loop.delay(0.3)
    assert.matches("^%x+$", r:register("shop", "a"))
  end)

  it("ends a client that speaks no TLS, others go on", function()
    local p = start()
    local r = p:registry_tls()
    r:register("shop", "a")
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    for _, garbage in ipairs({ "REGISTER|shop|b||\n", "GET / HTTP/1.1\r\n\r\n", ("\22\3\1\255"):rep(5000) }) do
      local bytes = assert(stream.connect(host, tonumber(port)))
      bytes:write(garbage)
      repeat
        local piece = bytes:read_some()
      until not piece
    end
    p:wait_log("TLS handshake failed")
    assert.equal("PONG", r:call("PING"))
  end)

  it("outlives clients that go at any byte of the handshake", function()
    local p = start()
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    local hello
    local catcher = origin.raw(function(bytes)
      hello = bytes:read_some()
    end)
    tls.connect(assert(stream.connect("127.0.0.1", catcher.port)), tls.context({ client = true }))
    assert.is_true(#hello > 100)
    for count = 1, #hello do
      local bytes = assert(stream.connect(host, tonumber(port)))
      bytes:write(hello:sub(1, count))
      if count % 2 == 0 then
        bytes:close()
      else
        bytes:reset()
      end
    end
    assert.matches("^%x+$", p:registry_tls():register("shop", "a"))
    loop.eventually(function()
      return p:descriptors() < 60
    end)
  end)

  it("outlives clients that go at any byte of the end of the handshake", function()
    local p = start(asking("required"))
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    local files = pki.certificate({ subject = "/CN=shop" })
    local context = tls.context({ client = true, certificate = files.certificate, key = files.key })
    local hello, rest = nil, 0
    local between = origin.raw(function(client)
      local behind = assert(stream.connect(host, tonumber(port)))
      local first = client:read_some()
      hello = #first
      behind:write(first)
      local back = loop.spawn(function()
        local piece = behind:read_some()
        while piece and client:write(piece) do
          piece = behind:read_some()
        end
      end)
      behind:write(client:read(rest) or "")
      loop.cancel(back)
      behind:close()
    end)
    for count = 1, 700, 3 do
      rest = count
      local bytes = assert(stream.connect("127.0.0.1", between.port))
      bytes.timeout = 5
      local own = tls.connect(bytes, context)
      if own then
        own:cut()
      else
        bytes:close()
      end
    end
    assert.is_true(hello > 100)
    assert.matches("^%x+$", p:registry_tls(files):register("shop", "a"))
    loop.eventually(function()
      return p:descriptors() < 60
    end)
  end)

  it("bounds handshakes by the limit of connections, where the oldest makes room", function()
    local p = start(nil, { limits = { registry_connections = 3 } })
    local host, port = p.registry_tls_address:match("^(.*):(%d+)$")
    local open = {}
    for i = 1, 3 do
      open[i] = assert(stream.connect(host, tonumber(port)))
    end
    local r = p:registry_tls()
    assert.is_nil(open[1]:read_some())
    r:register("shop", "a")
    for i = 4, 6 do
      open[i] = assert(stream.connect(host, tonumber(port)))
    end
    assert.is_nil(open[4]:read_some())
    assert.equal("PONG", r:call("PING"))
    assert.is_true(p:descriptors() < 60)
  end)
end)
