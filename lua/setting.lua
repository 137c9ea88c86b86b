--- How the settings of the scopes health, ratelimit and circuit are written down: the checked
-- fields joined by "|", durations in ms, as src/control/config_set.h says. Commands and the
-- configuration file use the same words.

local setting = {}

--- Highest counts that are taken.
setting.COUNT_MAX = 1000000000

--- @param path string; interval, timeout: ms
function setting.health(path, interval, timeout)
  return ("%s|%d|%d"):format(path, interval, timeout)
end

--- @param requests integer; window: ms
function setting.ratelimit(requests, window)
  return ("%d|%d"):format(requests, window)
end

--- @param threshold integer; timeout: ms; half_open_requests: integer
function setting.circuit(threshold, timeout, half_open_requests)
  return ("%d|%d|%d"):format(threshold, timeout, half_open_requests)
end

return setting
