--- The examples of one script: read from its table or from a spec of it, and run one by one (src/script/examples.h).

local assert_that = require("examples.assert")
local given = require("examples.given")
local match = require("examples.match")
local talk = require("examples.talk")

local examples = {}

local cases = {} -- list of { sentence =, line =, run = function() }
local commands = {} -- names that the script defines
local file -- { kind =, shown =, path =, text = }
local context = {} -- sentences of the describes around

local NO_EXAMPLES = "has no examples; give its table a key examples (scripts/README.md, section \"Examples\")"

local function wrong(what, ...)
  error(("%s: %s"):format(file.shown, what:format(...)), 0)
end

--- The line that a text first stands in after a byte; nil when it does not. Where the next search starts.
local function line_of(text, from)
  local at = file.text:find(text, from, true)
  if not at then
    return nil, from
  end
  local _, count = file.text:sub(1, at):gsub("\n", "")
  return count + 1, at + #text
end

local function is_talk(kind)
  return kind == "commands" or kind == "hook"
end

--- Runs what an example gives and holds it against what it expects.
local function run_table(example)
  local got = given.run(file.kind, example.given or {})
  if got.failed and (example.expect or {}).failed == nil then
    error("the script failed: " .. got.failed, 0)
  end
  local problems = match.problems(example.expect, got)
  if #problems > 0 then
    error(table.concat(problems, "\n"), 0)
  end
end

local KEYS = { [1] = true, given = true, expect = true }

local function check_example(example, index)
  if type(example) ~= "table" or type(example[1]) ~= "string" then
    wrong("example %d must be a table that begins with a sentence: { \"turns strangers away\", ... }", index)
  elseif is_talk(file.kind) then
    talk.check(example, function(...)
      wrong("example \"%s\": " .. ..., example[1], select(2, ...))
    end)
    return
  end
  for key in pairs(example) do
    if not KEYS[key] then
      wrong("example \"%s\": unknown key %s; there are given and expect", example[1], tostring(key))
    end
  end
  if type(example.expect) ~= "table" or next(example.expect) == nil then
    wrong("example \"%s\": expect is missing (a table of what has to come of it)", example[1])
  end
end

local function add_list(list, what)
  if list == nil then
    return
  elseif type(list) ~= "table" then
    wrong("%sexamples must be a list of tables", what)
  end
  local from = 1
  for index, example in ipairs(list) do
    check_example(example, index)
    local line
    line, from = line_of(example[1], from)
    cases[#cases + 1] = {
      sentence = what .. example[1], line = line,
      run = is_talk(file.kind) and function() talk.run(example) end or function() run_table(example) end,
    }
  end
end

--- The examples in what a script returned.
local function read_script(result)
  if file.kind == "commands" then
    for _, command in ipairs(result) do
      commands[command.name] = true
      add_list(command.examples, command.name .. " ")
    end
  elseif type(result) == "table" then
    add_list(result.examples, "")
  end
end

local globals = { assert = assert_that }

--- Specs of something, in busted's terms.
function globals.describe(sentence, body)
  context[#context + 1] = sentence
  body()
  context[#context] = nil
end

globals.context = globals.describe

function globals.it(sentence, body)
  local _, place = pcall(error, "", 3)
  local words = { unpack(context) }
  words[#words + 1] = sentence
  cases[#cases + 1] = {
    sentence = table.concat(words, " "), line = tonumber(tostring(place):match(":(%d+):")), run = body,
  }
end

--- What comes of what is given, as in the examples of scripts.
function globals.given(what)
  if is_talk(file.kind) then
    return talk.hear_all(what)
  end
  return given.run(file.kind, what)
end

--- What a spec sees beside the globals of scripts.
examples.globals = globals

--- Reads the examples. Raises with a message for their author.
-- @param kind string: "policy", "health", "page", "commands" or "hook"
-- @param shown string: the file, as messages name it
-- @param path string: the script, as errors in service name it
-- @param text string: the file's
-- @param is_spec boolean: a spec; else the script itself
-- @param chunk function: the file, compiled
-- @return how many there are
function examples.load(kind, shown, path, text, is_spec, chunk)
  file = { kind = kind, shown = shown, path = path, text = text, is_spec = is_spec }
  local result = chunk()
  if not is_spec then
    read_script(result)
  end
  if #cases == 0 then
    wrong(is_spec and "has no it(\"...\", function() ... end)" or NO_EXAMPLES)
  end
  return #cases
end

--- @return sentence, line or nil
function examples.title(nth)
  return cases[nth].sentence, cases[nth].line
end

--- Runs one.
-- @return nothing; or why it failed
function examples.run(nth)
  talk.begin()
  local ok, err = pcall(cases[nth].run)
  if ok then
    return nil
  end
  err = tostring(err)
  if not file.is_spec then
    err = err:gsub(file.path:gsub("%p", "%%%0") .. ":", (file.shown:gsub("%%", "%%%%")) .. ":")
  end
  return err
end

--- Is what was measured under this name the script's? Of commands those that it defines.
function examples.owns(name)
  return file.kind ~= "commands" or file.is_spec or commands[name:match("^%S+")] or false
end

return examples
