local grpc = require("spec.support.grpc")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local UNARY, COUNT, COLLECT, CHAT = "/spec.Echo/Unary", "/spec.Echo/Count", "/spec.Echo/Collect", "/spec.Echo/Chat"

local function start(options)
  local server = grpc.server()
  options = options or {}
  options.to = server.url
  return proxy.start { workers = 1, config = { access_log = { file = "-", format = "text" } }, route = options }, server
end

describe("gRPC through the proxy", function()
  it("passes calls of all four kinds, messages, metadata and trailers", function()
    local p = start()
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
end)
