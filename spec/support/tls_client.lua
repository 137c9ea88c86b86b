--- Real TLS clients against the proxy: curl and openssl s_client. They run as programs while the spec's own
-- loop serves the origins.

local cleanup = require("spec.support.cleanup")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local socket = require("socket")
local stream = require("spec.support.stream")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls")

local tls_client = {}

--- Runs a program to its end.
-- @return exit code, standard output, standard error
local function run(args, name)
  local one = process.start(args, { name = name })
  local code = one:wait_exit()
  local out, err = sys.read_file(one.stdout), sys.read_file(one.stderr)
  one:cleanup()
  cleanup.remove(one)
  return code, out, err
end

local function port_of(p)
  return p.https_address:match(":(%d+)$")
end

--- A connection in the spec's own loop, as proxy:connect makes them.
-- @param host for SNI and Host
-- @param options of tls.dial
-- @return connection; nil, error
function tls_client.connect(p, host, options)
  local own = { name = host }
  for key, value in pairs(options or {}) do
    own[key] = value
  end
  local bytes, err = tls.dial("127.0.0.1", tonumber(port_of(p)), own)
  if not bytes then
    return nil, err
  end
  return http.over(bytes, host)
end

--- curl for https://host/path at the proxy.
-- @param options path, authority (whose certificates are good), args (list)
-- @return { code (curl's), status, body, version, err }
function tls_client.curl(p, host, options)
  options = options or {}
  local port = port_of(p)
  local args = {
    "/usr/bin/curl", "-sS", "-m", "30", "--http1.1", "--cacert",
    (options.authority or pki.authority("Spec CA")).certificate,
    "--connect-to", ("%s:%s:%s"):format(host, port, p.https_address), "-w", "\n%{http_code}",
  }
  for _, arg in ipairs(options.args or {}) do
    args[#args + 1] = arg
  end
  args[#args + 1] = ("https://%s:%s%s"):format(host, port, options.path or "/")
  local code, out, err = run(args, "curl")
  local body, status = out:match("^(.*)\n(%d+)$")
  return { code = code, status = tonumber(status), body = body, err = err }
end

--- openssl s_client; sends one request, reads to the end.
-- @param options host (SNI; false: none), request (text; default: GET / that closes), args (list)
-- @return { code, out, err }
function tls_client.openssl(p, options)
  options = options or {}
  local host = options.host == nil and "a.example" or options.host
  local request = options.request
    or ("GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"):format(host or "a.example")
  local input = sys.temp_dir()
  sys.write_file(input .. "/request", request)
  local args = { "openssl", "s_client", "-connect", p.https_address, "-ign_eof" }
  for _, arg in ipairs(host and { "-servername", host } or { "-noservername" }) do
    args[#args + 1] = arg
  end
  for _, arg in ipairs(options.args or {}) do
    args[#args + 1] = arg
  end
  local command = ("exec %s < %s/request"):format(table.concat(args, " "), input)
  local code, out, err = run({ "/bin/sh", "-c", command }, "s_client")
  os.execute("rm -rf " .. input)
  return { code = code, out = out, err = err }
end

--- The serial number of the certificate that a client is shown.
function tls_client.serial(p, options)
  local got = tls_client.openssl(p, options)
  local pem = got.out:match("(%-%-%-%-%-BEGIN CERTIFICATE.-END CERTIFICATE%-%-%-%-%-)")
  if not pem then
    return nil, got.out .. got.err
  end
  local file = pki.path("seen.pem")
  sys.write_file(file, pem .. "\n")
  return pki.serial(file)
end

--- The first message of openssl s_client.
-- @param version "-tls1_2", "-tls1_3"
function tls_client.hello(version)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local client = process.start({ "/usr/bin/openssl", "s_client", "-connect", "127.0.0.1:" .. port, version,
    "-servername", "a.example" }, { name = "s_client" })
  listener:settimeout(0)
  loop.wait(listener:getfd(), loop.READ, loop.now() + loop.TIMEOUT)
  local one = stream.new(assert(listener:accept()))
  local bytes = one:read(5)
  bytes = bytes .. one:read(bytes:byte(4) * 256 + bytes:byte(5))
  one:close()
  listener:close()
  client:wait_exit()
  return bytes
end

return tls_client
