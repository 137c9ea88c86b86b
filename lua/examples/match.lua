--- What an example expects, held against what came: named things only, all others may be as they like.
--
-- A text or number has to be equal; true stands for "there", false for "not there"; a table's keys have to match. Of a
-- text a table says more: { contains = "text" or list of texts, lacks = the same, matches = "pattern" }. A function is
-- asked: function(got) -> true | nil, why.

local match = {}

local show

local function show_table(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  local parts = {}
  for i, key in ipairs(keys) do
    local text = show(value[key])
    parts[i] = type(key) == "number" and text or ("%s = %s"):format(tostring(key), text)
  end
  return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{}"
end

local SHOWN_MAX = 300

--- A value for a message.
function show(value)
  local text
  if type(value) == "string" then
    text = '"' .. value:gsub("[%c\"\\]", function(c)
      return c == "\n" and "\\n" or c == '"' and '\\"' or c == "\\" and "\\\\" or ("\\%d"):format(c:byte())
    end) .. '"'
  elseif type(value) == "table" then
    text = show_table(value)
  else
    text = tostring(value)
  end
  return #text > SHOWN_MAX and text:sub(1, SHOWN_MAX) .. "..." or text
end

match.show = show

local function add(problems, name, what, ...)
  problems[#problems + 1] = name .. ": " .. what:format(...)
end

local function each_text(texts)
  return ipairs(type(texts) == "table" and texts or { texts })
end

local TEXT_KEYS = { contains = true, lacks = true, matches = true }

local function check_text(problems, name, rules, got)
  for key in pairs(rules) do
    if not TEXT_KEYS[key] then
      add(problems, name, "unknown key %s; of a text there are contains, lacks and matches", tostring(key))
    end
  end
  for _, text in each_text(rules.contains) do
    if not got:find(text, 1, true) then
      add(problems, name, "expected a text that contains %s, got %s", show(text), show(got))
    end
  end
  for _, text in each_text(rules.lacks) do
    if got:find(text, 1, true) then
      add(problems, name, "expected a text without %s, got %s", show(text), show(got))
    end
  end
  if rules.matches and not got:find(rules.matches) then
    add(problems, name, "expected a text that matches %s, got %s", show(rules.matches), show(got))
  end
end

local check

local function is_list(value)
  return #value > 0 or next(value) == nil
end

local function check_table(problems, name, expected, got)
  if is_list(expected) and #got ~= #expected then
    add(problems, name, "expected %s, got %s", show(expected), show(got))
    return
  end
  for key, value in pairs(expected) do
    local found = got[key]
    if found == nil and type(key) == "string" then
      found = got[key:lower()] -- headers
    end
    check(problems, (name ~= "" and name .. "." or "") .. tostring(key), value, found)
  end
end

local function ask(problems, name, question, got)
  local ok, why = question(got)
  if not ok then
    add(problems, name, "%s, got %s", tostring(why or "not as the function wants it"), show(got))
  end
end

function check(problems, name, expected, got)
  if type(expected) == "function" then
    ask(problems, name, expected, got)
  elseif expected == false and (got == nil or got == false) then
    return
  elseif type(expected) == "number" and type(got) == "table" and got.status then
    check(problems, name .. ".status", expected, got.status)
  elseif type(expected) == "table" and type(got) == "table" then
    check_table(problems, name, expected, got)
  elseif type(expected) == "table" and type(got) == "string" and not is_list(expected) then
    check_text(problems, name, expected, got)
  elseif expected == true and got ~= nil and got ~= false then
    return
  elseif expected ~= got then
    add(problems, name, "expected %s, got %s", expected == false and "nothing" or show(expected), show(got))
  end
end

--- Everything that is not as expected.
-- @param expected table
-- @param got table
-- @return list of sentences
function match.problems(expected, got)
  local problems = {}
  check(problems, "", expected, got)
  return problems
end

--- Are two values the same, all the way down?
function match.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not match.same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

return match
