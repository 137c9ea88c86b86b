--- nginx of Debian: one process, defaults but for kept connections to the backend, the forwarded headers that tidelock
-- sends, and no access log.

local place = require("spec.bench.place")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local CONFIG = [[
$modules
worker_processes 1;
master_process off;
daemon off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi;
  scgi_temp_path $dir/scgi;
  keepalive_requests 100000000;
  upstream origin { server 127.0.0.1:$origin; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:$port$http2;
    $tls
    location / {
      $script
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }
}
]]

local TLS = [[
listen 127.0.0.1:$tls_port ssl http2;
    ssl_certificate $certificate;
    ssl_certificate_key $key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;]]

local SCRIPT = [[
access_by_lua_block {
        if ngx.var.http_user_agent then
          ngx.req.set_header("X-Seen", "yes")
        end
      }
      header_filter_by_lua_block { ngx.header["X-Answered"] = "yes" }]]

local MODULES = [[
load_module $modules/ndk_http_module.so;
load_module $modules/ngx_http_lua_module.so;]]

--- Where Debian keeps the modules.
local function modules()
  local directory = "/usr/lib/nginx/modules"
  if not sys.read_file(directory .. "/ngx_http_lua_module.so") then
    error("nginx has no Lua module: make bench-deps", 0)
  end
  return directory
end

-- nginx's own variables stay as they are.
local function fill(text, values)
  return (text:gsub("%$([%a_%d]+)", values))
end

return function(options)
  local dir = sys.temp_dir()
  local values = {
    dir = dir, origin = options.origin, port = place.port(), tls_port = place.port(),
    tls = "", script = "", modules = "", http2 = options.http2 and " http2" or "",
  }
  if options.tls then
    values.certificate, values.key = options.tls.certificate, options.tls.key
    values.tls = fill(TLS, values)
  end
  if options.script then
    values.script, values.modules = SCRIPT, MODULES:gsub("%$modules", modules())
  end
  sys.write_file(dir .. "/nginx.conf", fill(CONFIG, values))
  local run = process.start(place.on(place.PROXY, place.program("nginx"), "-c", dir .. "/nginx.conf"),
    { name = "nginx", dir = dir })
  run.own_dir = true
  return { pid = run.pid, process = run, port = values.port, tls_port = options.tls and values.tls_port }
end
