--- The floor: spec/bench/floor.c.

local place = require("spec.bench.place")
local process = require("spec.support.process")

local TOOLS = os.getenv("TIDELOCK_TOOLS") or "build"

return function(options)
  local run = process.start(place.on(place.PROXY, TOOLS .. "/bench-floor", tostring(options.origin)),
    { name = "floor" })
  return { pid = run.pid, process = run, port = tonumber((run:wait_line("^listening (%d+)$"))) }
end
