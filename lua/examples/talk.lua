--- Conversations over the registry: what examples of commands and of the hook are.
--
--   { "counts the session's routes",
--     "> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9000|0",
--     "< ROUTE_OK|r1",
--     "other> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9001|0",
--     "other< ERROR|*" }
--
-- Who talks is a service of that name, "shop" where no name is given; it registers when it first says something,
-- unless that is a REGISTER or an AUTH. <sid> is its session, <NAME.sid> another's. In what is heard * stands for
-- anything. Events that no line waits for are passed over.

local host = require("host")

local talk = {}

local sids -- name to session id, or false: it registers itself
local DEFAULT = "shop"

--- Every example begins with no session.
function talk.begin()
  sids = {}
end

--- who, "<" or ">", text; nil for what is no line of a conversation.
local function parse(line)
  local who, sign, text = line:match("^([%w_-]*)([<>]) ?(.*)$")
  if not who then
    return nil
  end
  return who ~= "" and who or DEFAULT, sign, text
end

--- Refuses an example that is no conversation.
-- @param wrong function(what, ...)
function talk.check(example, wrong)
  for key, line in pairs(example) do
    if type(key) ~= "number" then
      wrong("unknown key %s; it is a list of lines", tostring(key))
    elseif key > 1 and (type(line) ~= "string" or not parse(line)) then
      wrong("line %d must be \"> what is said\" or \"< what is heard\"", key)
    end
  end
  if #example < 3 then
    wrong("nothing is said and heard: { \"...\", \"> PING|<sid>\", \"< PONG\" }")
  end
end

local function hear(who, for_event)
  while true do
    local line = host.hear(who)
    if not line or for_event or line:sub(1, 6) ~= "EVENT|" then
      return line
    end
  end
end

local function register(who, text)
  if sids[who] ~= nil then
    return
  elseif text:find("^REGISTER|") or text:find("^AUTH|") then
    sids[who] = false
    return
  end
  host.say(who, ("REGISTER|%s|%s-1|0"):format(who, who))
  local answer = hear(who) or "nothing"
  sids[who] = answer:match("^ACK|(%x+)") or error(("REGISTER of %s was answered %s"):format(who, answer), 0)
end

local function fill(who, text)
  return (text:gsub("<([%w_-]*)%.?sid>", function(name)
    return sids[name ~= "" and name or who] or "none"
  end))
end

local function say(who, text)
  register(who, text)
  host.say(who, fill(who, text))
end

--- Does a line look as expected? * stands for anything.
local function looks_like(expected, line)
  local pattern = expected:gsub("[^%w%s*]", "%%%0"):gsub("%*", ".*")
  return line:find("^" .. pattern .. "$") ~= nil
end

local function expect(who, expected)
  local line
  expected = fill(who, expected)
  local for_event = expected:sub(1, 6) == "EVENT|"
  repeat
    line = hear(who, for_event)
  until not line or not for_event or looks_like(expected, line)
  if not line then
    error(("%s expected %s, heard nothing within 2 s"):format(who, expected), 0)
  elseif not looks_like(expected, line) then
    local failure = host.failure()
    error(("expected %s\ngot      %s%s"):format(expected, line, failure and "\nbecause  " .. failure or ""), 0)
  end
  if sids[who] == false then
    sids[who] = line:match("^ACK|(%x+)") or false
  end
end

--- Says and hears the lines of an example.
function talk.run(example)
  for i = 2, #example do
    local who, sign, text = parse(example[i])
    if sign == ">" then
      say(who, text)
    else
      expect(who, text)
    end
  end
end

--- Says lines, and hears one answer to each.
-- @param lines list of "> LINE", or one
-- @return the answer to the last, list of all
function talk.hear_all(lines)
  local answers = {}
  for i, line in ipairs(type(lines) == "table" and lines or { lines }) do
    local who, sign, text = parse(line)
    if sign ~= ">" then
      error("given: write \"> LINE\" for what is said", 0)
    end
    say(who, text)
    answers[i] = hear(who) or false
    if sids[who] == false then
      sids[who] = tostring(answers[i]):match("^ACK|(%x+)") or false
    end
  end
  return answers[#answers], answers
end

return talk
