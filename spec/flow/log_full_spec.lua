local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local LIMIT = 20000

local function ask(p, count, path)
  for _ = 1, count do
    assert.equal(200, p:get(path or "/some/path").status)
  end
end

--- How many whole lines of this path are in the file.
local function written(file, path)
  local line = 'time="%S+" client="%S+" method="GET" host="%S+" path="' .. path .. '" [^\n]*\n'
  local _, lines = sys.read_file(file):gsub(line, "")
  return lines
end

local function start(file, under)
  local o = origin.start { body = "hello" }
  return proxy.start { workers = 1, under = under, config = { access_log = { format = "text", file = file } },
    route = { to = o.url } }
end

local function lost(p)
  return p:status().log_lines_dropped
end

describe("a log that cannot be written", function()
  it("because its file may grow no further loses lines, counts them, and disturbs nobody", function()
    local dir = sys.temp_dir()
    local p = start(dir .. "/access.log", { "/usr/bin/prlimit", "--fsize=" .. LIMIT })
    ask(p, 150) -- of more than 200 bytes each
    loop.eventually(function() return lost(p) > 10 and lost(p) + written(dir .. "/access.log", "/some/path") == 150 end)
    assert.is_true(#sys.read_file(dir .. "/access.log") <= LIMIT)
  end)

  it("goes on when it can be, with whole lines, and says how many were lost", function()
    local dir = sys.temp_dir()
    local p = start(dir .. "/access.log", { "/usr/bin/prlimit", "--fsize=" .. LIMIT })
    ask(p, 150)
    loop.eventually(function() return lost(p) > 10 end)
    sys.write_file(dir .. "/access.log", "") -- as logrotate's copytruncate does
    ask(p, 3, "/later")
    loop.eventually(function() return written(dir .. "/access.log", "/later") == 3 end)
    p:wait_log('msg="log lines were dropped" lines=%d+')
  end)

  it("because its disk is full is no reason to end", function()
    local p = start("/dev/full")
    ask(p, 5)
    loop.eventually(function() return lost(p) == 5 end)
    p:wait_log('msg="log lines were dropped" lines=%d+')
    ask(p, 1)
  end)
end)
