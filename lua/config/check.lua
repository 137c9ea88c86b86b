--- Checks what a configuration file has set against the schema, and fills in the defaults.

local host = require("host")
local lines = require("config.lines")
local schema = require("config.schema")
local suggest = require("config.suggest")
local types = require("config.types")

local check = {}

--- Reports keys of a table that nobody knows.
-- @param values table
-- @param path string: the table's own path
-- @param known list of strings
-- @param problems function(path, text)
function check.keys(values, path, known, problems)
  local is_known = {}
  for _, key in ipairs(known) do
    is_known[key] = true
  end
  for key in pairs(values) do
    if not is_known[key] then
      local shown = type(key) == "string" and ("%q"):format(key) or "[" .. tostring(key) .. "]"
      local place = path ~= "" and " in " .. path or ""
      local advice = suggest.advice(tostring(key), known)
      problems(lines.join(path, key), ("unknown key %s%s%s"):format(shown, place, advice))
    end
  end
end

--- The tables that group settings: name to their settings' names; "" holds the outermost names.
local function group_names()
  local groups = { [""] = {} }
  for _, setting in ipairs(schema) do
    local group, name = setting.path:match("^(.*)%.(.*)$")
    if group and not groups[group] then
      groups[group] = {}
      table.insert(groups[""], group)
    end
    table.insert(groups[group or ""], name or setting.path)
  end
  return groups
end

--- How a group of settings is written; nil when there is no such group.
-- @param name string
function check.group_example(name)
  local names = name ~= "" and group_names()[name]
  return names and ("%s = { %s = ... }"):format(name, names[1]) or nil
end

--- Checks the keys of the file and of its groups.
local function check_groups(values, problems)
  for group, names in pairs(group_names()) do
    local inside = values
    if group ~= "" then
      inside = values[group]
    end
    if type(inside) == "table" then
      check.keys(inside, group, names, problems)
    elseif inside ~= nil then
      problems(group, ("%s has to be a table: %s"):format(group, check.group_example(group)))
    end
  end
end

--- The value that a file has under a dotted path, or nil.
local function value_at(values, path)
  for name in path:gmatch("[^.]+") do
    if type(values) ~= "table" then
      return nil
    end
    values = values[name]
  end
  return values
end

--- Reads one setting.
local function read(setting, values, problems)
  local value = value_at(values, setting.path)
  if value == nil then
    value = setting.default
  end
  if value == nil or setting.type == "routes" then
    return nil
  end
  local result, err, key = types[setting.type].read(value, setting)
  if result == nil then
    local path = key and lines.join(setting.path, key) or setting.path
    local shown = type(key) == "number" and ("%s[%d]"):format(setting.path, key) or path
    problems(path, ("%s %s"):format(shown, err))
  end
  return result
end

--- The TLS listener of the registry needs its files.
local function check_registry_tls(settings, problems)
  local certificate, key = settings["registry_tls.certificate"], settings["registry_tls.key"]
  if settings["registry_tls.listen"] == nil then
    if settings["registry_tls.only"] then
      problems("registry_tls.only", "registry_tls.only needs registry_tls.listen")
    end
    return
  end
  if not certificate or not key then
    problems("registry_tls.listen", "registry_tls.listen needs registry_tls.certificate and registry_tls.key")
  else
    local ok, err = host.tls_certificate(certificate, key)
    if not ok then
      problems("registry_tls.certificate", "registry_tls.certificate " .. err)
    end
  end
  if settings["registry_tls.client_certificates"] ~= "off" and not settings["registry_tls.client_ca"] then
    problems("registry_tls.client_certificates", "registry_tls.client_certificates needs registry_tls.client_ca")
  end
end

--- Authorities of clients whom nobody asks are a mistake: somebody believes that certificates are looked at.
local function check_client_ca(settings, prefix, problems)
  local asks, authorities = prefix .. ".client_certificates", prefix .. ".client_ca"
  if settings[asks] == "off" and settings[authorities] then
    problems(authorities, ('%s is for nothing while %s is "off": '):format(authorities, asks)
      .. 'say "optional" or "required"')
  end
end

--- What holds between settings.
local function check_together(settings, problems)
  check_registry_tls(settings, problems)
  check_client_ca(settings, "tls", problems)
  check_client_ca(settings, "registry_tls", problems)
  local head, buffer = settings["limits.head_size"], settings["limits.buffer_size"]
  if head and buffer and head > buffer then
    problems("limits.head_size", "limits.head_size has to be at most limits.buffer_size, "
      .. ("which is %d"):format(buffer))
  end
  if settings.https and not settings["tls.certificates"] then
    problems("https", "https needs a certificate: tls = { certificates = { { certificate = ..., key = ... } } }")
  end
  if settings["tls.client_certificates"] ~= "off" and not settings["tls.client_ca"] then
    problems("tls.client_certificates", "tls.client_certificates needs tls.client_ca, whose certificates are good")
  end
end

--- @param values table: what the file has set
-- @param problems function(path, text): called for each problem
-- @return table: dotted path to what the proxy reads, defaults included
function check.settings(values, problems)
  local settings = {}
  check_groups(values, problems)
  for _, setting in ipairs(schema) do
    settings[setting.path] = read(setting, values, problems)
  end
  check_together(settings, problems)
  return settings
end

return check
