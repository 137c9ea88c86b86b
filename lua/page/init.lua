--- The proxy's own pages: takes the script that makes them, and runs it.
--
-- A page is rendered in all formats at once, when scripts are loaded or maintenance is entered. The C side
-- keeps the texts; nothing is kept here but the script's functions.

local clean = require("page.text").clean
local selfcheck = require("selfcheck")

local page = {}

local FORMATS = { "html", "json", "text" }
local KEYS = {
  summary = "string", html = "function", json = "function", text = "function", check = "function", examples = "table",
}
local OPTIONAL = { check = true, examples = true }
local BODY_MAX = 256 * 1024

--- Bodies that are part of a protocol and not the script's to change: page name, format.
local FIXED = { draining = { text = "Draining" } }

--- How the mark of the detail has to stand in a body.
local FRAMES = {
  html = { "%s", "the detail" },
  json = { '"%s"', "the detail as a value of its own" },
  text = { "%s\n", "the detail as a line's end" },
}

local script -- { path =, spec = }, or nil
local sealed

--- Takes what the script returned. Raises with a message for its author when it is not in order.
-- @param path string: the script's file
-- @param spec table: summary, html, json, text
function page.define(path, spec)
  assert(not sealed, "pages are defined while scripts load only")
  if type(spec) ~= "table" then
    error(path .. ": must return a table { summary = ..., html = ..., json = ..., text = ... }", 0)
  end
  for key, kind in pairs(KEYS) do
    if type(spec[key]) ~= kind and not (spec[key] == nil and OPTIONAL[key]) then
      error(("%s: %s must be a %s"):format(path, key, kind), 0)
    end
  end
  for key in pairs(spec) do
    if not KEYS[key] then
      error(("%s: unknown key %s"):format(path, tostring(key)), 0)
    end
  end
  script = { path = path, spec = spec }
end

--- Ends loading.
function page.seal()
  sealed = true
end

--- Lets the script check itself. Raises with a message for its author when it fails.
function page.check()
  if script then
    selfcheck.run(script.path, "", script.spec.check)
  end
end

--- What a function of the script gets: a table of its own, with texts of others made clean.
local function values_of(facts, mark)
  local values = { detail = mark }
  for key, value in pairs(facts) do
    values[key] = type(value) == "string" and clean(value) or value
  end
  if facts.expected_end_ms then
    values.expected_end = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(facts.expected_end_ms / 1000))
  end
  return values
end

local function count(body, text)
  local found, at = 0, 1
  while true do
    local first, last = body:find(text, at, true)
    if not first then
      return found
    end
    found, at = found + 1, last + 1
  end
end

--- Raises when a body cannot be sent.
local function check(body, format, mark)
  if type(body) ~= "string" then
    return ("returned a %s instead of a text"):format(type(body))
  elseif #body > BODY_MAX then
    return ("returned %d bytes, at most %d are allowed"):format(#body, BODY_MAX)
  end
  local marks, frame = count(body, mark), FRAMES[format]
  if marks > 1 then
    return "uses the detail more than once"
  elseif marks ~= count(body, frame[1]:format(mark)) then
    return "has to write " .. frame[2]
  end
  return nil
end

local function render(facts, format, mark)
  local fixed = FIXED[facts.name] and FIXED[facts.name][format]
  if fixed then
    return fixed
  end
  local body = script.spec[format](values_of(facts, mark))
  local wrong = check(body, format, mark)
  if wrong then
    error(("%s: %s %s (page %s)"):format(script.path, format, wrong, facts.name), 0)
  end
  return body
end

--- Renders one page.
-- @param facts table, see scripts/README.md
-- @param mark string: what stands for the detail
-- @return html, json, text: strings; nothing when there is no script
function page.render(facts, mark)
  if not script then
    return nil
  end
  local bodies = {}
  for i, format in ipairs(FORMATS) do
    bodies[i] = render(facts, format, mark)
  end
  return unpack(bodies)
end

return page
