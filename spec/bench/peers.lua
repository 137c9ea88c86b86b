--- The proxies that are compared, and the backend behind them.
--
--   local port = peers.origin { size = 1024 }
--   local s = peers.start("nginx", { origin = port })        pinned, serving, proved
--
-- A subject: name, pid, port (HTTP/1.1, or HTTP/2 in clear text where that was asked for), tls_port (with tls).

local loop = require("spec.support.loop")
local place = require("spec.bench.place")
local process = require("spec.support.process")

local peers = {}

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"
local START = {}
for _, name in ipairs { "tidelock", "nginx", "haproxy", "h2o", "floor" } do
  START[name] = require("spec.bench.peers." .. name)
end

--- A backend on the load's core.
-- @param options size (bytes of an answer's body), cores ("both")
-- @return port
function peers.origin(options)
  local core = options.cores ~= "both" and place.LOAD or nil
  local run = process.start(place.on(core, TOOLS .. "/origin-server", "--size", tostring(options.size)),
    { name = "origin-server" })
  return tonumber((run:wait_line("^listening (%d+)$")))
end

--- What curl says of one request.
-- @return status, bytes, version, whether the policy's header is there
local function ask(subject, options)
  local scheme, port = "http", subject.port
  local way = options.http2 and "--http2-prior-knowledge" or "--http1.1"
  if options.tls then
    scheme, port, way = "https", subject.tls_port, options.http2 and "--http2" or "--http1.1"
  end
  local command = "curl -sk -m 10 %s -D - -o /dev/null -w '\\n=%%{http_code} %%{size_download} %%{http_version}' "
    .. "%s://127.0.0.1:%d/ 2>&1"
  local pipe = io.popen(command:format(way, scheme, port))
  local text = pipe:read("*a")
  pipe:close()
  local status, size, version = text:match("=(%d+) (%d+) (%S+)")
  return status, tonumber(size), version, text:lower():find("\nx%-answered: yes") ~= nil
end

--- A proxy that does not do what it says would be cheap.
local function prove(subject, options)
  local deadline = loop.now() + 20
  local status, size, version, answered
  repeat
    status, size, version, answered = ask(subject, options)
  until status == "200" or loop.now() > deadline
  local want = options.http2 and "2" or "1.1"
  if status ~= "200" or size ~= options.size or version ~= want or answered ~= (options.script or false) then
    error(("%s is not what it should be: status %s, %s bytes, HTTP/%s, policy %s\n%s"):format(subject.name, status,
      size, version, tostring(answered), subject.process and subject.process:output() or ""), 0)
  end
end

--- Starts a proxy and has it prove that it serves.
-- @param kind tidelock, nginx, haproxy, h2o, floor
-- @param options origin (port), size (of its answers), name (default: the kind), tls (certificate, key: files), http2
--   (is asked with it: clear text, or with tls by ALPN), script (a policy that reads a header and sets one each way);
--   more for tidelock
function peers.start(kind, options)
  local subject = START[kind](options)
  subject.name = options.name or kind
  if options.route ~= false then
    prove(subject, options)
  end
  return subject
end

return peers
