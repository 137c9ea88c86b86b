-- No client can forge a line of the access log, or a field of one: each request is one line, whose values are its own.

local cjson = require("cjson")
local behind = require("spec.scripts.policies.behind")
local http = require("spec.support.http")
local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local TAG = "on_request = function(req) req:tag('agent', req:header('User-Agent') or '') end"

--- Requests that try: request line, value of User-Agent, and where they come through, the status and the agent as
-- logged.
local TRIES = {
  { 'GET /a"b HTTP/1.1', 'x" status="200', status = 200, path = '/a"b', agent = 'x" status="200' },
  { 'GET /?a\\ HTTP/1.1', "x\\", status = 200, path = "/?a\\", agent = "x\\" },
  { 'GET /"verdict="no_route HTTP/1.1', '" verdict="no_route" x="', status = 200, path = '/"verdict="no_route',
    agent = '" verdict="no_route" x="' },
  { "GET /status=500 HTTP/1.1", "a status=500 path=/evil", status = 200, path = "/status=500",
    agent = "a status=500 path=/evil" },
  { "GET /?%0aX=1 HTTP/1.1", "a\tb", status = 200, agent = "a\tb" },
  { "GET / HTTP/1.1", "\194\155[2J", status = 200, path = "/", agent = "\194\155[2J" }, -- a terminal's control
  { "GET / HTTP/1.1", "\226\128\168time=", status = 200, path = "/", agent = "\226\128\168time=" },
  { "GET / HTTP/1.1", "gr\195\188n", status = 200, path = "/", agent = "gr\195\188n" },
  { "GET / HTTP/1.1", ("x"):rep(1100) .. '" status="500', status = 200, path = "/" },
  { "GET /\255\254 HTTP/1.1", "x", status = 400 },
  { "GET /\194\133 HTTP/1.1", "x", status = 400 },
  { "G\"E\"T / HTTP/1.1", "x", status = 400 },
  { "GET\127 / HTTP/1.1", "x", status = 400 },
  { "G\nET / HTTP/1.1", "x", status = 400 },
  { "GET /\27[2J HTTP/1.1", "x", status = 400 },
  { "GET /a\rb HTTP/1.1", "x", status = 400 },
  { "GET /\0 HTTP/1.1", "x", status = 400 },
}

local function start(format)
  local o = origin.start {}
  local scripts = behind.scripts { mark = "return { summary = '', " .. TAG .. " }" }
  local p = proxy.start { workers = 1, scripts = scripts, config = { access_log = { format = format, file = "-" } },
    route = { to = o.url, host = "a.example", options = { policy = "mark" } } }
  for _, try in ipairs(TRIES) do
    local c = http.connect(p.url)
    c.stream:write(("%s\r\nHost: a.example\r\nUser-Agent: %s\r\n\r\n"):format(try[1], try[2]))
    assert.equal(try.status, c:receive().status, try[1])
    c:close()
  end
  return p
end

local function log_lines(p)
  local lines
  loop.soon(function()
    lines = {}
    for line in (sys.read_file(p.process.stdout) or ""):gmatch("([^\n]*)\n") do
      if not line:find("^listening ") and not line:find("^ready ") then
        lines[#lines + 1] = line
      end
    end
    assert.equal(#TRIES, #lines)
  end)
  return lines
end

--- Is a text printable, without anything that ends a line or controls a terminal?
local function is_tame(text)
  return not text:find("[%z\1-\31\127]") and not text:find("\194[\128-\159]") and not text:find("\226\128[\168\169]")
end

--- The names of a text line's fields; nothing else may stand in it.
local function names_of(line)
  local names, rest = {}, line .. " "
  while rest ~= "" do
    local name, after = rest:match("^([%w_]+)=(.*)$")
    assert.truthy(name, rest)
    local value = after:match('^"[^"\\]*"') or after:match("^[^%s\"]+ ")
    if after:sub(1, 1) == '"' then
      local at = 2
      while after:sub(at, at) ~= '"' do
        assert.is_true(at <= #after, "an open quote: " .. line)
        at = at + (after:sub(at, at) == "\\" and 2 or 1)
      end
      value = after:sub(1, at)
    end
    names[#names + 1] = name
    rest = after:sub(#value + 1):gsub("^ ", "")
  end
  return names
end

local function unescape(text)
  return (text:gsub("\\u00(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

describe("a client that writes what looks like fields or lines of the access log", function()
  it("forges none in text", function()
    local first
    for i, line in ipairs(log_lines(start("text"))) do
      local try, names = TRIES[i], names_of(line)
      assert.is_true(is_tame(line), line)
      table.remove(names, try.status == 200 and #names or nil) -- the policy's tag is there, or is not
      names = table.concat(names, " ", 1, 18)
      first = first or names
      assert.equal(first, names)
      local fields = log_line.parse(line)
      assert.equal(tostring(try.status), fields.status, line)
      assert.equal(try.status == 200 and "-" or "bad_request", fields.verdict)
      assert.equal(try.path or fields.path, fields.path)
    end
  end)

  it("forges none in JSON, which stays valid whatever bytes come", function()
    for i, line in ipairs(log_lines(start("json"))) do
      local try, fields = TRIES[i], cjson.decode(line)
      assert.is_true(is_tame(line), line)
      assert.equal(try.status, fields.status, line)
      assert.equal(try.status == 200 and cjson.null or "bad_request", fields.verdict)
      assert.equal(try.path or fields.path, fields.path)
      if try.agent then
        local got = fields.tag_agent
        assert.is_true(got == try.agent or unescape(line):find(try.agent, 1, true) ~= nil, line)
      end
    end
  end)
end)
