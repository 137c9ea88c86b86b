--- Reads a configuration file: Lua used as data.

local check = require("config.check")
local host = require("host")
local lines = require("config.lines")
local routes = require("config.routes")

local config = {}

--- The file's globals: what it sets becomes the configuration, what it never set is no value.
local function environment()
  return setmetatable({}, {
    __index = function(_, name)
      local example = check.group_example(name)
      local advice = example and "write its settings in a table: " .. example or "put texts in quotes"
      error(("%s has no value here; %s"):format(name, advice), 2)
    end,
  })
end

--- What Lua says that needs more words here.
local WORDS = {
  ["not enough memory"] = "takes too much memory; the file is data, it needs no more than a few MiB",
  ["attempt to load chunk with wrong mode"] = "is compiled; the file has to be text",
}

--- Why the file did not load or run: its line and the reason.
local function reason(err)
  local line, text = tostring(err):match("^config:(%d+): (.*)$")
  text = text or tostring(err)
  return tonumber(line), WORDS[text] or text
end

--- Runs the file.
-- @return table: what it has set; or nil, line or nil, reason
local function run(text)
  local env = environment()
  local ok, result = host.run(text, env)
  if not ok then
    local line, why = reason(result)
    return nil, line, why
  elseif result ~= nil and type(result) ~= "table" then
    return nil, 1, "the file may return a table of settings, nothing else"
  end
  setmetatable(env, nil)
  for key, value in pairs(result or {}) do
    env[key] = value
  end
  return env
end

--- A collector of problems: add(path, text), and their text in the order of lines.
local function collector(text, path)
  local line_of, list = lines.finder(text), {}
  local function add(at, what)
    list[#list + 1] = { line = line_of(at), text = what, order = #list }
  end
  local function report()
    table.sort(list, function(a, b)
      if a.line == b.line then
        return a.order < b.order
      end
      return a.line < b.line
    end)
    local out = {}
    for i, problem in ipairs(list) do
      out[i] = ("%s:%d: %s"):format(path, problem.line, problem.text)
    end
    return #out > 0 and table.concat(out, "\n") or nil
  end
  return add, report, line_of
end

--- Options of static routes whose value is a name of a setting.
local NAMED = { tls_ca = "backend_tls.authorities", tls_cert = "backend_tls.certificates" }

--- Has the configuration what its own routes name?
local function check_names(route, settings, add)
  for _, own in ipairs(route.settings) do
    local path = own.scope == "options" and NAMED[own.key]
    local found = not path
    for _, entry in ipairs(path and settings[path] or {}) do
      found = found or entry.name == own.value
    end
    if not found then
      local at = lines.join(lines.join(route.at, "options"), own.key)
      add(at, ("%s: there is no %s.%s"):format(at, path, own.value))
    end
  end
end

--- Checks a configuration.
-- @param text string: the file's content
-- @param path string: its name, for messages
-- @return { settings = dotted path to value, static_routes = list, line_of = function(path): its line }; or nil,
--   problems: a line each
function config.load(text, path)
  local values, line, why = run(text)
  if not values then
    return nil, ("%s:%d: %s"):format(path, line or 1, why)
  end
  local add, report, line_of = collector(text, path)
  local settings = check.settings(values, add)
  local static_routes = routes.read(values.routes, add)
  local most = settings["limits.routes_per_session"]
  if most and #static_routes > most then
    add("routes", ("routes: too many routes: limits.routes_per_session = %d"):format(most))
  end
  for _, route in ipairs(static_routes) do
    check_names(route, settings, add)
  end
  for i, pair in ipairs(settings["tls.certificates"] or {}) do
    pair.line = line_of(("tls.certificates.%d"):format(i))
  end
  local problems = report()
  if problems then
    return nil, problems
  end
  return { settings = settings, static_routes = static_routes, line_of = line_of }
end

return config
