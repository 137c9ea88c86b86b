--- How the settings of the scopes health, ratelimit and circuit are written down: the checked
-- fields joined by "|", durations in ms, as src/control/config_set.h says. Commands and the
-- configuration file use the same words.

local json = require("json")

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

local FIELDS = {
  health = { "path", "interval_ms", "timeout_ms" },
  ratelimit = { "requests", "window_ms" },
  circuit = { "threshold", "timeout_ms", "half_open_requests" },
}

--- What a setting says, for an answer.
-- @param scope string: "health", "ratelimit" or "circuit"
-- @param text string, or nil when it is not set
-- @return object; JSON's null for nil
function setting.describe(scope, text)
  if not text then
    return json.null
  end
  local object, part = {}, text:gmatch("[^|]+")
  for i, name in ipairs(FIELDS[scope]) do
    local value = part()
    object[2 * i - 1] = name
    object[2 * i] = name == "path" and value or tonumber(value)
  end
  return json.object(unpack(object))
end

return setting
