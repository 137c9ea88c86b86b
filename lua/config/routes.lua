--- The routes of the configuration file, in the registry's terms.

local check = require("config.check")
local host = require("host")
local lines = require("config.lines")
local setting = require("setting")

local routes = {}

local ROUTE = {
  "domains", "path", "backend_url", "priority", "headers", "options", "health", "ratelimit",
  "circuit",
}

--- The fields of each scope that is one setting, with their types.
local SCOPES = {
  health = { { "path", "text" }, { "interval", "duration" }, { "timeout", "duration" } },
  ratelimit = { { "requests", "count" }, { "window", "duration" } },
  circuit = {
    { "threshold", "count" }, { "timeout", "duration" }, { "half_open_requests", "count" },
  },
}

local READ = {
  text = function(value)
    return type(value) == "string" and value, "a text"
  end,
  count = function(value)
    local whole = type(value) == "number" and value % 1 == 0 and value >= 1
      and value <= setting.COUNT_MAX
    return whole and value, ("a whole number from 1 to %d"):format(setting.COUNT_MAX)
  end,
  duration = function(value)
    local text = type(value) == "number" and ("%.3f"):format(value) or value
    local ms = type(text) == "string" and host.duration(text)
    return ms and ms > 0 and ms, "a duration longer than 0: \"10s\""
  end,
}

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

--- Adds a setting that C knows how to check.
local function add(route, scope, key, value, path, problems)
  local ok, err = host.setting_check(scope, key, value)
  if not ok then
    problems(path, ("%s: %s"):format(path, err))
    return
  end
  table.insert(route.settings, { scope = scope, key = key, value = value })
end

--- Reads a scope of keys and values: headers, options.
local function read_pairs(route, scope, values, path, problems)
  if type(values) ~= "table" then
    problems(path, path .. " has to be a table: { key = value }")
    return
  end
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = values[key]
    if value == nil or type(value) == "table" or type(value) == "function" then
      problems(path, ("%s.%s has to be a text, under a name"):format(path, key))
    else
      add(route, scope, key, tostring(value), lines.join(path, key), problems)
    end
  end
end

--- Reads a scope that is one setting: health, ratelimit, circuit.
local function read_fields(route, scope, values, path, problems)
  if type(values) ~= "table" then
    problems(path, path .. " has to be a table")
    return
  end
  local names, read, complete = {}, {}, true
  for i, field in ipairs(SCOPES[scope]) do
    names[i] = field[1]
    local value, says = READ[field[2]](values[field[1]])
    if not value then
      local at = lines.join(path, field[1])
      problems(at, ("%s has to be %s"):format(at, says))
      complete = false
    end
    read[i] = value
  end
  check.keys(values, path, names, problems)
  if complete then
    add(route, scope, "", setting[scope](unpack(read)), path, problems)
  end
end

--- The domains of a route as a list; nil when they are none.
local function domain_list(value)
  local list = is_text(value) and { value } or value
  if type(list) ~= "table" or #list == 0 then
    return nil
  end
  for _, domain in ipairs(list) do
    if not is_text(domain) then
      return nil
    end
  end
  return list
end

--- Reads domains, path, backend_url and priority.
local function read_place(route, values, path, problems)
  route.domains = domain_list(values.domains)
  route.path = values.path == nil and "/" or values.path
  route.backend_url = values.backend_url
  route.priority = values.priority == nil and 0 or values.priority
  if not route.domains then
    problems(path .. ".domains", path .. ".domains has to be a host name or a list of them")
  end
  if not is_text(route.path) then
    problems(path .. ".path", path .. ".path has to be a text that starts with \"/\"")
  end
  if not is_text(route.backend_url) then
    local example = "\"http://127.0.0.1:80\""
    problems(path .. ".backend_url", path .. ".backend_url has to be a URL: " .. example)
  end
  if type(route.priority) ~= "number" or route.priority % 1 ~= 0 then
    problems(path .. ".priority", path .. ".priority has to be a whole number")
  end
end

local function read_route(values, path, problems)
  local route = { settings = {}, at = path }
  read_place(route, values, path, problems)
  check.keys(values, path, ROUTE, problems)
  for _, scope in ipairs({ "headers", "options" }) do
    if values[scope] ~= nil then
      read_pairs(route, scope, values[scope], lines.join(path, scope), problems)
    end
  end
  for _, scope in ipairs({ "health", "ratelimit", "circuit" }) do
    if values[scope] ~= nil then
      read_fields(route, scope, values[scope], lines.join(path, scope), problems)
    end
  end
  return route
end

--- @param list what the file has under routes, or nil
-- @param problems function(path, text): called for each problem
-- @return list of { domains, path, backend_url, priority, at (its path in the file),
--   settings = { { scope, key, value }, ... } }
function routes.read(list, problems)
  local result = {}
  if type(list) ~= "table" and list ~= nil then
    problems("routes", "routes has to be a list of tables: routes = { { domains = ... }, ... }")
    list = nil
  end
  for key, values in pairs(list or {}) do
    local path = lines.join("routes", key)
    if type(key) ~= "number" or type(values) ~= "table" then
      problems(path, path .. " has to be a table in a list: { domains = ..., backend_url = ... }")
    else
      result[#result + 1] = read_route(values, path, problems)
    end
  end
  return result
end

return routes
