--- What the suite of faults serves: backends of all kinds whose every answer can be told to be right or wrong, a
-- proxy in front of them, and clients that say what is wrong with an answer.

local socket = require("socket")
local backends = require("spec.support.backends")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local web = require("spec.support.web")
local websocket = require("spec.support.websocket")

local world = {}
world.__index = world

--- Host of each route, and the backend behind it. All but the last answer.
world.HOSTS = { "a.example", "h2.example", "tls.example", "name.example", "dead.example" }

local LINE = "0123456789abcdefghijklmnopqrstuvwxyz, over and over again.\n"
world.BIG = LINE:rep(5000)
world.UPLOAD = LINE:rep(3000)

local function sum(text)
  local n = 0
  for i = 1, #text, 97 do
    n = (n * 31 + text:byte(i)) % 1000003
  end
  return n
end

--- The body that a request's answer has.
local function answer_to(name, method, path, body)
  if path:find("^/big") then
    return world.BIG
  elseif method == "POST" then
    return ("%s got %d bytes, sum %d"):format(name, #body, sum(body))
  end
  return ("%s %s"):format(name, path)
end

local function handler(name)
  return function(request)
    return { headers = { ["Content-Type"] = "text/plain" },
      body = answer_to(name, request.method, request.path or request.target, request.body or "") }
  end
end

-- Answers upgrades, too.
local function plain(name)
  local upgrade, answer = websocket.handler(), handler(name)
  return origin.start(function(request)
    return (request.headers.Upgrade and upgrade or answer)(request)
  end)
end

-- Bound, so that nobody else gets it, and not listening.
local function a_dead_port()
  local held = assert(socket.tcp4())
  assert(held:bind("127.0.0.1", 0))
  cleanup.add { cleanup = function()
    held:close()
  end }
  local _, port = held:getsockname()
  return "http://127.0.0.1:" .. port
end

--- Backends and certificates; used by every proxy of a run.
function world.backends()
  local named = plain("name.example")
  return {
    ["a.example"] = plain("a.example").url,
    ["h2.example"] = backends.start("h2c", handler("h2.example")).url,
    ["tls.example"] = backends.start("https", handler("tls.example")).url,
    ["name.example"] = named.url:gsub("127%.0%.0%.1", "localhost"),
    ["dead.example"] = a_dead_port(),
  }
end

--- Starts a proxy with a fault.
-- @param fail value of TIDELOCK_FAIL
-- @return world; nil, its process, when it refused to start
function world.start(fail, options)
  local self = setmetatable({ urls = world.backends(), wrong = {} }, world)
  local certificate = pki.pair(pki.certificate { names = world.HOSTS })
  local p, ended = proxy.try {
    binary = options and options.binary, workers = 2, https = true, env = { TIDELOCK_FAIL = fail },
    config = {
      health_checks = true, timeouts = { shutdown = "2s" }, compression = { min_size = 0 },
      tls = { certificates = { certificate } },
      backend_tls = { authorities = { internal = pki.authority().certificate } },
    },
  }
  self.proxy = p
  return p and self, ended
end

--- Notes what must not be, whatever has failed.
function world:complain(...)
  self.wrong[#self.wrong + 1] = string.format(...)
end

--- Is it an answer that a request may get while something fails?
function world:judge(host, request, r)
  local what = ("%s %s of %s"):format(request.method or "GET", request.path, host)
  local expected = answer_to(host, request.method or "GET", request.path, request.body or "")
  if not r.status then
    return
  elseif r.status == 200 and not r.cut and r.body ~= expected then
    self:complain("%s: wrong body (%d bytes)", what, #(r.body or ""))
  elseif r.status == 200 and r.cut and expected:sub(1, #(r.body or "")) ~= (r.body or "") then
    self:complain("%s: wrong beginning of a body that was cut", what)
  elseif r.status ~= 200 and (r.status < 400 or r.headers and not r.headers["Proxy-Status"]) then
    self:complain("%s: a %d that nobody has made", what, r.status)
  end
end

--- Sends a request; whatever becomes of it is judged.
-- @return response; nil when there was none
function world:try(client, host, request)
  request.host, request.path = host, request.path or "/x"
  local began = loop.now()
  local ok, r = pcall(client.request, client, request)
  if loop.now() - began >= loop.TIMEOUT then
    self:complain("%s of %s: no answer in time over %s", request.path, host, client.way.name)
  end
  if not ok then
    return nil
  end
  self:judge(host, request, r)
  return r
end

--- A client of one of web.WAYS, by number.
function world:client(way)
  return web.client(self.proxy, web.WAYS[way])
end

--- Ends all that was started.
function world.finish()
  local err = cleanup.run(false)
  return loop.reset() or err
end

return world
