--- nghttpd, a server of files that speaks HTTP/2 and nothing else, as a backend.

local origin = require("spec.support.origin")
local process = require("spec.support.process")

local nghttpd = { DIRECTORY = "spec/support" }

--- Starts one that serves nghttpd.DIRECTORY and prints what it gets.
-- @param files certificate and key: with TLS; nil: without
-- @return process; url
function nghttpd.start(files)
  local port = origin.refusing_url():match("%d+$")
  local args = { "/usr/sbin/nghttpd", "-v", "-a", "127.0.0.1", "-d", nghttpd.DIRECTORY }
  if not files then
    args[#args + 1] = "--no-tls"
  end
  args[#args + 1] = port
  if files then
    args[#args + 1], args[#args + 2] = files.key, files.certificate
  end
  local server = process.start(args, { name = "nghttpd", env = { LD_PRELOAD = "" } })
  server:wait_line("listen")
  server.url = (files and "h2://127.0.0.1:" or "h2c://127.0.0.1:") .. port
  return server
end

return nghttpd
