--- h2o of Debian: one thread, kept connections to the backend, no access log. Its keys stay in the process: by default
-- it signs in another one.

local place = require("spec.bench.place")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local CONFIG = [[
num-threads: 1
user: root
$listen
hosts:
  default:
    paths:
      "/":
        proxy.reverse.url: "http://127.0.0.1:$origin/"
        proxy.preserve-host: ON
        proxy.timeout.keepalive: 60000
]]

local PLAIN = [[
listen:
  host: 127.0.0.1
  port: $port
]]

local TLS = [[
listen:
  host: 127.0.0.1
  port: $port
  ssl:
    certificate-file: $certificate
    key-file: $key
    minimum-version: TLSv1.2
    neverbleed: OFF
]]

return function(options)
  local dir, port = sys.temp_dir(), place.port()
  local values = { origin = options.origin, port = port }
  if options.tls then
    values.certificate, values.key = options.tls.certificate, options.tls.key
  end
  values.listen = (options.tls and TLS or PLAIN):gsub("%$(%w+)", values)
  sys.write_file(dir .. "/h2o.conf", (CONFIG:gsub("%$(%w+)", values)))
  local run = process.start(place.on(place.PROXY, place.program("h2o"), "-m", "worker", "-c", dir .. "/h2o.conf"),
    { name = "h2o", dir = dir })
  run.own_dir = true
  return { pid = run.pid, process = run, port = port, tls_port = options.tls and port }
end
