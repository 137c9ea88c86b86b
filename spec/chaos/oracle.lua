--- The oracle: was each answer allowed at any moment of its request's life? Pure functions over what was recorded;
-- README.md says what is recorded and why each rule is as it is.
--
--   oracle.judge(world, requests, executions) -> list of { kind =, why =, request =, execution = }

local facts = require("spec.chaos.facts")

local oracle = {}

--- The kinds of what can be wrong.
oracle.KINDS = { "service", "removed", "drained", "maintenance", "config", "preference", "refused", "page", "lost",
  "twice", "unexecuted", "body", "tunnel", "stats", "log", "process" }

local function wrong(kind, why, ...)
  return { kind = kind, why = why:format(...) }
end

-- ---- where a request was executed

--- Members that may have been at this backend while the request could have been sent there.
local function members_at(world, request, backend, from, to)
  local own, other = facts.places(world, request)
  local found, elsewhere = {}, false
  for _, list in ipairs({ own, other }) do
    for _, m in ipairs(list) do
      if m.at:ever(backend, from, to) then
        found[#found + 1] = { member = m, own = list == own, rivals = own }
      end
    end
  end
  for _, m in ipairs(world.members) do
    elsewhere = elsewhere or (m.service ~= request.service and m.at:ever(backend, from, to))
  end
  return found, elsewhere
end

-- The conditions of being served, each with the kind that its violation is; all have to be possible at one moment.
local CONDITIONS = {
  { "removed", function(one, t, _, backend)
    return one.member.at:at(t)[backend] and (one.own or facts.all(one.rivals, function(m)
      return facts.maybe_absent(m, t)
    end))
  end },
  { "drained", function(one, t) return one.member.drain:certain(t) ~= "full" end },
  { "maintenance", function(one, t) return one.member.maintenance:at(t)[false] end },
  { "config", function(one, t, config) return config == nil or one.member.config:at(t)[config] end },
}

--- How many of the conditions, in their order, can be met at once at some moment.
local function conditions_met(world, found, backend, config, from, to)
  local most = 0
  for _, one in ipairs(found) do
    for _, t in ipairs(facts.moments(world, { one.member, unpack(one.rivals) }, from, to)) do
      local met = 0
      while CONDITIONS[met + 1] and CONDITIONS[met + 1][2](one, t, config, backend) do
        met = met + 1
      end
      most = math.max(most, met)
    end
  end
  return most
end

--- One execution, or the answer of one: may the backend have got it?
-- @param config the configuration that the answer was stamped with, nil for an execution without an answer
function oracle.served(world, request, backend, config, to)
  local found, elsewhere = members_at(world, request, backend, request.sent, to)
  if #found == 0 then
    return wrong(elsewhere and "service" or "removed", "%s was no member for it", backend)
  end
  local met = conditions_met(world, found, backend, config, request.sent, to)
  if met < #CONDITIONS then
    return wrong(CONDITIONS[met + 1][1], "%s (config %s)", backend, tostring(config))
  end
  return nil
end

--- A last resort must not be used while another member was able throughout.
function oracle.preferred(world, request, backend, to)
  local from = request.sent
  local found = members_at(world, request, backend, from, to)
  if #found == 0 or not facts.all(found, function(one)
    return one.member.session:certain(from) ~= "connected" and not one.member.session:ever("connected", from, to)
  end) then
    return nil
  end
  for _, m in ipairs(facts.able_members(world, request, from, to)) do
    if m.session:throughout("connected", from, to) then
      return wrong("preference", "%s is a last resort, %s was there", backend, m.name)
    end
  end
  return nil
end

-- ---- requests that nobody served

