-- Bad backends: one table (spec/flow/bad/) over the ways to talk to the proxy and kinds of backends. A case: name,
-- script(stream) of a connection on which /case has come whole, is: what the client gets (body of 200, "cut", or the
-- proxy's own reason; a list: one of them), late = true: the route with a short time-out, reused = true: the
-- connection may serve again.
--
-- Of each: what the client gets, what circuits count, whether the connection is used again, what a request gets that
-- another member can take, that a request beside it is served, and that nothing is left.

local cleanup = require("spec.support.cleanup")
local group = require("spec.support.group")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local tls_origin = require("spec.support.tls_origin")
local web = require("spec.support.web")

local CASES = {}
for _, name in ipairs { "silent", "lies" } do
  for _, case in ipairs(require("spec.flow.bad." .. name)) do
    CASES[#CASES + 1] = case
  end
end

local OK = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
local case, streams -- the current case; connections that had it: list of { number, stream }

local function serve(stream, number)
  while true do
    local head = stream:read_until("\r\n\r\n")
    local target = head and head:match("^%S+ (%S+) ")
    if not target then
      return
    end
    local length = tonumber(head:lower():match("content%-length: (%d+)"))
    if length then
      stream:read(length)
    end
    if target == "/case" then
      streams[#streams + 1] = { number, stream }
      if case[2](stream) ~= "goes on" then
        return
      end
    else
      stream:write(OK:format(#tostring(number), number))
    end
  end
end

--- Routes: bad.test and late.test (the bad backend alone), two.test (beside a sound member), ok.test.
local function start(scheme, bad, sound)
  local tls = scheme == "https"
  local options = web.listening { host = "bad.test", options = { retries = "0", tls_ca = tls and "internal" or nil },
    circuit = { 1000, "1h", 1 } }
  options.config.backend_tls = tls and { authorities = { internal = pki.authority().certificate } } or nil
  local g = group.start({ bad.url }, options)
  local function add(host, url, timeout, retries)
    local id = g.session:ok("ROUTE_ADD", host, "/", url, 0)
    g.session:ok("OPTIONS_SET", id, "retries", retries)
    if timeout then
      g.session:ok("OPTIONS_SET", id, "timeout", timeout)
    end
    if tls then
      g.session:ok("OPTIONS_SET", id, "tls_ca", "internal")
    end
    g.session:ok("CIRCUIT_BREAKER_SET", id, "1000", "1h", "1")
    return id
  end
  add("late.test", bad.url, "300ms", "0")
  add("two.test", bad.url, "200ms", "1")
  add("two.test", sound.url, "30s", "1")
  add("ok.test", sound.url, nil, "0")
  g.session:ok("CONFIG_APPLY")
  return g
end

local function reason(r)
  if r.cut then
    return "cut"
  end
  local status = r.headers["Proxy-Status"]
  return status and status:match('details="([%w_]+)') or r.body
end

local function expected(is, got)
  for _, one in ipairs(type(is) == "table" and is or { is }) do
    if one == got then
      return got
    end
  end
  return is
end

--- Is the answer of this case one that came whole?
local function is_whole(got)
  return got ~= "cut" and not got:find("_")
end

local function ask(t, way, host, route)
  t.g.session:ok("CIRCUIT_BREAKER_RESET", route)
  local client = web.client(t.g.proxy, way)
  local pending = client:start { method = "POST", path = "/case", host = host, body = "0123456789" }
  local beside = web.client(t.g.proxy, way)
  local sound = beside:request { path = "/", host = "ok.test" }
  assert.same({ 200, "sound" }, { sound.status, sound.body })
  beside:close()
  local r = pending:response()
  client:close()
  return r, reason(r)
end

local function check_answer(t, way)
  local host, route = case.late and "late.test" or "bad.test", case.late and "r2" or "r1"
  local r, got
  for _ = 1, 5 do -- on a busy machine this backend itself may start too late
    streams = {}
    r, got = ask(t, way, host, route)
    if got ~= "backend_late" or case.is == "backend_late" then
      break
    end
  end
  assert.same(expected(case.is, got), got)
  assert.equal(case.is == "backend_late" and 504 or is_whole(got) and (r.status == 204 and 204 or 200)
    or got ~= "cut" and 502 or r.status, r.status)
  loop.soon(function()
    assert.equal(is_whole(got) and 0 or 1, t.g:circuit(route).failures)
    assert.equal(0, t.g:status(route).in_flight)
  end)
  return host
end

local function check_connection(t, way, host)
  local client = web.client(t.g.proxy, way)
  local number, stream = streams[1][1], streams[1][2]
  local r = client:request { path = "/next", host = host }
  assert.equal(200, r.status)
  assert.equal(case.reused or false, tonumber(r.body) == number, "used again?")
  if not case.reused then
    loop.soon(function()
      assert.is_nil(t.bad.open[stream])
    end)
  end
  client:close()
end

--- A request that may be repeated is served by the other member, unless the head had passed.
local function check_member(t, way)
  local client = web.client(t.g.proxy, way)
  for _ = 1, 2 do
    local r = client:request { path = "/case", host = "two.test" }
    local got = reason(r)
    if got ~= "sound" then
      assert.same(expected(case.is, got), got)
      assert.is_true(got == "cut" or is_whole(got), got)
    end
  end
  client:close()
end

--- All ways meet backends of http. Elsewhere one way of each version is enough, and so it is where a time-out passes.
local function is_due(given, scheme, way)
  if given.late then
    return not way.tls and (scheme == "http" or way.version == 1)
  end
  return scheme == "http" or way.tls == (way.version == 2)
end

for _, scheme in ipairs { "http", "https" } do
  describe(("a bad backend that speaks %s and"):format(scheme), function()
    local t

    setup(function()
      streams = {}
      cleanup.share(function()
        local bad = scheme == "https" and tls_origin.start() or origin.raw(serve, { timeout = 600 })
        bad.serve_connection = function(_, stream, number)
          return serve(stream, number)
        end
        local sound = scheme == "https" and tls_origin.start({ body = "sound" }) or origin.start { body = "sound" }
        t = { bad = bad, g = start(scheme, bad, sound) }
      end)
    end)

    teardown(cleanup.end_shared)

    for _, way in ipairs(web.WAYS) do
      for _, given in ipairs(CASES) do
        if is_due(given, scheme, way) then
          it(("%s (%s)"):format(given[1], way.name), function()
            case, streams = given, {}
            local host = check_answer(t, way)
            check_connection(t, way, host)
            check_member(t, way)
          end)
        end
      end
    end
  end)
end
