local pki = require("spec.support.pki")
local group = require("spec.support.group")
local proxy = require("spec.support.proxy")
local process = require("spec.support.process")

local PEER = "spec/support/websocket_peer.py"

local function run(...)
  return process.start({ "/usr/bin/python3", PEER, ... }, { name = "websocket_peer" })
end

describe("a WebSocket between ends of other libraries", function()
  it("passes compressed, fragmented and large messages, and ends with 1001 at both when its member drains", function()
    local server = run("serve")
    local port = server:wait_line("^listening (%d+)$")
    local g = group.start({ "http://127.0.0.1:" .. port }, { workers = 2 })
    local clients = {}
    for i = 1, 3 do
      clients[i] = run("talk", "ws://" .. g.proxy.address .. "/")
    end
    for _, client in ipairs(clients) do
      assert.equal("permessage-deflate", (client:wait_line("^extensions (.+)$")))
      client:wait_line("^(echoed)$")
    end
    g.session:ok("DRAIN_START", "500ms")
    for _, client in ipairs(clients) do
      assert.equal("1001 the service drains", (client:wait_line("^closed (.+)$")))
    end
    for _ = 1, 3 do
      server:wait_line("^closed (1001) the service drains$")
    end
    assert.equal(3, g:stats("r1").tunnels)
  end)

  it("reaches a backend whose URL says ws", function()
    local server = run("serve")
    local g = group.start({ "ws://127.0.0.1:" .. server:wait_line("^listening (%d+)$") })
    local client = run("talk", "ws://" .. g.proxy.address .. "/")
    client:wait_line("^(echoed)$")
  end)

  it("serves a client by npm's ws", function()
    local server = run("serve")
    local g = group.start({ "http://127.0.0.1:" .. server:wait_line("^listening (%d+)$") })
    local command = { "/usr/bin/node", "spec/support/websocket_npm.js", "ws://" .. g.proxy.address .. "/" }
    local client = process.start(command, { name = "websocket_npm" })
    client:wait_line("^(echoed)$")
    g.session:ok("DRAIN_START", "0")
    assert.equal("1001 the service drains", (client:wait_line("^closed (.+)$")))
    server:wait_line("^closed (1001) the service drains$")
  end)

  it("passes by TLS on both sides, and ends as well there", function()
    local authority = pki.authority().certificate
    local files = pki.certificate { names = { "127.0.0.1" } }
    local server = run("serve", files.certificate, files.key)
    local p = proxy.start {
      https = true,
      config = {
        tls = { certificates = { { certificate = files.certificate, key = files.key } } },
        backend_tls = { authorities = { internal = authority } },
      },
      route = { to = "wss://127.0.0.1:" .. server:wait_line("^listening (%d+)$"), options = { tls_ca = "internal" } },
    }
    local client = run("talk", "wss://" .. p.https_address .. "/", authority)
    client:wait_line("^(echoed)$")
    p.session:ok("DRAIN_START", "0")
    assert.equal("1001 the service drains", (client:wait_line("^closed (.+)$")))
    server:wait_line("^closed (1001) the service drains$")
  end)
end)
