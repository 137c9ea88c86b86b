--- Run by busted before the specs. Loads what has state or declares C once (busted forgets
-- modules between files), and ends after each spec all that it started, in `it` or in
-- before_each.

-- The packaged LuaJIT now and then crashes in compiled code that handles long strings; nothing here
-- needs its speed.
require("jit").off()

local busted = require("busted")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")

for _, name in ipairs({ "sys", "process", "stream", "message", "http", "origin", "registry", "proxy", "load",
  "unit" }) do
  require("spec.support." .. name)
end

-- Origins still answer while the proxies stop; whatever waits is forgotten then.
local function finish(failed)
  local first = cleanup.run(failed)
  local left = loop.reset()
  return first or left
end

local wrapped = setmetatable({}, { __mode = "k" })

-- A spec that went well ends what it started as its own last act, so that a bad end (an exit
-- code, a sanitizer's report, an assertion that failed in an origin) makes it fail.
busted.subscribe({ "test", "start" }, function(element)
  if not wrapped[element] then
    wrapped[element] = true
    local run = element.run
    element.run = function(...)
      run(...)
      local err = finish(false)
      if err then
        error(err, 0)
      end
    end
  end
  return nil, true
end)

-- After a spec that failed there is still something to end; the proxies print their logs.
busted.subscribe({ "test", "end" }, function()
  local err = finish(true)
  if err then
    io.stderr:write("\nafter the failure: ", tostring(err), "\n")
  end
  return nil, true
end)

return true
