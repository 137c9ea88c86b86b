local cjson = require("cjson")
local ends = require("spec.support.tls")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local stream = require("spec.support.stream")
local tls = require("spec.support.tls_client")

local function start(config, workers)
  local o = origin.start(function() return { status = 200, body = "hello" } end)
  config = config or {}
  config.log_level = "debug"
  config.tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } }
  return proxy.start { https = true, workers = workers, route = { host = "*", to = o.url }, config = config }
end

--- A bare TCP connection to the port of https.
local function connect(p)
  return assert(stream.connect("127.0.0.1", tonumber(p.https_address:match(":(%d+)$"))))
end

local function handshakes(p)
  return cjson.decode(p.session:call("CERT_STATUS"):match("^CERT_STATUS_OK|(.*)$")).handshakes
end

describe("the port of https", function()
  it("tells who speaks HTTP there", function()
    local p = start()
    local c = connect(p)
    c:write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    local answer = c:read_all()
    assert.truthy(answer:find("^HTTP/1.1 400 Bad Request\r\n"))
    assert.truthy(answer:find("write https:// before it.", 1, true))
    assert.equal(tonumber(answer:match("Content%-Length: (%d+)")), #answer:match("\r\n\r\n(.*)$"))
    p:wait_log('TLS handshake failed" client=%S+ reason="http request"')
  end)

  it("ends connections with anything else, and goes on serving", function()
    local p = start()
    local records = { ("\0"):rep(100), ("\255"):rep(3000), "\22\3\1\0\5hello", "\22\3\1\255\255" .. ("x"):rep(70000),
      "\21\3\1\0\2\2\40", "\128\46\1\3\1\0\21\0\0\0\16" .. ("x"):rep(40) }
    for _, bytes in ipairs(records) do
      local c = connect(p)
      c:write(bytes)
      c:shutdown()
      local _, err = c:read_all()
      assert.is_true(err == nil or err == "reset", err)
    end
    assert.equal(200, tls.curl(p, "a.example").status)
    assert.equal(#records, handshakes(p).failed)
  end)

  for _, version in ipairs({ "-tls1_2", "-tls1_3" }) do
    it("bears a client that leaves after any byte of its first message, " .. version, function()
      local p, hello = start(), tls.hello(version)
      for length = 0, #hello do
        local c = connect(p)
        if length > 0 then
          c:write(hello:sub(1, length))
        end
        c:close()
      end
      p.eventually(function() return handshakes(p).failed == #hello + 1 end)
      assert.equal(200, tls.curl(p, "a.example").status)
    end)

    it("bears a first message that comes byte by byte, " .. version, function()
      local p, hello = start(), tls.hello(version)
      local c = connect(p)
      for i = 1, #hello do
        c:write(hello:sub(i, i))
      end
      assert.equal("\22\3", c:read(2))
    end)
  end

  for _, version in ipairs({ "1.2", "1.3" }) do
    it("bears a client that leaves after any byte of what it says next, TLS " .. version, function()
      local p, first, limit = start(), nil, nil
      local relay = origin.raw(function(client)
        local server = connect(p)
        loop.spawn(function()
          repeat
            local piece = server:read_some()
          until not piece or not client:write(piece)
        end)
        local hello, left = client:read_some(), limit
        first = #hello
        server:write(hello)
        while left > 0 do
          local piece = client:read_some(left)
          if not piece then
            break
          end
          server:write(piece)
          left = left - #piece
        end
        server:close()
      end)
      local function attempt()
        local c = ends.dial("127.0.0.1", relay.port, { name = "a.example", version = version })
        if c then
          c:write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
          c:close()
        end
      end
      for length = 0, 150 do
        limit = length
        attempt()
      end
      assert.is_true(first > 100)
      assert.equal(200, tls.curl(p, "a.example").status)
    end)
  end

  it("ends handshakes that take too long, however busy they look, and leaves others alone", function()
    local p = start { timeouts = { handshake = "400ms" } }
    local established = assert(tls.connect(p, "a.example"))
    local silent, busy = connect(p), connect(p)
    busy:write("\22\3\1\2\0\1\0\1\252")
    local ended
    p.eventually(function()
      if not ended and not busy:write("x") then
        ended = true
      end
      return silent:ended() and (ended or busy:ended())
    end)
    assert.equal(2, handshakes(p).failed)
    p:wait_log('TLS handshake failed" client=%S+ reason="the TLS handshake took too long"')
    assert.equal(200, established:get("/").status)
  end)

  it("accepts no more than limits.handshakes at a time, and the rest later", function()
    local p = start { limits = { handshakes = 4 } }
    local waiting = {}
    for i = 1, 40 do
      waiting[i] = connect(p)
    end
    local one = loop.spawn(function() return tls.curl(p, "a.example", { args = { "-m", "60" } }) end)
    for _, c in ipairs(waiting) do
      c:close()
    end
    assert.equal(200, loop.join(one).status)
  end)

  it("accepts again once there is room, were the limit raised while connections were held back", function()
    local config = { limits = { handshakes = 2 } }
    local p = start(config, 1)
    local before = p:descriptors()
    local silent = { connect(p), connect(p) }
    p.eventually(function() return p:descriptors() >= before + 2 end)
    connect(p)
    for _ = 1, 3 do
      p:get("/") -- so the worker has seen the third one and let it be
    end
    config.limits.handshakes = 100
    p:write_config(config)
    p:reload()
    p:wait_log("configuration reloaded")
    for _, c in ipairs(silent) do
      c:close()
    end
    assert.equal(200, tls.curl(p, "a.example", { args = { "-m", "10" } }).status)
  end)

  it("tells the access log of it", function()
    local p = start { access_log = { format = "json" } }
    tls.curl(p, "a.example", { args = { "--tls-max", "1.2" } })
    p:get("/")
    -- Two workers: the lines come in any order.
    local list = p.eventually(function()
      local lines = p:access_log()
      return #lines == 2 and lines
    end)
    local with, without = unpack(list[1].tls and list or { list[2], list[1] })
    assert.equal("TLSv1.2", with.tls)
    assert.equal("ECDHE-ECDSA-AES256-GCM-SHA384", with.cipher)
    assert.equal("a.example", with.sni)
    assert.is_false(with.resumed)
    assert.is_nil(without.tls)
  end)

  it("says close_notify at an end that is no accident", function()
    local p = start()
    local got = tls.openssl(p, { args = { "-msg", "-no_ticket" } })
    assert.truthy(got.out:find("<<< TLS 1.3, Alert [length 0002], warning close_notify", 1, true), got.out)
  end)

  it("stops without losing a client that is shaking hands", function()
    local p = start { timeouts = { shutdown = "5s" } }
    local idle, silent = assert(tls.connect(p, "a.example")), connect(p)
    p:signal("TERM")
    assert.equal("closed", idle:wait_closed())
    assert.equal(0, p:wait_exit())
    assert.is_true(silent:ended())
  end)
end)
