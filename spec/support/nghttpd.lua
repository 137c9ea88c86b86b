--- nghttpd, a server of files that speaks HTTP/2 and nothing else, as a backend.

local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local process = require("spec.support.process")
local stream = require("spec.support.stream")

local nghttpd = { DIRECTORY = "spec/support" }

--- Starts one that serves nghttpd.DIRECTORY and prints what it gets.
-- @param files certificate and key: with TLS; nil: without
-- @param quiet it prints nothing of that: for load
-- @return process; url
function nghttpd.start(files, quiet)
  local port = origin.refusing_url():match("%d+$")
  local args = { "/usr/sbin/nghttpd", quiet and "-n1" or "-v", "-a", "127.0.0.1", "-d", nghttpd.DIRECTORY }
  if not files then
    args[#args + 1] = "--no-tls"
  end
  args[#args + 1] = port
  if files then
    args[#args + 1], args[#args + 2] = files.key, files.certificate
  end
  local server = process.start(args, { name = "nghttpd", env = { LD_PRELOAD = "" } })
  loop.eventually(function()
    local bytes = stream.connect("127.0.0.1", tonumber(port))
    if bytes then
      bytes:close()
    end
    return bytes
  end)
  server.url = (files and "h2://127.0.0.1:" or "h2c://127.0.0.1:") .. port
  return server
end

return nghttpd
