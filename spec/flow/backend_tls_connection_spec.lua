local pki = require("spec.support.pki")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local tls_origin = require("spec.support.tls_origin")

local INTERNAL = { tls_ca = "internal" }

local function resumed(o)
  local count = 0
  for _, handshake in ipairs(o.handshakes) do
    count = count + (handshake.resumed and 1 or 0)
  end
  return count
end

--- Options with the authority and more.
local function with(more)
  local options = { tls_ca = "internal" }
  for key, value in pairs(more) do
    options[key] = value
  end
  return options
end

--- Half a second without work.
local function idle(p)
  local before = p:cpu_seconds()
  loop.delay(0.5)
  local used = p:cpu_seconds() - before
  assert.is_true(used < 0.2, "used " .. used .. " s")
end

describe("TLS sessions with a backend", function()
  for _, version in ipairs({ "1.2", "1.3" }) do
    it("are resumed by every connection but the first, with TLS " .. version, function()
      local o = tls_origin.start({ body = "x", close = true }, { version = version })
      local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
      for i = 1, 10 do
        assert.equal(200, p:get("/").status)
        assert.equal(i, #o.handshakes)
      end
      assert.equal("TLSv" .. version, o.handshakes[1].version)
      assert.equal(9, resumed(o))
    end)
  end

  it("are not resumed with a backend that gives no tickets", function()
    local o = tls_origin.start({ body = "x", close = true }, { version = "1.3", tickets = 0 })
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    for _ = 1, 3 do
      assert.equal(200, p:get("/").status)
    end
    assert.equal(0, resumed(o))
  end)

  it("are not resumed for another name", function()
    local o = tls_origin.start({ body = "x", close = true })
    local p = tls_origin.proxy(nil, { workers = 1 })
    local s = p:registry()
    s:register("spec", "one")
    s:route({ to = o.url, host = "a.example", options = INTERNAL })
    s:route({ to = o.url, host = "b.example", options = with({ tls_server_name = "backend.example" }) })
    assert.equal(200, p:get("/", { host = "a.example" }).status)
    assert.equal(200, p:get("/", { host = "b.example" }).status)
    assert.equal(0, resumed(o))
    assert.equal(200, p:get("/", { host = "b.example" }).status)
    assert.equal(1, resumed(o))
  end)

  it("are forgotten when the configuration is read again", function()
    local o = tls_origin.start({ body = "x", close = true })
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    assert.equal(200, p:get("/").status)
    p:reload()
    p:wait_log("configuration reloaded")
    assert.equal(200, p:get("/").status)
    assert.equal(0, resumed(o))
  end)

  it("come while a connection is idle, which goes on", function()
    local o = tls_origin.start(nil, { version = "1.3", tickets = 0 })
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    assert.equal(200, p:get("/").status)
    for _ = 1, 20 do
      assert.is_true(o.handshakes[1]:send_ticket())
    end
    assert.equal(200, p:request({ method = "POST", path = "/", body = "x" }).status)
    assert.equal(200, p:get("/").status)
    assert.equal(1, o.accepted)
    o:close_connections()
    assert.equal(200, p:get("/").status)
    assert.equal(2, o.accepted)
    assert.equal(1, resumed(o))
  end)
end)

describe("a TLS connection to a backend", function()
  it("is kept and used again", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    for _ = 1, 5 do
      assert.equal(200, p:get("/").status)
    end
    assert.equal(1, o.accepted)
  end)

  it("that the backend ends while it is idle is not used again, whatever the method", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    for i, method in ipairs({ "GET", "POST", "POST" }) do
      assert.equal(200, p:request({ method = method, path = "/", body = "x" }).status)
      assert.equal(i, o.accepted)
      o:close_connections()
    end
  end)

  it("on which a backend speaks unasked is given up", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url }, { workers = 1 })
    assert.equal(200, p:get("/").status)
    o.handshakes[1]:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
    loop.eventually(function()
      return o:connections() == 0
    end)
    assert.equal("ok", p:get("/").body)
    assert.equal(2, o.accepted)
  end)

  it("carries bodies exactly, both ways", function()
    local size, parts = 3 * 1024 * 1024 + 7, {}
    for i = 1, size / 1000 + 1 do
      parts[i] = ("%d."):format(i):rep(200):sub(1, 1000)
    end
    local body = table.concat(parts):sub(1, size)
    local o = tls_origin.start(function(request)
      return { body = request.body, chunked = request.target == "/chunked" }
    end)
    local p = tls_origin.proxy({ to = o.url })
    for _, path in ipairs({ "/", "/chunked" }) do
      local response = p:request({ method = "POST", path = path, body = body, chunked = path == "/chunked" })
      assert.equal(200, response.status)
      assert.is_true(response.body == body)
    end
  end)

  it("makes the backend wait when the client does not read", function()
    local piece, sent, done = ("0123456789abcdef"):rep(4096), 0, false
    local o = tls_origin.start(function()
      return { headers = { ["Content-Length"] = tostring(#piece * 1024) }, body = function(write)
        for _ = 1, 1024 do
          if not write(piece) then
            return false
          end
          sent = sent + #piece
        end
        done = true
      end }
    end)
    local c = tls_origin.proxy({ to = o.url }):connect({ receive_buffer = 65536, timeout = 60 })
    c:send_request({ path = "/" })
    assert.truthy(c:try_head())
    local last
    loop.eventually(function()
      local still = last == sent
      last = sent
      loop.delay(0.1)
      return still
    end)
    assert.is_true(sent < 32 * 1024 * 1024, "the proxy took " .. sent .. " bytes")
    for _ = 1, 1024 do
      assert.is_true(c.stream:read(#piece) == piece)
    end
    loop.eventually(function()
      return done
    end)
  end)

  it("makes the client wait when the backend does not read, and costs nothing meanwhile", function()
    local size, open, answer, got = 16 * 1024 * 1024, false, false, nil
    local files = pki.certificate({ names = { "127.0.0.1" } })
    local o = origin.start(function(request)
      loop.eventually(function()
        return open
      end, 60)
      got = request.stream:read(size)
      loop.eventually(function()
        return answer
      end, 60)
      return { body = "taken" }
    end, { stream = true, receive_buffer = 65536, tls = { certificate = files.certificate, key = files.key } })
    local p = tls_origin.proxy({ to = o.url })
    local c = p:connect({ timeout = 60 })
    local body = ("0123456789abcdef"):rep(size / 16)
    local task = loop.spawn(function()
      return c:request({ method = "POST", path = "/", body = body })
    end)
    local last
    loop.eventually(function()
      local still = last == c.stream.sent and last > 0
      last = c.stream.sent
      loop.delay(0.1)
      return still
    end)
    assert.is_true(c.stream.sent < size)
    o.handshakes[1]:send_ticket() -- something to read while writing is blocked
    idle(p)
    open = true
    loop.eventually(function()
      return got
    end, 60)
    idle(p)
    answer = true
    assert.equal("taken", loop.join(task, 60).body)
    assert.is_true(got == body)
  end)

  it("that ends without close_notify in the middle of an answer without length has cut it", function()
    local o = tls_origin.start(function(request)
      return { headers = { ["Connection"] = "close" }, body = function(write)
        write("half")
        request.tls:cut()
        return false
      end }
    end)
    local c = tls_origin.proxy({ to = o.url }):connect()
    c:send_request({ path = "/" })
    assert.is_false(pcall(c.receive, c))
  end)

  it("counts as none, for the circuit too, when the handshake fails", function()
    local o = tls_origin.start(nil, { certificate = { names = { "elsewhere.example" } } })
    local p = tls_origin.proxy({ to = o.url, options = INTERNAL, circuit = { threshold = 2, cooldown = "60s" } })
    for _ = 1, 2 do
      assert.equal(502, p:get("/").status)
    end
    assert.equal("open", p:get("/").headers["X-Circuit-State"])
  end)
end)
