--- Writes the reference pages from what the program itself uses: the command tables of scripts/, the
-- schema of lua/config, the tables of options and events in src/. `make docs` runs it;
-- spec/lint/docs_spec.lua checks that the pages are up to date.
--
-- The prose stands beside this file, in *.md with {{name}} where a generated part goes.

local api = require("spec.docs.api")
local states = require("spec.support.states")

local docs = {}

--- Page to the prose it is made from.
docs.PAGES = {
  ["scripts/REFERENCE.md"] = "spec/docs/protocol.md",
  ["lua/config/SETTINGS.md"] = "spec/docs/settings.md",
  ["scripts/STATES.md"] = "spec/docs/states.md",
  ["scripts/API.md"] = "spec/docs/api.md",
}

--- Order of the command files in the reference.
local FILES = {
  "session", "route", "route_bulk", "headers", "options", "guards", "config", "drain", "maintenance",
  "circuit", "status", "backend", "events", "scripts", "certificates", "proxy",
}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

--- Loads a module of lua/ or a script, with what only the running program can give left out.
local function load_file(path, modules)
  local env = setmetatable({}, { __index = _G })
  function env.require(name)
    if modules[name] == nil then
      local file = io.open(("lua/%s.lua"):format(name:gsub("%.", "/")))
      local own = file and "lua/%s.lua" or "lua/%s/init.lua"
      if file then
        file:close()
      end
      modules[name] = load_file(own:format((name:gsub("%.", "/"))), modules)
    end
    return modules[name]
  end
  return setfenv(assert(loadfile(path)), env)()
end

local function library()
  return { host = {} }
end

--- A module of lua/ as far as it can be loaded without the program.
function docs.module(name)
  local modules, file = library(), name:gsub("%.", "/")
  modules.host.json_array, modules.host.null = function(list) return list end, {}
  local found = io.open(("lua/%s.lua"):format(file))
  if found then
    found:close()
  end
  return load_file((found and "lua/%s.lua" or "lua/%s/init.lua"):format(file), modules)
end

