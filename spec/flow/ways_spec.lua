-- The abstraction holds: every flow of "traffic under control", and of messages as such, over every way to talk to
-- the proxy and, where the backend's part in it differs, to every kind of backend. One table of cases; none knows a
-- version. A case: name, run(setting), schemes (of backends; default: http alone).

local backends = require("spec.support.backends")
local pki = require("spec.support.pki")
local group = require("spec.support.group")
local web = require("spec.support.web")

local CASES = {}
for _, name in ipairs { "circuits", "drains", "maintenance", "guards", "members", "messages", "paths", "ends" } do
  for _, case in ipairs(require("spec.flow.ways." .. name)) do
    CASES[#CASES + 1] = case
  end
end

--- What a case gets: the proxy with its group, backends and a client of the way.
local setting = {}
setting.__index = setting

function setting:backend(handler)
  return backends.start(self.scheme, handler)
end

--- Starts a group of backends (or URLs), options as group.start takes them.
function setting:group(members, options)
  local own, urls = web.listening(options), {}
  for i, member in ipairs(members) do
    urls[i] = type(member) == "string" and member or member.url
  end
  if self.scheme == "https" then
    own.config.backend_tls = { authorities = { internal = pki.authority().certificate } }
    own.options = own.options or {}
    own.options.tls_ca = "internal"
  end
  self.g = group.start(urls, own)
  self.client = web.client(self.g.proxy, self.way)
  return self.g
end

--- A further client, on a connection of its own.
function setting:another(options)
  return web.client(self.g.proxy, self.way, options)
end

function setting:request(request)
  return self.client:request(request)
end

function setting:get(path, headers)
  return self.client:request { path = path or "/", headers = headers }
end

for _, way in ipairs(web.WAYS) do
  describe("over " .. way.name, function()
    for _, case in ipairs(CASES) do
      for _, scheme in ipairs(case.schemes or { "http" }) do
        it(case.name .. (case.schemes and (" (%s backend)"):format(scheme) or ""), function()
          case.run(setmetatable({ way = way, scheme = scheme }, setting))
        end)
      end
    end
  end)
end