--- Is there a moment at which every member of a group that may have been the request's was blocked, and one of them for
-- this reason?
local function blocked_by(world, request, reason)
  local own, other = facts.places(world, request)
  local from, to = request.sent, request.done
  local everyone = { unpack(own) }
  for _, m in ipairs(other) do
    everyone[#everyone + 1] = m
  end
  local shaky = {}
  for _, m in ipairs(everyone) do
    shaky[m] = facts.shaky(world, m, from, to)
  end
  for _, t in ipairs(facts.moments(world, everyone, from, to)) do
    for _, group in ipairs(facts.groups(world, request, t)) do
      if facts.all(group, function(m) return facts.maybe_blocked(m, t) or shaky[m] end)
        and facts.any(group, function(m) return facts.maybe_present(m, t) and reason(m, t) end) then
        return true
      end
    end
  end
  return false
end

local function unfit(m, t) return m.fit:at(t)[false] end

local REFUSALS = {
  health_down = unfit, health_awaited = unfit, circuit_open = unfit, circuit_probing = unfit,
  maintenance = function(m, t) return m.maintenance:at(t)[true] end,
  draining = function(m, t) return m.drain:certain(t) ~= "none" end,
}

local function any_shaky(world, request)
  local own, other = facts.places(world, request)
  return facts.any(own, function(m) return facts.shaky(world, m, request.sent, request.done) end)
    or facts.any(other, function(m) return facts.shaky(world, m, request.sent, request.done) end)
end

local function maybe_nobody(world, request)
  local own, other = facts.places(world, request)
  local everyone = { unpack(own) }
  for _, m in ipairs(other) do
    everyone[#everyone + 1] = m
  end
  for _, t in ipairs(facts.moments(world, everyone, request.sent, request.done)) do
    if select(2, facts.groups(world, request, t)) then
      return true
    end
  end
  return false
end

--- Was the reason that the proxy gave a possible one?
local function reason_possible(world, request)
  if request.refusal == "no_route" then
    return maybe_nobody(world, request)
  elseif REFUSALS[request.refusal] then
    return blocked_by(world, request, REFUSALS[request.refusal])
  elseif request.status == 502 or request.status == 504 then
    return any_shaky(world, request)
  end
  return false
end

--- An answer of the proxy's own.
function oracle.refused(world, request)
  local able = facts.able_members(world, request, request.sent, request.done)[1]
  local failed = (request.status == 502 or request.status == 504) and not request.repeatable
    and any_shaky(world, request) -- it may have been sent, and cannot be sent again
  local spent = request.status == 502 and facts.retries_may_be_spent(world, request.sent, request.done)
  if able and spent and not failed then
    world.spent = (world.spent or 0) + 1 -- so that a run can say how often it looked away
  elseif able and not failed then
    return wrong("refused", "%s (%s), but %s was able to take it", tostring(request.status),
      tostring(request.refusal), able.name)
  end
  if not reason_possible(world, request) then
    return wrong(REFUSALS[request.refusal] and "page" or "refused", "%s (%s) at no moment possible",
      tostring(request.status), tostring(request.refusal))
  end
  return nil
end

--- Everybody in maintenance, all the time: nothing but the page will do.
function oracle.page_due(world, request)
  local from, to = request.sent, request.done
  local own, other = facts.places(world, request)
  local function out(list)
    return facts.all(list, function(m) return m.at:throughout(false, from, to) end)
  end
  local group = not out(own) and own or other
  if out(group) then
    return nil
  end
  local due = facts.all(group, function(m)
    local at = m.at:certain(from)
    return at ~= nil and m.at:throughout(at, from, to) and (at == false or m.maintenance:throughout(true, from, to))
  end)
  if due and request.refusal ~= "maintenance" then
    return wrong("page", "all are in maintenance, the answer was %s (%s)", tostring(request.status),
      tostring(request.refusal))
  end
  return nil
end

-- ---- how often, how whole

local function failed_attempt(world, execution, request)
  return world.up[execution.backend]:ever(false, execution.at, request.done)
end

--- Executions of one request, oldest first.
function oracle.repeated(world, request, executions)
  if #executions > 1 and not request.idempotent then
    return wrong("twice", "%d executions of a request that must not be repeated", #executions)
  end
  for i = 1, #executions - 1 do
    if not failed_attempt(world, executions[i], request) then
      return wrong("twice", "executed at %s, which did not fail, and again", executions[i].backend)
    end
  end
  if request.skipped and #executions > 0 then
    return wrong("twice", "executed, though its connection had been ended before it")
  end
  local last = executions[#executions]
  if request.backend and not (last and last.backend == request.backend) then
    return wrong("unexecuted", "answered for %s, executed at %s", request.backend,
      tostring(last and last.backend))
  end
  return nil
end

--- No answer, or part of one: only the end of a backend explains that. A large upload that is refused early may miss
-- the answer.
function oracle.lost(world, request)
  if request.complete or request.skipped then
    return nil
  end
  if any_shaky(world, request) and (request.status or not request.repeatable
    or #facts.able_members(world, request, request.sent, request.done) == 0) then
    return nil
  end
  return wrong("lost", "%s after status %s", tostring(request.failure), tostring(request.status))
end

--- A tunnel ends because a side wants to, or for what became of its member.
function oracle.tunnel(world, request)
  local tunnel = request.tunnel
  if not tunnel or tunnel.how == "done" then
    return nil
  end
  local found = members_at(world, request, request.backend, request.sent, request.done)
  for _, one in ipairs(found) do
    local m = one.member
    if tunnel.how == "cut" and facts.shaky(world, m, request.sent, request.done) then
      return nil
    end
    for _, t in ipairs(facts.moments(world, { m }, request.sent, request.done)) do
      if tunnel.how == "told" and (m.at:certain(t) ~= request.backend or m.maintenance:at(t)[true]
        or m.drain:certain(t) ~= "none") then
        return nil
      end
    end
  end
  return wrong("tunnel", "%s (%s) without a reason", tunnel.how, tostring(tunnel.why))
end

local function body(_, request)
  return request.body_wrong and wrong("body", "%s", request.body_wrong) or nil
end

-- ---- all of it

local function judge_one(world, request, executions)
  local found = {}
  local function add(problem, execution)
    if problem then
      problem.request, problem.execution = request, execution
      found[#found + 1] = problem
    end
  end
  for _, execution in ipairs(executions) do
    local config = execution.backend == request.backend and request.config or nil
    add(oracle.served(world, request, execution.backend, config, execution.at), execution)
    add(oracle.preferred(world, request, execution.backend, execution.at), execution)
  end
  add(oracle.repeated(world, request, executions))
  add(body(world, request))
  add(oracle.lost(world, request))
  add(oracle.tunnel(world, request))
  if request.complete and not request.backend then
    add(oracle.refused(world, request))
  end
  if request.complete and not request.skipped then
    add(oracle.page_due(world, request))
  end
  return found
end

--- Judges what happened.
-- @param world members, up
-- @param requests list, oldest first
-- @param executions list of { id, backend, at }
function oracle.judge(world, requests, executions)
  local by_id, problems = {}, {}
  for _, execution in ipairs(executions) do
    by_id[execution.id] = by_id[execution.id] or {}
    table.insert(by_id[execution.id], execution)
  end
  for _, request in ipairs(requests) do
    local own = by_id[request.id] or {}
    table.sort(own, function(a, b) return a.at < b.at end)
    for _, problem in ipairs(judge_one(world, request, own)) do
      problems[#problems + 1] = problem
    end
    by_id[request.id] = nil
  end
  for id, list in pairs(by_id) do
    problems[#problems + 1] = { kind = "twice", why = "executed, but nobody sent it, or it had ended: " .. id,
      execution = list[1] }
  end
  return problems
end

--- Lines of the access log about one request: list of { status, sent }.
function oracle.logged(request, lines)
  local due, problem = request.skipped and 0 or 1, nil
  local line = lines[1]
  if #lines ~= due then
    problem = wrong("stats", "%d lines of the access log", #lines)
  elseif line and request.complete and line.status ~= request.status then
    problem = wrong("stats", "logged with status %d, answered with %s", line.status, tostring(request.status))
  elseif line and request.complete and not request.tunnel and line.sent ~= request.received then
    problem = wrong("stats", "logged with %d bytes, %d came", line.sent, request.received)
  end
  if problem then
    problem.request = request
  end
  return problem
end

--- Compares what the proxy has counted with what was sent and received: tables of numbers by name.
function oracle.counted(expected, got)
  local problems = {}
  local names = {}
  for name in pairs(expected) do
    names[name] = true
  end
  for name in pairs(got) do
    names[name] = true
  end
  for name in pairs(names) do
    if (expected[name] or 0) ~= (got[name] or 0) then
      problems[#problems + 1] = wrong("stats", "%s: %s counted, %s sent", name, got[name] or 0, expected[name] or 0)
    end
  end
  return problems
end

return oracle