--- The command tables of all scripts, in order.
function docs.commands()
  local list, modules = {}, library()
  for _, name in ipairs(FILES) do
    local path = ("scripts/commands/%s.lua"):format(name)
    for _, command in ipairs(load_file(path, modules)) do
      list[#list + 1] = command
    end
  end
  return list
end

--- Names of the command files, for the spec that checks that none is left out.
docs.FILES = FILES

local function call_of(command)
  local fields = { command.name }
  if command.session ~= "none" then
    fields[2] = "session_id"
  end
  for _, arg in ipairs(command.args) do
    fields[#fields + 1] = arg.optional and ("[%s]"):format(arg[1]) or arg[1]
  end
  return table.concat(fields, "|")
end

local function arg_notes(command)
  local notes = {}
  for _, arg in ipairs(command.args) do
    if arg.rest then
      notes[#notes + 1] = ("%s takes the rest of the line."):format(arg[1])
    end
    if arg.default then
      notes[#notes + 1] = ("Without %s: %s."):format(arg[1], arg.default)
    end
  end
  return notes
end

local function bullets(out, title, list)
  if not list or #list == 0 then
    return
  end
  local quoted = {}
  for i, text in ipairs(list) do
    quoted[i] = ("`%s`"):format(text)
  end
  out[#out + 1] = ("- %s: %s"):format(title, table.concat(quoted, ", "))
end

local function command_part(command)
  local out = {
    ("### %s"):format(command.name), "", command.summary, "",
    ("- line: `%s`"):format(call_of(command)),
    ("- answer: `%s`"):format(command.reply),
  }
  bullets(out, "also as", command.aliases)
  bullets(out, "refusals of its own", command.errors)
  for _, note in ipairs(arg_notes(command)) do
    out[#out + 1] = "- " .. note
  end
  if command.notes then
    out[#out + 1] = "- " .. command.notes
  end
  if command.example then
    local example = "\n```\n> %s\n< %s\n```"
    out[#out + 1] = example:format(command.example[1], command.example[2])
  end
  return table.concat(out, "\n")
end

local parts = {}

function parts.commands()
  local out = {}
  for i, command in ipairs(docs.commands()) do
    out[i] = command_part(command)
  end
  return table.concat(out, "\n\n")
end

--- Rows of a table in a C header.
local function rows(path, pattern)
  local list = {}
  for a, b, c, d in read(path):gmatch(pattern) do
    list[#list + 1] = { a, b, c, d }
  end
  return list
end

local TYPES = {
  DURATION = "duration", SIZE = "size", COUNT = "whole number", BOOL = "`true` or `false`",
  LB = "`round_robin`, `least_request`, `ip_hash`", PATH = "path", NAME = "name",
  PERCENT = "0 to 100", HOST = "host name", PANICS = "`none`, `fail_open`", TEXT = "text",
}

function parts.options()
  local out = { "| key | value | meaning | in effect |", "|---|---|---|---|" }
  local pattern = 'X%(%u[%u%d_]*, "([%w_]+)", OPTION_(%u+), (%a+),[%s\\]*"([^"]+)"%)'
  for _, row in ipairs(rows("src/config/options.h", pattern)) do
    local effect = row[3] == "true" and "yes" or "not yet"
    local kind = TYPES[row[2]] or error("spec/docs/docs.lua: what does OPTION_" .. row[2] .. " take?")
    out[#out + 1] = ("| `%s` | %s | %s | %s |"):format(row[1], kind, row[4], effect)
  end
  return table.concat(out, "\n")
end

function parts.events()
  local names = {}
  for _, row in ipairs(rows("src/control/events.h", 'X%(%u[%u_]*, "([%l_]+)"%)')) do
    names[#names + 1] = ("`%s`"):format(row[1])
  end
  names[#names + 1] = "`all`"
  return table.concat(names, ", ")
end

--- What a row of the table of states covers in one column.
local function covered(row, dimension)
  local values = row.columns[dimension.name]
  local all = dimension.last - dimension.first + 1
  return #values == all and "any" or table.concat(values, " or ")
end

--- What a client gets when no member can take its request.
local function refusal(row)
  if row.use ~= "none" then
    return ""
  end
  local fields = '`%d`, `Proxy-Status: tidelock; error=%s; details="%s"`, `Retry-After`'
  fields = fields:format(row.status, row.error, row.verdict)
  if row.field ~= "" then
    fields = fields .. (", `%s: %s`"):format(row.field, row.field_value)
  end
  return fields
end

function parts.states()
  local head, line = {}, {}
  for i, dimension in ipairs(states.DIMENSIONS) do
    head[i], line[i] = dimension.name, "---"
  end
  local out = {
    ("| %s | requests go there | when nobody can take one |"):format(table.concat(head, " | ")),
    ("|%s|---|---|"):format(table.concat(line, "|")),
  }
  for _, row in ipairs(states.rows()) do
    local cells = {}
    for i, dimension in ipairs(states.DIMENSIONS) do
      cells[i] = covered(row, dimension)
    end
    out[#out + 1] = ("| %s | %s | %s |"):format(table.concat(cells, " | "), row.use, refusal(row))
  end
  return table.concat(out, "\n")
end

parts.api = api.text

--- A default as one writes it.
local function literal(value)
  if type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = literal(item)
    end
    return "{ " .. table.concat(items, ", ") .. " }"
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function setting_part(setting, types)
  local kind = setting.type == "enum" and types.values(setting) or types[setting.type]
    and types[setting.type].says or "a list of tables, see below"
  local default = "none"
  if setting.default ~= nil then
    default = ("`%s`"):format(literal(setting.default))
  end
  local range = setting.min and types.range(setting) or ""
  local doc = setting.doc .. (setting.restart and " Takes a restart." or "")
  return ("| `%s` | %s | %s | %s | %s |"):format(setting.path, kind, default, range, doc)
end

function parts.settings()
  local modules = library()
  local schema = load_file("lua/config/schema.lua", modules)
  local types = load_file("lua/config/types.lua", modules)
  local out = { "| setting | written as | default | range | meaning |", "|---|---|---|---|---|" }
  for _, setting in ipairs(schema) do
    out[#out + 1] = setting_part(setting, types)
  end
  return table.concat(out, "\n")
end

--- The text of a page.
-- @param page key of docs.PAGES
function docs.text(page)
  return (read(docs.PAGES[page]):gsub("{{(%l+)}}", function(name)
    return parts[name]()
  end))
end

--- Writes all pages.
function docs.write()
  for page in pairs(docs.PAGES) do
    local file = assert(io.open(page, "wb"))
    assert(file:write(docs.text(page)))
    file:close()
  end
end

if arg and arg[0] and arg[0]:find("docs/docs%.lua$") then
  docs.write()
end

return docs
