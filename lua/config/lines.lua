--- Where in the file a setting stands: reads Lua text as far as tables and keys go.

local lines = {}

--- The end of a long bracket that opens at a position, or nil when none does.
local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then
    return nil
  end
  local _, last = text:find("]" .. level .. "]", at, true)
  return (last or #text) + 1
end

--- The end of a comment that starts at a position.
local function comment(text, at)
  return long_bracket(text, at + 2) or (text:find("\n", at, true) or #text + 1)
end

--- The end of a quoted text that starts at a position.
local function quoted(text, at)
  local stops, i = text:sub(at, at) == "'" and "['\\\n]" or "[\"\\\n]", at + 1
  while true do
    i = text:find(stops, i)
    if not i then
      return #text + 2
    elseif text:sub(i, i) ~= "\\" then
      return i + 1
    end
    i = i + 2
  end
end

--- The next token at a position: kind ("name", "text", "mark", nil for blanks), content, its end.
local function token(text, at)
  local c = text:sub(at, at)
  if c:find("%s") then
    return nil, nil, text:find("%S", at) or #text + 1
  elseif text:find("^%-%-", at) then
    return nil, nil, comment(text, at)
  elseif c == "\"" or c == "'" then
    local stop = quoted(text, at)
    return "text", text:sub(at + 1, stop - 2), stop
  elseif long_bracket(text, at) then
    return "text", "", long_bracket(text, at)
  end
  local name = text:match("^[%a_][%w_]*", at) or text:match("^%.?%d[%w.]*", at)
  if name then
    return name:find("^[%d.]") and "number" or "name", name, at + #name
  end
  return "mark", c, at + 1
end

--- All tokens with their lines.
local function tokens(text)
  local list, at, line = {}, 1, 1
  while at <= #text do
    local kind, content, stop = token(text, at)
    if kind then
      list[#list + 1] = { kind = kind, content = content, line = line }
    end
    if kind ~= "mark" then
      local _, breaks = text:sub(at, stop - 1):gsub("\n", "")
      line = line + breaks
    end
    at = stop
  end
  return list
end

local NONE = { content = "" }

--- The key that a token begins (name =, ["name"] =, name.name =): key, its last token; or nil.
local function key_at(list, i)
  local one, two = list[i], list[i + 1] or NONE
  local three, four = list[i + 2] or NONE, list[i + 3] or NONE
  if one.kind == "name" and two.content == "=" and three.content ~= "=" then
    return one.content, i + 1
  elseif one.kind == "mark" and one.content == "[" and two.kind == "text"
    and three.content == "]" and four.content == "=" then
    return two.content, i + 3
  elseif one.kind == "name" and two.content == "." and three.kind == "name"
    and four.content == "=" then
    return one.content .. "." .. three.content, i + 3
  end
  return nil
end

--- Joins a table's path and a key.
function lines.join(path, key)
  return path == "" and tostring(key) or path .. "." .. tostring(key)
end

--- Notes where the current entry of the innermost table stands.
local function note(state, key, line)
  local open = state[#state]
  open.current = lines.join(open.path, key)
  state.found[open.current] = state.found[open.current] or line
  open.fresh = false
end

--- Opens and closes tables, and starts their entries.
local function follow_mark(state, this)
  local open = state[#state]
  if this.content == "{" then
    state[#state + 1] = { path = open.current or "", count = 0, fresh = true }
  elseif this.content == "}" and #state > 1 then
    state[#state] = nil
  elseif (this.content == "," or this.content == ";") and #state > 1 then
    open.fresh = true
  end
end

--- Follows one token; state is the stack of open tables, from the file itself (whose statements are
-- its entries) to the innermost one: path, count of entries without a key, current entry's path,
-- fresh when an entry may begin.
-- @return integer: the next token
local function follow(state, list, i)
  local open, this = state[#state], list[i]
  if open.fresh or #state == 1 then
    local key, last = key_at(list, i)
    if key then
      note(state, key, this.line)
      return last + 1
    elseif #state > 1 and this.content ~= "}" then
      open.count = open.count + 1
      note(state, open.count, this.line)
    elseif this.content == "return" then
      open.current = ""
    end
  end
  if this.kind == "mark" then
    follow_mark(state, this)
  end
  return i + 1
end

--- The lines of all keys and entries: "timeouts.head" and "routes.1.path" to line numbers.
-- @param text string
-- @return table
function lines.find(text)
  local list, state = tokens(text), { { path = "" }, found = {} }
  local i = 1
  while i <= #list do
    i = follow(state, list, i)
  end
  return state.found
end

--- The same, found out when it is first asked for: nearly all files have no problem to tell the line of.
-- @param text string
-- @return function(path): the line, as lines.of has it
function lines.finder(text)
  local found
  return function(path)
    found = found or lines.find(text)
    return lines.of(found, path)
  end
end

--- The line of a path, or of the closest table around it; 1 when there is none.
function lines.of(found, path)
  while path ~= "" do
    if found[path] then
      return found[path]
    end
    path = path:match("^(.*)%.[^.]*$") or ""
  end
  return 1
end

return lines
