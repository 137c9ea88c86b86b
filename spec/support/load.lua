--- Load on the proxy that says exactly what came back.
--
--   local l = load.start { url = p.url, connections = 16 }
--   ...
-- local r = l:stop()      -- requests, failed, statuses["200"], origins["a"], connects, p50_us,
-- p99_us, max_us
--
-- failed counts what a client would call broken: refused or broken connections, answers cut
-- short, and answers whose body is not the expected one. Answers with any status are requests;
-- judge them by statuses.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local load = {}
load.__index = load

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"

--- Starts load and waits for the first answer.
-- @param options url; host (Host header), connections (default 8), seconds (default: until
--   stop), body_size (of a request body: POST), expect (text that every 200 has to have as
--   body), close = true (a connection for each request), rate (requests a second over all
--   connections; default: as fast as it goes)
function load.start(options)
  local address, path = options.url:match("^http://([^/]+)(.*)$")
  local args = { TOOLS .. "/load-client", "--address", address, "--path", path ~= "" and path or "/" }
  for option, flag in pairs({
    host = "--host", connections = "--connections", seconds = "--seconds", body_size = "--body-size",
    expect = "--expect", rate = "--rate",
  }) do
    if options[option] then
      args[#args + 1] = flag
      args[#args + 1] = tostring(options[option])
    end
  end
  if options.close then
    args[#args + 1] = "--close"
  end
  local self = setmetatable({ process = process.start(args, { name = "load-client" }) }, load)
  self.process:wait_line("^started$")
  return self
end

local function result(self)
  local code = self.process:wait_exit(120)
  if code ~= 0 then
    error("load-client failed\n" .. self.process:output(), 0)
  end
  return cjson.decode(sys.read_file(self.process.stdout):match("({.*})"))
end

--- Ends the load: requests that are under way are still answered.
function load:stop()
  self.process:signal("TERM")
  return result(self)
end

--- Waits for the end of a load that was given its seconds.
function load:wait()
  return result(self)
end

--- Lets the load go on for a while, with origins served.
function load:run_for(seconds)
  loop.delay(seconds)
end

return load
