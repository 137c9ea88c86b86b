--- Loads on a proxy, from the load's core. Each runs for its time and says
--   { requests, rps, p50, p99 (us), errors (text, or nil) }

local cjson = require("cjson")
local place = require("spec.bench.place")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local loads = {}

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"
local UNITS = { us = 1, ms = 1e3, s = 1e6, m = 6e7 }

-- What clients of TLS that take OpenSSL's defaults are to offer, so that all proxies do the same work.
local OPENSSL_CONF = [[
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
]]

local function run(core, command, env)
  local process_run = process.start(place.on(core, unpack(command)), { name = command[1], env = env })
  local code = process_run:wait_exit(120)
  local out, err = sys.read_file(process_run.stdout), sys.read_file(process_run.stderr)
  process_run:cleanup()
  require("spec.support.cleanup").remove(process_run)
  if code ~= 0 then
    error(("%s failed: %s%s"):format(command[1], out, err), 0)
  end
  return out
end

local function add(list, ...)
  for _, word in ipairs { ... } do
    list[#list + 1] = word
  end
end

local function url(subject, tls)
  return ("%s://127.0.0.1:%d/"):format(tls and "https" or "http", tls and subject.tls_port or subject.port)
end

local function core_of(options)
  return options.cores ~= "both" and place.LOAD or nil
end

local openssl_conf

--- Environment with that configuration of OpenSSL.
local function tls_environment()
  if not openssl_conf then
    openssl_conf = place.dir .. "/openssl.cnf"
    sys.write_file(openssl_conf, OPENSSL_CONF)
  end
  return { OPENSSL_CONF = openssl_conf }
end

local function wrk_time(text, share)
  local value, unit = text:match("\n%s+" .. share .. "%%%s+([%d.]+)(%a+)")
  return value and tonumber(value) * UNITS[unit] or 0
end

--- wrk, over kept connections.
-- @param options connections, seconds (whole), tls, header, script (file), threads, cores, under (a command line that
--   runs wrk)
function loads.wrk(subject, options)
  local command = { unpack(options.under or {}) }
  add(command, place.program("wrk"), "-t" .. (options.threads or 1), "-c" .. options.connections,
    ("-d%ds"):format(options.seconds), "--latency")
  for option, flag in pairs { script = "-s", header = "-H" } do
    if options[option] then
      add(command, flag, options[option])
    end
  end
  add(command, url(subject, options.tls))
  local text = run(core_of(options), command, options.tls and tls_environment())
  return {
    requests = tonumber(text:match("(%d+) requests in")), rps = tonumber(text:match("Requests/sec:%s+([%d.]+)")),
    p50 = wrk_time(text, "50"), p99 = wrk_time(text, "99"),
    errors = text:match("Socket errors:[^\n]*") or text:match("Non%-2xx[^\n]*"),
  }
end

local function from_json(text)
  local r = cjson.decode(text:match("({.*})"))
  return {
    requests = r.requests, rps = r.requests / r.seconds, p50 = r.p50_us, p99 = r.p99_us, resumed = r.resumed,
    errors = r.failed > 0 and ("%d failed"):format(r.failed) or nil, statuses = r.statuses,
  }
end

--- load-client (spec/support): bodies, new connections, a rate.
-- @param options connections, seconds, body_size, close, rate, host, cores
function loads.client(subject, options)
  local command = { TOOLS .. "/load-client", "--address", "127.0.0.1:" .. subject.port,
    "--connections", tostring(options.connections), "--seconds", tostring(options.seconds) }
  for option, flag in pairs { body_size = "--body-size", rate = "--rate", host = "--host" } do
    if options[option] then
      add(command, flag, tostring(options[option]))
    end
  end
  add(command, options.close and "--close" or nil)
  local result = from_json(run(core_of(options), command))
  if not result.errors and result.statuses["200"] ~= result.requests then
    result.errors = "answers that are no 200: " .. cjson.encode(result.statuses)
  end
  return result
end

--- A TLS handshake for each request.
-- @param options connections, seconds, resume
function loads.handshakes(subject, options)
  return from_json(run(place.LOAD, { TOOLS .. "/bench-tls-client", "--port", tostring(subject.tls_port),
    "--connections", tostring(options.connections), "--seconds", tostring(options.seconds),
    options.resume and "--resume" or nil }))
end

--- Time of requests in h2load's log, us, a line each: too many for Lua.
local function h2load_time(log, share)
  local command = "cut -f3 %s | sort -n | awk '{ v[NR] = $1 } END { print v[int(NR * %.2f) + 1] }'"
  local pipe = assert(io.popen(command:format(log, share)))
  local value = pipe:read("*n")
  pipe:close()
  return value or 0
end

--- h2load: so many requests, over a few connections with many streams.
-- @param options clients, streams, requests, tls
function loads.h2load(subject, options)
  local log = place.dir .. "/h2load.log"
  local text = run(place.LOAD, { place.program("h2load"), "-n" .. options.requests, "-c" .. options.clients,
    "-m" .. options.streams, "--log-file=" .. log, "--tls13-ciphers=TLS_AES_128_GCM_SHA256",
    url(subject, options.tls) })
  local done = tonumber(text:match("(%d+) 2xx")) or 0
  local result = {
    requests = done, rps = tonumber(text:match("([%d.]+) req/s")),
    p50 = h2load_time(log, .5), p99 = h2load_time(log, .99),
    errors = done ~= options.requests and text or nil, tls = text:match("TLS Protocol: ([^\n]*)"),
    cipher = text:match("Cipher: ([^\n]*)"),
  }
  os.remove(log)
  return result
end

return loads
