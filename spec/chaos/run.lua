--- A run: instances, clients and an operator around one proxy, in epochs. At the end of each nothing is under way, and
-- the oracle judges it. See README.md.
--
--   local result = run.go { seconds = 60, seed = 1 }
--   result.problems, result.requests, result.done (deeds by name)

local cjson = require("cjson")
local cleanup = require("spec.support.cleanup")
local clients = require("spec.chaos.clients")
local facts = require("spec.chaos.facts")
local history = require("spec.chaos.history")
local instance = require("spec.chaos.instance")
local logged = require("spec.chaos.logged")
local loop = require("spec.support.loop")
local operator = require("spec.chaos.operator")
local oracle = require("spec.chaos.oracle")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local random = require("spec.chaos.random")
local reloads = require("spec.flow.reloads")
local statistics = require("spec.chaos.statistics")
local sys = require("spec.support.sys")

local run = {}

local SERVICES = { "red", "green", "blue" }
local INSTANCES = 3
local POLICIES = { "round_robin", "least_request", "ip_hash" }
local MEMORY = 96 * 1024 * 1024 -- it takes a fifth of that; a sanitizer's runtime takes more
local GRACE = 3 * loop.SLOWNESS

local function page()
  return { status = 200, headers = { ["Content-Type"] = "text/html", ["X-Chaos-Page"] = "1" },
    body = "<html><body>a page of maintenance</body></html>" }
end

local function configuration(self)
  local timeouts = { grace = GRACE .. "s", tunnel_close = "1s", keep_alive = "75s" }
  for name, value in pairs(self.timeouts) do
    timeouts[name] = value
  end
  return {
    access_log = { format = "text", file = self.dir .. "/access" },
    timeouts = timeouts,
    maintenance = { check_interval = "50ms", timeout = "20s" },
    tls = { certificates = { pki.pair(self.certificate) } },
    health_checks = true,
    -- A call that takes longer as the machine is busy is not what is looked for.
    scripts_budget = { command = "20s", page = "20s", health = "20s", policy = "20s" },
  }
end

local function start_proxy(self)
  local made = pki.certificate { names = self.names }
  self.certificate = { certificate = self.dir .. "/chain.pem", key = self.dir .. "/key.pem" }
  for _, what in ipairs { "key", "certificate" } do
    sys.write_file(self.certificate[what], sys.read_file(made[what]))
  end
  self.files = reloads.files()
  self.config = configuration(self)
  self.proxy = proxy.start { workers = 2, https = true, scripts = self.files.dir, config = self.config }
end

