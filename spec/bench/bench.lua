--- tidelock side by side with its peers: `make bench`. See README.md beside this file.
--
-- usage: luajit spec/bench/bench.lua [--rounds N] [--seconds N] [--json FILE] [WORK]...     default: every work
-- WORK is a name, a list with commas, or help. Exit status: 0 when all could be measured, whether or not
-- targets are met.

package.path = "./?.lua;" .. package.path
require("jit").off() -- the packaged LuaJIT now and then crashes in compiled code

local cleanup = require("spec.support.cleanup")
local place = require("spec.bench.place")
local report = require("spec.bench.report")
local sys = require("spec.support.sys")
local works = require("spec.bench.works")

-- Bytes of the reason for which a work could not be measured.
local REASON = 400

local function usage()
  for _, work in ipairs(works) do
    print(("%-16s %s"):format(work.name, work.summary))
  end
end

local function find(name)
  for _, work in ipairs(works) do
    if work.name == name then
      return work
    end
  end
  usage()
  error("no such work: " .. name, 0)
end

--- @return options, list of works
local function read_arguments(words)
  local options, chosen, i = { rounds = 7, seconds = 1, json = "build/bench.json" }, {}, 1
  while words[i] do
    local option = words[i]:match("^%-%-(%a+)$")
    if option then
      local value = words[i + 1]
      options[option] = option == "json" and value or assert(tonumber(value), "a number follows " .. words[i])
      i = i + 1
    else
      for name in words[i]:gmatch("[^,]+") do
        chosen[#chosen + 1] = name == "help" and "help" or find(name)
      end
    end
    i = i + 1
  end
  return options, #chosen > 0 and chosen or works
end

--- Runs one work and ends all that it has started, whatever becomes of it.
-- @return its rows; was it interrupted?
local function run(work, options)
  local started = sys.now()
  local ok, rows = pcall(work.run, options)
  local bad_end = cleanup.run(not ok)
  local interrupted = not ok and tostring(rows):find("interrupted!", 1, true) ~= nil -- luajit's word for SIGINT
  if not ok or bad_end then
    rows = { { work = work.name, failed = tostring(not ok and rows or bad_end):sub(1, REASON) } }
  end
  io.stderr:write(("%-16s %3.0f s%s\n"):format(work.name, sys.now() - started, rows[1].failed and "  FAILED" or ""))
  return rows, interrupted
end

--- Runs all works, up to the one that is interrupted.
local function run_all(chosen, options)
  local all = {}
  for _, work in ipairs(chosen) do
    local rows, interrupted = run(work, options)
    for _, row in ipairs(rows) do
      all[#all + 1] = row
    end
    if interrupted then
      break
    end
  end
  return all
end

local function print_facts(facts)
  print(("tidelock %s, nginx %s, HAProxy %s, h2o %s, OpenSSL %s"):format(facts.commit, facts.nginx, facts.haproxy,
    facts.h2o, facts.openssl))
  print(("%s; %s, %d cores, Linux %s; load average %s before, %s after; %d rounds of %d s, %d s in all"):format(
    facts.date, facts.cpu, facts.cores, facts.kernel, facts.load, facts.load_after, facts.rounds, facts.round_seconds,
    facts.took))
  for _, note in ipairs(facts.notes) do
    print("note: " .. note)
  end
end

local function main(words)
  local options, chosen = read_arguments(words)
  if chosen[1] == "help" then
    usage()
    return 0
  end
  place.enter()
  local facts, started = place.facts(), sys.now()
  local rows = run_all(chosen, options)
  facts.load_after, facts.took, facts.rounds, facts.round_seconds, facts.notes = place.load(),
    math.floor(sys.now() - started), options.rounds, options.seconds, place.notes
  print_facts(facts)
  print(table.concat(report.lines(rows), "\n"))
  local met, short, failed = report.count(rows)
  print(("%d targets met, %d short, %d works not measured"):format(met, short, failed))
  sys.write_file(options.json, report.json(facts, rows))
  return failed == 0 and 0 or 1
end

local ok, result = pcall(main, arg)
if not ok then
  cleanup.run(true)
  io.stderr:write("bench: ", tostring(result), "\n")
end
place.leave()
os.exit(ok and result or 1)
