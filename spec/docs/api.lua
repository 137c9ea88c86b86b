--- The reference of the scripts' API: its entries (spec/docs/api/*.lua), the scripts that their examples are, and the
-- text of scripts/API.md.
--
-- An entry: { call, what it returns, what it does,
--   takes = arguments with types and units, errors = when it raises,          both may be left out
--   and an example by kind of its section:
--   policy    on_request, on_response = bodies; given, expect = Lua
--   health    judge = body; given, expect
--   page      body = of the function text; given, expect
--   commands  run, finish = bodies of the command EXAMPLE; fields = its args; setup = "staged" or "live": what is said
--             before; talk = list of lines }

local api = {}

local FILES = { "request", "response", "host_policy", "health", "page", "session", "connection", "library" }

--- What is said before the lines of an example: a route is there.
local SETUPS = { staged = { "> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9000|0", "< ROUTE_OK|r1" } }
SETUPS.live = { SETUPS.staged[1], SETUPS.staged[2], "> CONFIG_APPLY|<sid>", "< OK" }

local MODULES = {
  { "check", "check" }, { "health", "health" }, { "host", "host" }, { "html", "page.html" }, { "json", "json" },
  { "reply", "registry.reply" }, { "setting", "setting" },
}

--- All sections in order: { title =, kind =, owner =, text =, entries = }.
function api.sections()
  local sections = {}
  for _, name in ipairs(FILES) do
    local part = dofile(("spec/docs/api/%s.lua"):format(name))
    for _, section in ipairs(part.title and { part } or part) do
      sections[#sections + 1] = section
    end
  end
  return sections
end

local function indent(text, by)
  local space = (" "):rep(by)
  return space .. text:gsub("\n", "\n" .. space)
end

local function body_of(name, parameters, body)
  return body and ("  %s = function(%s)\n%s\n  end,"):format(name, parameters, indent(body, 4)) or nil
end

--- Those parts that are there, a line each.
local function join(...)
  local lines = {}
  for i = 1, select("#", ...) do
    lines[#lines + 1] = select(i, ...) or nil
  end
  return table.concat(lines, "\n")
end

local function pair(entry)
  local text = "  examples = {\n    { \"example\", given = %s,\n      expect = %s },\n  },"
  return text:format(entry.given, entry.expect)
end

local tables = {}

function tables.policy(entry)
  return join(body_of("on_request", "req", entry.on_request) or false,
    body_of("on_response", "res, req", entry.on_response) or false, pair(entry))
end

function tables.health(entry)
  return join(body_of("judge", "check", entry.judge), pair(entry))
end

function tables.page(entry)
  return join(body_of("text", "page", entry.body), pair(entry))
end

function tables.commands(entry)
  local lines = { "\"example\"" }
  for _, list in ipairs({ SETUPS[entry.setup] or {}, entry.talk }) do
    for _, line in ipairs(list) do
      lines[#lines + 1] = (line:find('"', 1, true) and "[=[%s]=]" or "%q"):format(line)
    end
  end
  return join(("  args = { %s },"):format(entry.fields or ""), body_of("run", "cmd", entry.run),
    body_of("finish", "result", entry.finish) or false,
    ("  examples = {\n    { %s },\n  },"):format(table.concat(lines, ",\n      ")))
end

--- The keys that a script has to have beside those that an example shows.
local FRAMES = {
  policy = { 'return {\n  summary = "",\n', "\n}\n" },
  health = { 'return {\n  summary = "",\n', "\n}\n" },
  page = {
    'return {\n  summary = "",\n  html = function() return "" end,\n  json = function() return "{}" end,\n', "\n}\n",
  },
  commands = { 'return { {\n  name = "EXAMPLE", summary = "", reply = "", since = "0.1",\n', "\n} }\n" },
}

local function requires(text)
  local lines = {}
  for _, module in ipairs(MODULES) do
    if text:find("%f[%w_]" .. module[1] .. "%.") then
      lines[#lines + 1] = ("local %s = require(%q)\n"):format(module[1], module[2])
    end
  end
  return table.concat(lines)
end

--- An entry's example as the script that it is.
-- @param section, entry
-- @return text
function api.script(section, entry)
  local frame = FRAMES[section.kind]
  local text = frame[1] .. tables[section.kind](entry) .. frame[2]
  -- A health policy's parameter has the name of a module.
  return (section.kind == "health" and "" or requires(text)) .. text
end

--- What an entry is about: "req:header", "check.results".
function api.name(entry)
  return (entry[1]:match("^[%w_.:]+"))
end

local function entry_text(section, entry)
  local out = { ("#### `%s`"):format(entry[1]), "", entry[3], "" }
  if entry.takes then
    out[#out + 1] = "- takes " .. entry.takes
  end
  out[#out + 1] = (section.owner:find("%.$") and "- is " or "- returns ") .. entry[2]
  if entry.errors then
    out[#out + 1] = "- " .. entry.errors
  end
  out[#out + 1] = ("\n```lua\n%s\n```"):format((tables[section.kind](entry):gsub("^  ", ""):gsub("\n  ", "\n")))
  return table.concat(out, "\n")
end

--- The reference.
function api.text()
  local out = {}
  for _, section in ipairs(api.sections()) do
    out[#out + 1] = ("## %s\n\n%s"):format(section.title, section.text)
    for _, entry in ipairs(section.entries) do
      out[#out + 1] = entry_text(section, entry)
    end
  end
  return table.concat(out, "\n\n")
end

return api