--- What takes part in a run.
-- @param options seed, think (seconds between a client's requests, at most), timeouts (settings, beside its own)
local function new(options)
  local self = {
    seed = options.seed, grace = GRACE, timeouts = options.timeouts or {},
    services = SERVICES, unsteady = SERVICES[#SERVICES],
    names = { "*.chaos.test" }, dir = sys.temp_dir(),
    world = { members = {}, up = {}, backends = {}, retries = {}, spent = 0 },
    requests = {}, executions = {}, done = {}, events = {},
    policies = {}, think = options.think or 0.03, instances = {}, problems = {}, count = 0, epochs = 0, kinds = {},
  }
  cleanup.add { cleanup = function() os.execute("rm -rf " .. self.dir) end }
  function self.say(event)
    event.at = loop.now()
    self.events[#self.events + 1] = event
  end
  start_proxy(self)
  self.page = origin.start(page)
  self.page_url = self.page.url
  local rng = random.stream(self.seed, "run")
  for _, service in ipairs(SERVICES) do
    self.policies[service] = rng:pick(POLICIES)
    for i = 1, INSTANCES do
      table.insert(self.instances, instance.new(self, service, i))
    end
  end
  self.operator, self.clients = operator.new(self), clients.all(self)
  return self
end

-- ---- one epoch

local function act(self, actor, calm)
  while self.on do
    actor:act(calm)
  end
end

--- Lets everybody act for a while, and waits until all have ended what they began.
local function churn(self, seconds, calm)
  local tasks = {}
  self.on = true
  for _, one in ipairs(self.instances) do
    tasks[#tasks + 1] = loop.spawn(act, self, one, calm)
  end
  tasks[#tasks + 1] = loop.spawn(act, self, self.operator)
  for _, client in ipairs(self.clients) do
    tasks[#tasks + 1] = loop.spawn(clients.go, client)
  end
  local from = loop.now()
  loop.delay(seconds)
  self.on = false
  for _, task in ipairs(tasks) do
    loop.join(task, 120 * loop.SLOWNESS)
  end
  return from
end

local function forget(self)
  local now = loop.now()
  local members = {}
  for _, m in ipairs(self.world.members) do
    for _, one in ipairs { m.at, m.drain, m.maintenance, m.session, m.config, m.fit } do
      one:forget(now)
    end
    if m.at:certain(now) ~= false then
      members[#members + 1] = m
    end
  end
  self.world.members = members
  for _, up in pairs(self.world.up) do
    up:forget(now)
  end
  facts.forget_retries(self.world, now)
  self.requests, self.executions, self.events, self.page.requests = {}, {}, {}, {}
end

local function judge(self, problems)
  for _, one in ipairs(self.world.backends) do
    one:executed(self.executions)
  end
  for _, problem in ipairs(logged.read(self)) do
    problems[#problems + 1] = problem
  end
  for _, problem in ipairs(oracle.judge(self.world, self.requests, self.executions)) do
    problems[#problems + 1] = problem
  end
  history.tell(self, problems)
  for _, problem in ipairs(problems) do
    table.insert(self.problems, problem)
  end
  for _, request in ipairs(self.requests) do
    local what = request.skipped and "skipped" or request.tunnel and "tunnel " .. request.tunnel.how
      or request.refusal or tostring(request.status)
    self.kinds[what] = (self.kinds[what] or 0) + 1
  end
  self.count = self.count + #self.requests
end

--- @param calm nothing is removed and no backend killed: what the proxy counts has to be what was sent
local function epoch(self, seconds, calm)
  self.epochs, self.uncounted = self.epochs + 1, false
  local before = calm and statistics.settled(self)
  churn(self, seconds, calm)
  local problems = calm and not self.uncounted and statistics.compare(self, before) or {}
  judge(self, problems)
  forget(self)
end

-- ---- the end

--- Lines with level=error that nobody asked for.
local function errors(self)
  local problems = {}
  for line in self.proxy:log():gmatch("[^\n]*level=error[^\n]*") do
    local known = false
    for _, pattern in ipairs(operator.EXPECTED) do
      known = known or line:find(pattern)
    end
    if not known then
      problems[#problems + 1] = { kind = "log", why = line:sub(1, 300) }
    end
  end
  return problems
end

--- Between two epochs: no client has a connection, every instance has a session.
function run.settle(self)
  for _, client in ipairs(self.clients) do
    clients.close(client)
  end
  for _, one in ipairs(self.instances) do
    one:settle()
  end
end

local function finish(self)
  for _, client in ipairs(self.clients) do
    clients.close(client)
  end
  for _, problem in ipairs(errors(self)) do
    table.insert(self.problems, problem)
  end
  local ok, err = pcall(self.proxy.stop, self.proxy)
  if not ok then
    table.insert(self.problems, { kind = "process", why = tostring(err) })
  end
end

--- Runs.
-- @param options seed, seconds, think, timeouts; beside: function(run) that starts what goes on all the time and
--   returns what ends it; sample: function(run), called after each epoch
-- @return problems, requests (number), done (deeds), kinds (how requests ended), epochs, rss
function run.go(options)
  local self = new(options)
  local stop = options.beside and options.beside(self)
  local ends = loop.now() + options.seconds
  local ok, err = pcall(function()
    repeat
      epoch(self, math.min(4, math.max(1.5, options.seconds / 4)), self.epochs % 2 == 1)
      if options.sample then
        options.sample(self)
      end
    until loop.now() > ends
  end)
  if not ok then
    history.write(self, err)
    error(err, 0)
  end
  if stop then
    stop()
  end
  self.rss = self.proxy:rss()
  if loop.SLOWNESS == 1 and self.rss > MEMORY then
    table.insert(self.problems, { kind = "process", why = ("%d bytes of memory at the end"):format(self.rss) })
  end
  finish(self)
  return self
end

run.encode = cjson.encode

return run
