--- A service behind a request policy, for the specs of scripts/policies/.
--
--   local b = behind.start("rewrite", "strip=/a")
--   b:get("/a/x").status; b:received().target; b.proxy, b.origin, b.session
--
-- A policy of one's own: behind.own(body of the returned table, args).

local cleanup = require("spec.support.cleanup")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local registry = require("spec.support.registry")
local sys = require("spec.support.sys")

local behind = {}
behind.__index = behind

--- @param policy string: its name
-- @param args string: policy_args, or nil
-- @param options handler (of the backend), origin (options of its origin.start), config, scripts, workers (default 1),
--   host
function behind.start(policy, args, options)
  options = options or {}
  local self = setmetatable({ origin = origin.start(options.handler, options.origin) }, behind)
  self.proxy = proxy.start {
    workers = options.workers or 1, config = options.config, scripts = options.scripts,
    route = { host = options.host, to = self.origin.url, options = { policy = policy, policy_args = args } },
  }
  self.session = self.proxy.session
  return self
end

--- A directory of scripts with policies of one's own: name to text.
function behind.scripts(policies)
  local dir = sys.temp_dir()
  os.execute("cp -r scripts/commands scripts/hooks scripts/health scripts/maintenance " .. dir)
  os.execute("mkdir " .. dir .. "/policies")
  for name, text in pairs(policies) do
    sys.write_file(("%s/policies/%s.lua"):format(dir, name), text)
  end
  cleanup.add({ cleanup = function() os.execute("rm -rf " .. dir) end })
  return dir
end

--- The same for one policy, "own", whose table has these lines beside its summary.
function behind.own(lines, args, options)
  options = options or {}
  options.scripts = behind.scripts { own = ('return { summary = "", %s }\n'):format(lines) }
  return behind.start("own", args, options)
end

--- The same with the body of on_request alone.
function behind.asked(body, args, options)
  return behind.own(("on_request = function(req)\n%s\nend"):format(body), args, options)
end

--- The same with the body of on_response alone.
function behind.answered(body, args, options)
  return behind.own(("on_response = function(res, req)\n%s\nend"):format(body), args, options)
end

function behind:get(path, request)
  return self.proxy:get(path, request)
end

--- What the backend received last.
function behind:received()
  return self.origin.requests[#self.origin.requests]
end

--- A second member of the route's group, in a session of its own.
-- @return its origin, its session
function behind:join(instance, handler, options)
  local other = origin.start(handler)
  local session = registry.connect(self.proxy.registry_address)
  session:register("spec", instance)
  session:route { to = other.url, options = options }
  return other, session
end

return behind
