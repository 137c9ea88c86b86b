local api = require("spec.docs.api")
local docs = require("spec.docs.docs")
local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

--- Which handle or module the functions are on that a C file registers in its luaL_Reg tables.
local OWNERS = {
  hook_request = "req:", hook_decide = "req:", hook_response = "res:", hook_host = "host.",
  api_conn = "conn:", api_scripts = "conn:", api_certificates = "conn:", api_proxy = "conn:",
  api_session = "session:", api_state = "session:", api_route = "session:", api_circuit = "session:",
  api_drain = "session:", api_maintenance = "session:",
  api_host = "host.", api_text = "host.", api_json = "host.",
}

--- The fields of the tables that a C file makes for a script's function.
local FIELDS = { vm_health = "check.", vm_page = "page." }

--- Files that register functions for others than scripts: Lua's own, the configuration's, those of examples.
local NO_API = {
  lib_base = true, lib_string = true, lib_table = true, settings_load = true, settings_fill = true, settings_tls = true,
  examples = true,
}

--- Fields that lua/ adds, or C where it is not seen by the patterns below.
local MORE_FIELDS = { ["page.detail"] = true, ["page.expected_end"] = true }

local MODULES = { check = "check", json = "json", reply = "registry.reply", setting = "setting", html = "page.html" }

local function names_in(text, list)
  local body = text:match("%*const " .. list .. "%[%] = {(.-)}")
  local names = {}
  for name in body:gmatch('"([%w_]+)"') do
    names[name] = true
  end
  return names
end

--- Adds what a C file registers for scripts.
local function add_functions(found, path, text, visible)
  local base = path:match("([%w_]+)%.c$")
  local owner = OWNERS[base]
  for body in text:gmatch("luaL_Reg %w+%[%] = {(.-)};") do
    for name in body:gmatch('{"([%w_]+)", [%w_]+}') do
      if owner and (owner ~= "host." or visible[name]) then
        found[owner .. name] = path
      elseif not owner and not NO_API[base] then
        found["?" .. name] = path
      end
    end
  end
end

--- Adds the fields of the table that a C file makes.
local function add_fields(found, path, text)
  local owner = FIELDS[path:match("([%w_]+)%.c$")]
  if not owner then
    return
  end
  for name in text:gmatch('%f[%w_][%w_]*set_[%w_]+%(L, "([%w_]+)"') do
    found[owner .. name] = path
  end
  for name in text:gmatch('lua_setfield%(L, %-2, "([%w_]+)"') do
    found[owner .. name] = path
  end
end

--- Everything that scripts can call or read, as the program registers it: name to where.
local function registered()
  local found, sandbox = {}, sys.read_file("src/script/sandbox.c")
  local visible = names_in(sandbox, "host_names")
  for name in pairs(names_in(sandbox, "health_names")) do
    found["health." .. name] = "src/script/sandbox.c"
  end
  for _, path in ipairs(tree.find("src/script -name '*.c'")) do
    local text = sys.read_file(path)
    add_functions(found, path, text, visible)
    add_fields(found, path, text)
  end
  for name in pairs(MORE_FIELDS) do
    found[name] = "lua/page/init.lua"
  end
  for short, name in pairs(MODULES) do
    for key in pairs(docs.module(name)) do
      found[short .. "." .. key] = "lua/" .. name
    end
  end
  return found
end

local function documented()
  local found = {}
  for _, section in ipairs(api.sections()) do
    for _, entry in ipairs(section.entries) do
      found[api.name(entry)] = section
    end
  end
  return found
end

describe("the reference of the scripts' API", function()
  it("has an entry for all that scripts can call or read", function()
    local entries, problems = documented(), {}
    for name, where in pairs(registered()) do
      if not entries[name] then
        problems[#problems + 1] = ("%s: %s has no entry in spec/docs/api/"):format(where, name)
      end
    end
    tree.report(problems)
  end)

  it("has no entry for what is not there", function()
    local names, problems = registered(), {}
    for name in pairs(documented()) do
      if not names[name] then
        problems[#problems + 1] = ("spec/docs/api/: nothing registers %s"):format(name)
      end
    end
    tree.report(problems)
  end)

  it("looks where functions are registered", function()
    local count = 0
    for _ in pairs(registered()) do
      count = count + 1
    end
    assert.is_true(count > 120, count)
  end)

  it("says of every entry what it is, what comes of it and how it is used", function()
    local problems = {}
    for _, section in ipairs(api.sections()) do
      for _, entry in ipairs(section.entries) do
        local name = api.name(entry)
        local used = api.script(section, entry):find("%f[%w_]" .. name:match("[%w_]+$") .. "%f[^%w_]")
        if #entry ~= 3 or not used then
          problems[#problems + 1] = name .. ": needs a call, a value, a sentence, and an example that uses it"
        elseif entry[1]:find("%([^)]") and not entry.takes then
          problems[#problems + 1] = name .. ": says nothing of its arguments (takes)"
        end
      end
    end
    tree.report(problems)
  end)
end)
