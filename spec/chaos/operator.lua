--- The operator of a run: reloads configuration, scripts and certificates, well and badly.

local cjson = require("cjson")
local loop = require("spec.support.loop")
local pki = require("spec.support.pki")
local random = require("spec.chaos.random")
local reloads = require("spec.flow.reloads")
local sys = require("spec.support.sys")

local operator = {}
operator.__index = operator

--- Lines with level=error that these deeds bring about.
operator.EXPECTED = { "%[scripts%] refused", "%[scripts%] generation %d+ fails in service", "CHAOS_BREAK",
  "commands/chaos%.lua" }

local BREAK = "CHAOS_BREAK"
local FILE = "commands/chaos.lua"

--- @param run seed, proxy, files (a copy of scripts/), certificate (files in use), config (table)
function operator.new(run)
  local self = setmetatable({ run = run, rng = random.stream(run.seed, "operator"), conn = run.proxy:registry(),
    edits = 0 }, operator)
  self.conn:register("operator", "one")
  self.conn:ok("SUBSCRIBE", "global_config_changed")
  self.conn:ok("SUBSCRIBE", "cert_renewed")
  return self
end

--- Makes the texts on disk those in service.
local function reload(self)
  return self.conn:call("SCRIPTS_RELOAD")
end

local function edit(self, path)
  self.edits = self.edits + 1
  local files = self.run.files
  files:save_by_rename(path, files:read(path):gsub("\n%-%- edit %d+\n$", "\n") .. ("-- edit %d\n"):format(self.edits))
end

local deeds = {}

function deeds.hup(self)
  self.run.config.timeouts.keep_alive = self.rng:int(60, 80) .. "s"
  self.run.proxy:write_config(self.run.config)
  self.conn.events = {}
  self.run.proxy:reload()
  self.conn:wait_event('"generation"')
end

function deeds.edit(self)
  edit(self, self.rng:pick { "policies/request_id.lua", "commands/status.lua", "maintenance/page.lua" })
  local answer = reload(self)
  assert(answer:find("^SCRIPTS_RELOAD_OK"), answer)
end

function deeds.spoil(self)
  self.run.files:save(FILE, "return {{\n")
  local answer = reload(self)
  assert(answer:find("^ERROR|" .. FILE), answer)
  self.run.files:remove(FILE)
  answer = reload(self)
  assert(answer:find("^SCRIPTS_RELOAD_OK"), answer)
end

--- A command that fails is taken back with its generation.
function deeds.give_back(self)
  self.run.files:save(FILE, reloads.command(BREAK, 'error("on purpose")'))
  local answer = reload(self)
  assert(answer:find("^SCRIPTS_RELOAD_OK"), answer)
  loop.eventually(function()
    local said = self.conn:call(BREAK)
    assert(said:find("^ERROR|internal error") or said == "ERROR|unknown command: " .. BREAK, said)
    return said:find("unknown command", 1, true)
  end)
  self.run.files:remove(FILE)
  answer = reload(self)
  assert(answer:find("^SCRIPTS_RELOAD_OK"), answer)
end

--- Another certificate for the same names.
function deeds.certify(self)
  local new, old = pki.certificate { names = self.run.names }, self.run.certificate
  for _, what in ipairs { "key", "certificate" } do
    sys.write_file(old[what] .. ".new", sys.read_file(new[what]))
    assert(os.rename(old[what] .. ".new", old[what]))
  end
  local printed = pki.openssl("x509", "-in", new.leaf, "-noout", "-fingerprint", "-sha256")
  local fingerprint = printed:match("=(%S+)"):gsub(":", ""):lower()
  self.conn.events = {}
  loop.eventually(function()
    return (self.conn:ok("CERT_STATUS")):lower():find(fingerprint, 1, true)
  end)
end

local WEIGHTS = { { "hup", 2 }, { "edit", 3 }, { "spoil", 1 }, { "give_back", 1 }, { "certify", 2 } }

--- Does one thing.
function operator:act()
  loop.delay(self.rng:between(0, 0.6))
  local deed = self.rng:weighted(WEIGHTS)
  self.run.say { what = "deed", who = "operator", deed = deed }
  deeds[deed](self)
  self.run.done[deed] = (self.run.done[deed] or 0) + 1
end

--- What the proxy says of its scripts, for messages.
function operator:scripts()
  return cjson.decode((self.conn:ok("SCRIPTS_STATUS")))
end

return operator
