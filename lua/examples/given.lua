--- What examples give, written as it suits them, made into what host.given (src/script/examples_*.c) takes.

local host = require("host")
local json = require("json")
local time = require("examples.time")

local given = {}

local function wrong(what, ...)
  error("given: " .. what:format(...), 0)
end

--- Checks the keys of a table: name to type, or to a list of them.
local function check_keys(what, value, keys)
  local names = {}
  for name in pairs(keys) do
    names[#names + 1] = name
  end
  table.sort(names)
  for key, one in pairs(value) do
    if not keys[key] then
      wrong("unknown key %s%s; there are %s", what, tostring(key), table.concat(names, ", "))
    elseif not (" " .. keys[key] .. " "):find(" " .. type(one) .. " ", 1, true) then
      wrong("%s%s must be a %s, not a %s", what, key, keys[key]:gsub(" ", " or a "), type(one))
    end
  end
end

local function check_line(what, text)
  if text:find("[\r\n%z]") then
    wrong("%s must be one line", what)
  end
  return text
end

--- The lines of header fields; a value may be a list of several.
local function field_lines(headers, add)
  for name, value in pairs(headers or {}) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      add(check_line("a header's name", tostring(name)), check_line("a header's value", tostring(one)))
    end
  end
end

local function head_of(from)
  local lines = {
    ("%s %s HTTP/1.1"):format(check_line("method", from.method or "GET"), check_line("path", from.path or "/")),
    "Host: " .. check_line("host", from.host or "shop.example"),
  }
  field_lines(from.headers, function(name, value)
    lines[#lines + 1] = name .. ": " .. value
  end)
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local MEMBER = { instance = "string", service = "string", route = "string" }

local function members_of(from)
  local list = {}
  for i, member in ipairs(from.members or { "one" }) do
    if type(member) == "string" then
      member = { instance = member }
    end
    check_keys(("members[%d]."):format(i), member, MEMBER)
    local instance = member.instance or "one"
    list[i] = { instance = instance, service = member.service or "shop", route = member.route or "r" .. i }
  end
  return list
end

local function find_member(members, name)
  for i, member in ipairs(members) do
    if member.instance == name or member.service == name then
      return i
    end
  end
  return wrong("response.from: there is no member %s", name)
end

local POLICY = {
  method = "string", path = "string", host = "string", headers = "table", source = "string", secure = "boolean",
  trusted = "boolean", args = "string", now = "string number", random = "number", members = "table", response = "table",
}
local RESPONSE = { status = "number", headers = "table", from = "string", verdict = "string" }

local kinds = {}

function kinds.policy(from)
  check_keys("", from, POLICY)
  local response = from.response or {}
  check_keys("response.", response, RESPONSE)
  if from.random and not (from.random >= 0 and from.random < 1) then
    wrong("random must be from 0 on and below 1")
  end
  local members, fields = members_of(from), {}
  field_lines(response.headers, function(name, value)
    fields[#fields + 1], fields[#fields + 2] = name, value
  end)
  return {
    head = head_of(from), source = from.source or "192.0.2.1",
    secure = from.secure, trusted = from.trusted, args = from.args,
    now_ms = from.now and time.ms(from.now) or nil, random = from.random, members = members,
    status = response.status, fields = fields, verdict = response.verdict,
    from = response.from and find_member(members, response.from) or (response.verdict and 0 or 1),
  }
end

local HEALTH = { results = "string table", every = "number" }
local RESULT = { error = "string", latency_ms = "number", status = "number" }

--- "PPF", or a list of "P", "F" and { error =, latency_ms =, status = }, oldest first.
local function results_of(from)
  local list = from.results or wrong("results is missing: \"PPFFF\", oldest first")
  if type(list) == "string" then
    local letters = {}
    for letter in list:gmatch("%S") do
      letters[#letters + 1] = letter
    end
    list = letters
  end
  return list
end

local function result_of(result, i)
  if result == "P" then
    return { latency_ms = 10, status = 200 }
  elseif result == "F" then
    return { latency_ms = 10, status = 500, error = "status_500" }
  elseif type(result) ~= "table" then
    return wrong("results: \"%s\" is neither P (passed) nor F (failed)", tostring(result))
  end
  check_keys(("results[%d]."):format(i), result, RESULT)
  return { error = result.error, latency_ms = result.latency_ms or 10, status = result.status }
end

function kinds.health(from)
  check_keys("", from, HEALTH)
  local results = {}
  for i, result in ipairs(results_of(from)) do
    results[i] = result_of(result, i)
    results[i].after_ms = from.every or 10000
  end
  if #results == 0 then
    wrong("results are none")
  end
  return { results = results }
end

local PAGE = { verdict = "string", service = "string", reason = "string", expected_end = "string number" }

function kinds.page(from)
  check_keys("", from, PAGE)
  return {
    verdict = from.verdict or "maintenance", service = from.service, reason = from.reason,
    expected_end_ms = from.expected_end and time.ms(from.expected_end) or nil,
  }
end

--- What comes of it.
-- @param kind string: "policy", "health" or "page"
-- @param what table
-- @return table; failed is why the script failed
function given.run(kind, what)
  if type(what) ~= "table" then
    wrong("must be a table")
  end
  local got = host.given(kinds[kind](what))
  if kind == "page" and got.json then
    got.values = json.decode(got.json)
  end
  return got
end

return given
