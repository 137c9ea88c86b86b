local cjson = require("cjson")
local ends = require("spec.support.tls")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local stream = require("spec.support.stream")

local TICKETS = 2 -- of a handshake that resumes nothing

local function start()
  local o = origin.start(function() return { status = 200, body = "hello" } end)
  return proxy.start { https = true, workers = 1, route = { host = "*", to = o.url }, config = {
    tls = { certificates = { pki.pair(pki.certificate { names = { "a.example" } }) } },
  } }
end

--- A relay in front of the proxy, and what the proxy has sent through it so far.
local function listen_in(p)
  local heard = { bytes = "" }
  heard.relay = origin.raw(function(client)
    local server = assert(stream.connect("127.0.0.1", tonumber(p.https_address:match(":(%d+)$"))))
    loop.spawn(function()
      repeat
        local piece = server:read_some()
        heard.bytes = heard.bytes .. (piece or "")
      until not piece or not client:write(piece)
    end)
    repeat
      local piece = client:read_some()
    until not piece or not server:write(piece)
    server:close()
  end)
  return heard
end

local function records(bytes)
  local count, at = 0, 1
  while at <= #bytes do
    local size = bytes:byte(at + 3) * 256 + bytes:byte(at + 4)
    count, at = count + 1, at + 5 + size
  end
  assert.equal(#bytes + 1, at)
  return count
end

--- A connection whose handshake is over for the proxy, too.
local function connect(p, version)
  local heard = listen_in(p)
  local c = assert(ends.dial("127.0.0.1", heard.relay.port, { name = "a.example", version = version }))
  p.eventually(function()
    return cjson.decode(p.session:call("CERT_STATUS"):match("^CERT_STATUS_OK|(.*)$")).handshakes.done == 1
  end)
  return http.over(c, "a.example"), heard
end

describe("tickets of TLS 1.3", function()
  it("leave with the first answer", function()
    local p = start()
    local c, heard = connect(p, "1.3")
    local before = #heard.bytes
    assert.equal("hello", c:request({ path = "/" }).body)
    assert.equal(TICKETS + 1, records(heard.bytes:sub(before + 1)))
    before = #heard.bytes
    assert.equal("hello", c:request({ path = "/" }).body)
    assert.equal(1, records(heard.bytes:sub(before + 1)))
  end)

  it("leave at the end of a connection that asked for nothing", function()
    local p = start()
    local _, heard = connect(p, "1.3")
    local before = #heard.bytes
    p:stop()
    loop.eventually(function() return #heard.bytes > before end)
    assert.equal(TICKETS + 1, records(heard.bytes:sub(before + 1))) -- with close_notify
  end)
end)

describe("the end of a handshake of TLS 1.2", function()
  it("waits for nothing, as the client waits for it", function()
    local p = start()
    local c = connect(p, "1.2")
    assert.equal("hello", c:request({ path = "/" }).body)
  end)
end)
