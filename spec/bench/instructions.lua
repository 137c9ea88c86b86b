--- How many instructions a request costs: counted by callgrind over fixed work, so the same on any day and beside any
-- load.
--
-- usage: luajit spec/bench/instructions.lua [--write] [WORK]...     default: every work
--
-- Counted is what the program and the libraries do that it is built of (libev, http-parser, nghttp2, LuaJIT), of all
-- threads; not libc and OpenSSL, which choose their code by the processor. Compares with spec/bench/instructions.txt
-- and fails where a work has become dearer by more than 5 %; --write keeps what was counted, for a commit that says
-- why.

package.path = "./?.lua;" .. package.path
require("jit").off() -- the packaged LuaJIT now and then crashes in compiled code

local cleanup = require("spec.support.cleanup")
local origin = require("spec.support.origin")
local policy = require("spec.bench.policy")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local works = require("spec.bench.instructions_works")

local KEPT = "spec/bench/instructions.txt"
local TOLERANCE = 1.05
local TRIES = 3
local COUNTED = { "/tidelock$", "/libev%.so", "/libhttp_parser%.so", "/libnghttp2%.so", "/libluajit" }

local function is_counted(object)
  for _, pattern in ipairs(COUNTED) do
    if object:find(pattern) then
      return true
    end
  end
  return false
end

--- Adds up the cost of a dump: lines "position cost" belong to the last ob= line; the one behind calls= is the
-- callee's.
local function sum_of(text)
  local names, counted, sum, skip = {}, false, 0, false
  for line in text:gmatch("[^\n]+") do
    local id, name = line:match("^ob=(%(%d+%)) ?(.*)$")
    if id then
      names[id] = name ~= "" and name or names[id]
      counted = is_counted(names[id])
    else
      id, name = line:match("^cob=(%(%d+%)) (.+)$")
      if id then
        names[id] = name
      elseif line:find("^calls=") then
        skip = true
      else
        local cost = line:match("^[%d+*-]%S* (%d+)$")
        if cost and not skip and counted then
          sum = sum + tonumber(cost)
        end
        skip = skip and not cost
      end
    end
  end
  return sum
end

local function control(p, ...)
  local run = process.start({ "/usr/bin/callgrind_control", ..., tostring(p.pid) }, { name = "callgrind_control" })
  assert(run:wait_exit(60) == 0, sys.read_file(run.stderr))
end

--- Instructions of one request of a work.
local function count(work)
  local o = origin.process { size = 1024 }
  local out = sys.temp_dir()
  local p = proxy.start {
    workers = 1, config = work.config, log_level = "warn", args = work.args,
    route = { to = o.url, host = works.HOST, options = work.options, circuit = work.circuit },
    scripts = work.scripts and policy.scripts(),
    under = { "/usr/bin/valgrind", "--tool=callgrind", "--callgrind-out-file=" .. out .. "/dump", "--quiet" },
  }
  if work.ratelimit then
    p.session:ok("RATELIMIT_SET", p.route_id, unpack(work.ratelimit))
    p.session:ok("CONFIG_APPLY")
  end
  local ask = work.client(p)
  for _ = 1, 50 do
    ask()
  end
  control(p, "-z")
  for _ = 1, work.requests do
    ask()
  end
  control(p, "-d")
  local dump = assert(sys.read_file(out .. "/dump.1"))
  cleanup.run()
  os.execute("rm -rf " .. out)
  return math.floor(sum_of(dump) / work.requests + .5)
end

--- The least of some counts, or the first that is enough: a busy machine has a work wait more often, which costs some.
local function least(work, enough)
  local best = math.huge
  for _ = 1, TRIES do
    best = math.min(best, count(work))
    if enough and best <= enough then
      break
    end
  end
  return best
end

local function read_kept()
  local kept = {}
  for name, value in (sys.read_file(KEPT) or ""):gmatch("(%S+) +(%d+)\n") do
    kept[name] = tonumber(value)
  end
  return kept
end

local function write_kept(kept)
  local lines = {}
  for _, work in ipairs(works) do
    lines[#lines + 1] = kept[work.name] and ("%-16s %d\n"):format(work.name, kept[work.name])
  end
  sys.write_file(KEPT, table.concat(lines))
end

local wanted, write = {}, false
for _, word in ipairs(arg) do
  if word == "--write" then
    write = true
  else
    wanted[word] = true
  end
end

local kept, failed = read_kept(), 0
for _, work in ipairs(works) do
  if not next(wanted) or wanted[work.name] then
    local before = kept[work.name]
    local now = least(work, before and not write and before * TOLERANCE)
    local dearer = before and now > before * TOLERANCE
    print(("%-16s %7d  %s%s"):format(work.name, now, before and ("%.3f of %d"):format(now / before, before) or "new",
      dearer and "  DEARER" or ""))
    failed = failed + (dearer and not write and 1 or 0)
    kept[work.name] = now
  end
end
if write then
  write_kept(kept)
end
os.exit(failed == 0 and 0 or 1)
