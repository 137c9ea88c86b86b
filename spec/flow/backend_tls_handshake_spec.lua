local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local stream = require("spec.support.stream")
local tls_origin = require("spec.support.tls_origin")

--- Options with the authority and more.
local function with(more)
  local options = { tls_ca = "internal" }
  for key, value in pairs(more) do
    options[key] = value
  end
  return options
end

--- Two backends in one group, the second of them good.
local function pair(first, options)
  local good = tls_origin.start({ body = "good" })
  local p = tls_origin.proxy(nil, { workers = 1 })
  local s = p:registry()
  s:register("spec", "one")
  for _, url in ipairs({ first.url:gsub("^http:", "https:"), good.url }) do
    local id = s:ok("ROUTE_ADD", "*", "/", url, 0)
    for key, value in pairs(with(options or {})) do
      s:ok("OPTIONS_SET", id, key, value)
    end
  end
  s:ok("CONFIG_APPLY")
  return p
end

describe("a TLS handshake with a backend", function()
  it("that is never answered ends with connect_timeout", function()
    local silent = origin.raw(function(bytes)
      bytes:read_all()
    end)
    local p = tls_origin.proxy({ to = silent.url:gsub("^http", "https"),
      options = with({ connect_timeout = "300ms", retries = 0 }) })
    local response = p:get("/")
    assert.equal(504, response.status)
    assert.matches("error=connection_timeout", response.headers["Proxy-Status"])
  end)

  it("that fails sends the request to another member, whatever the method", function()
    for _, answer in ipairs({ "garbage that is no TLS at all\r\n\r\n", "" }) do
      local bad = origin.raw(function(bytes)
        bytes:read_some()
        bytes:write(answer)
      end)
      local p = pair(bad)
      for _ = 1, 4 do
        assert.equal("good", p:request({ method = "POST", path = "/", body = "x" }).body)
      end
      assert.is_true(bad.accepted > 0)
    end
  end)

  it("that is late sends the request to another member", function()
    local silent = origin.raw(function(bytes)
      bytes:read_all()
    end)
    local p = pair(silent, { connect_timeout = "200ms" })
    for _ = 1, 3 do
      assert.equal("good", p:get("/").body)
    end
    assert.is_true(silent.accepted > 0)
  end)

  it("that is cut at any byte is a failed one", function()
    local real = tls_origin.start()
    local flight, cut = nil, 0
    local between = origin.raw(function(bytes)
      local hello = bytes:read_some()
      if not hello then
        return
      end
      local behind = assert(stream.connect("127.0.0.1", real.port))
      behind:write(hello)
      local answer = flight and behind:read(cut) or ""
      if not flight then -- the server's whole flight; its signature makes it a few bytes longer or shorter
        repeat
          local piece = behind:read_some(nil, loop.now() + 0.5)
          answer = answer .. (piece or "")
        until not piece
        flight = #answer - 8
      end
      behind:close()
      bytes:write(answer:sub(1, cut))
    end)
    local p = tls_origin.proxy({ to = between.url:gsub("^http", "https"), options = with({ retries = 0 }) })
    local c = p:connect()
    repeat
      local response = c:request({ path = "/" })
      assert.equal(502, response.status)
      assert.matches("error=tls_protocol_error", response.headers["Proxy-Status"])
      cut = cut + (cut < 200 and 1 or 13)
    until cut >= flight
    assert.is_true(flight > 500)
    assert.equal(0, real:count())
  end)

  it("goes with a wss URL, too", function()
    local o = tls_origin.start()
    local p = tls_origin.proxy({ to = o.url:gsub("^https", "wss") })
    assert.equal(200, p:get("/").status)
  end)
end)

describe("a backend that speaks no TLS", function()
  it("is told from one that is down", function()
    local plain = origin.raw(function(bytes)
      bytes:read_some()
      bytes:write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    end)
    local p = proxy.start({ route = { to = plain.url:gsub("^http", "https") } })
    local response = p:get("/")
    assert.equal(502, response.status)
    assert.matches('error=tls_protocol_error; details="tls_failed: ', response.headers["Proxy-Status"])
  end)
end)
