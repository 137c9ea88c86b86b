--- What busted prints: busted's own plain report, and for spec/support/suite.sh the counts as
-- "passed failed" in the file named by TIDELOCK_COUNTS, and in the file named by TIDELOCK_TIMES a line
-- "seconds status file name" for each spec.

return function(options)
  local handler = require("busted.outputHandlers.plainTerminal")(options)
  local busted = require("busted")
  local monotime = require("system").monotime

  local times = os.getenv("TIDELOCK_TIMES")
  if times then
    local file, started = assert(io.open(times, "w")), nil
    busted.subscribe({ "test", "start" }, function()
      started = monotime()
      return nil, true
    end)
    busted.subscribe({ "test", "end" }, function(element, _, status)
      local source = element.trace and element.trace.short_src or "?"
      file:write(("%.2f %s %s %s\n"):format(monotime() - started, status, source, handler.getFullName(element)))
      file:flush()
      return nil, true
    end)
  end

  busted.subscribe({ "suite", "end" }, function()
    local path = os.getenv("TIDELOCK_COUNTS")
    if path then
      local file = assert(io.open(path, "w"))
      file:write(handler.successesCount, " ", handler.failuresCount + handler.errorsCount, "\n")
      file:close()
    end
    return nil, true
  end)

  return handler
end
