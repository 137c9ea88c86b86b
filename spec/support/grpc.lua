--- Real gRPC peers (Python's grpcio): a server as backend and a client, bytes in and out.
--
--   local s = grpc.server()                              -- s.url is h2c://127.0.0.1:port
--   local outcome = grpc.call(address, { kind = "unary", method = "/spec.Echo/Unary", text = "hi" })
--   outcome.code, outcome.details, outcome.body, outcome.initial, outcome.trailing
--
-- Kinds: unary (text, times, metadata, timeout), collect and count (count, size), chat (count, timeout),
-- cancel (timeout): see spec/support/grpc_peer.py.

local cjson = require("cjson")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local PEER = "spec/support/grpc_peer.py"

local grpc = { SLOW = 60 }

local ENV = { LD_PRELOAD = "" } -- a sanitizer's runtime is not for Python

--- Starts a server.
-- @param options port (default: one from the kernel); health = "down": its health service says NOT_SERVING,
--   "bare": it has none
-- @return process with url, port
function grpc.server(options)
  options = options or {}
  local args = { "/usr/bin/python3", PEER, "server", tostring(options.port or 0), options.health or "up" }
  local server = process.start(args, { name = "grpc-server", env = ENV })
  server.port = tonumber(server:wait_line("^listening (%d+)$", grpc.SLOW))
  server.url = "h2c://127.0.0.1:" .. server.port
  return server
end

local function outcomes(client)
  local list = {}
  for line in (sys.read_file(client.stdout) or ""):gmatch("[^\n]+") do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

--- Starts a client that makes calls one after the other over one connection.
-- @param address host:port
-- @return process; its outcomes() waits for its end
function grpc.client(address, calls)
  local args = { "/usr/bin/python3", PEER, "client", address }
  for _, call in ipairs(calls) do
    args[#args + 1] = cjson.encode(call)
  end
  local client = process.start(args, { name = "grpc-client", env = ENV })
  function client.outcomes()
    local code = client:wait_exit(grpc.SLOW)
    if code ~= 0 then
      error(client:output(), 2)
    end
    return outcomes(client)
  end
  return client
end

--- Makes calls and waits for their ends.
-- @return the outcome of each
function grpc.call(address, ...)
  return unpack(grpc.client(address, { ... }).outcomes())
end

return grpc
