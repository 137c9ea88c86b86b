--- HAProxy of Debian: one thread, kept connections to the backend, X-Forwarded-For, no log.

local place = require("spec.bench.place")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local CONFIG = [[
global
  nbthread 1
  maxconn 9000
  $load
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:$port$http2
  $tls
  $ask
  $answer
  default_backend out
backend out
  server origin 127.0.0.1:$origin pool-max-conn 512
]]

local SCRIPT = [[
core.register_action("ask", { "http-req" }, function(txn)
  if txn.sf:req_hdr("User-Agent") ~= "" then
    txn.http:req_set_header("X-Seen", "yes")
  end
end)
core.register_action("answer", { "http-res" }, function(txn)
  txn.http:res_set_header("X-Answered", "yes")
end)
]]

return function(options)
  local dir = sys.temp_dir()
  local values = {
    origin = options.origin, port = place.port(), http2 = options.http2 and " proto h2" or "", tls = "", load = "",
    ask = "", answer = "",
  }
  local tls_port = options.tls and place.port()
  if options.tls then
    sys.write_file(dir .. "/both.pem", sys.read_file(options.tls.certificate) .. sys.read_file(options.tls.key))
    values.tls = ("bind 127.0.0.1:%d ssl crt %s/both.pem alpn h2,http/1.1"):format(tls_port, dir)
  end
  if options.script then
    sys.write_file(dir .. "/script.lua", SCRIPT)
    values.load = "lua-load " .. dir .. "/script.lua"
    values.ask, values.answer = "http-request lua.ask", "http-response lua.answer"
  end
  sys.write_file(dir .. "/haproxy.cfg", (CONFIG:gsub("%$(%w+)", values)))
  local run = process.start(place.on(place.PROXY, place.program("haproxy"), "-db", "-f", dir .. "/haproxy.cfg"),
    { name = "haproxy", dir = dir })
  run.own_dir = true
  return { pid = run.pid, process = run, port = values.port, tls_port = tls_port }
end
