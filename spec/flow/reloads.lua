--- Proxies with scripts of their own that specs change while they run.

local cjson = require("cjson")
local cleanup = require("spec.support.cleanup")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local reloads = {}

--- The text of a command WORD|session_id whose run has this body, by default one that answers with word.
-- @param more further keys of its table, "check = ...,"
function reloads.command(name, body, more)
  return ([[
local reply = require("registry.reply")
return { {
  name = %q, summary = "", args = {}, reply = "", since = "0.1", %s
  run = function(cmd)
    %s
    return reply.ok(%q)
  end,
} }
]]):format(name, more or "", body or "", name .. "_OK")
end

--- The text of a command that answers COLOUR|word.
function reloads.colour(word, body)
  return reloads.command("COLOUR", ("%s if true then return reply.ok(\"COLOUR\", %q) end"):format(body or "", word))
end

local files = {}
files.__index = files

function files:path(path)
  return self.dir .. "/" .. path
end

--- Saves in place.
function files:save(path, text)
  sys.write_file(self:path(path), text)
end

--- Saves as editors do that write a new file and rename it over the old one.
function files:save_by_rename(path, text)
  local new = self:path(path) .. "~new"
  sys.write_file(new, text)
  assert(os.rename(new, self:path(path)))
end

function files:remove(path)
  assert(os.remove(self:path(path)))
end

function files:read(path)
  return sys.read_file(self:path(path))
end

function files:cleanup()
  os.execute("rm -rf " .. self.top)
end

--- A copy of scripts/, removed at the spec's end.
-- @param more path to text of further files
function reloads.files(more)
  local top = sys.temp_dir()
  local self = cleanup.add(setmetatable({ top = top, dir = top .. "/scripts" }, files))
  assert(os.execute("cp -r scripts " .. self.dir) == 0)
  for path, text in pairs(more or {}) do
    self:save(path, text)
  end
  return self
end

--- A proxy with its own scripts and a registered session that hears of global_config_changed.
-- @param options of proxy.start, and files: path to text
-- @return files, registry connection, proxy
function reloads.start(options)
  options = options or {}
  local own = reloads.files(options.files)
  options.scripts = own.dir
  options.workers = options.workers or 1
  local p = proxy.start(options)
  local r = p:registry()
  r:register("shop", "shop-1")
  r:ok("SUBSCRIBE", "global_config_changed")
  return own, r, p
end

--- The next event about scripts, as a table.
function reloads.event(r)
  local line = r:wait_event("scripts_generation")
  return cjson.decode(line:match("^EVENT|global_config_changed|(.*)$"))
end

--- The scripts' status, as a table.
function reloads.status(r)
  return cjson.decode((r:ok("SCRIPTS_STATUS")))
end

--- Waits until a call has this answer.
function reloads.wait_answer(r, answer, ...)
  local fields = { ... }
  loop.eventually(function() return r:call(unpack(fields)) == answer end)
end

--- How often the log says something.
function reloads.count_log(p, text)
  local count, at = 0, 1
  local log = p:log()
  while true do
    local first, last = log:find(text, at, true)
    if not first then
      return count
    end
    count, at = count + 1, last + 1
  end
end

return reloads
