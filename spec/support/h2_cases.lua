--- Runs a table of cases of RFC 9113 against the proxy: what a client sends, and what has to come of it.
--
-- A case: name, send = function(c, p), and one of
--   goaway = error code: the connection ends with it
--   reset = error code: stream 1 (or id) ends with it, and the connection goes on
--   status = number: stream 1 (or id) is answered with it
--   check = function(c, p)
-- body, headers: what the backend answers; config: of the proxy; options: of h2.connect.

local assert = require("luassert")
local h2 = require("spec.support.h2")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local cases = {}

local function goes_on(c)
  c.next_id = math.max(c.next_id, 2001)
  local r = c:request({ path = "/after" })
  assert.equal(200, r.status, "the connection does not go on")
end

function cases.run(case)
  local o = origin.start(function()
    return { body = case.body or "ok", headers = case.headers }
  end)
  local p = proxy.start { workers = 1, config = case.config, route = { to = o.url, host = "a.test" } }
  local c = h2.connect(p.url, case.options)
  local id = case.id or 1
  case.send(c, p)
  if case.goaway then
    c:wait(function()
      return c.goaway
    end)
    assert.equal(case.goaway, c.goaway and c.goaway.code or c.closed)
    c:wait(function() end) -- and the connection ends
    assert.is_truthy(c.closed)
  elseif case.reset then
    assert.equal(case.reset, c:response(id).reset or c.goaway and "GOAWAY " .. c.goaway.code)
    goes_on(c)
  elseif case.status then
    assert.equal(case.status, c:response(id).status or c.goaway and "GOAWAY " .. c.goaway.code)
  end
  if case.check then
    case.check(c, p, o)
  end
  assert.equal(200, p:get("/").status, "another connection suffers")
end

return cases
