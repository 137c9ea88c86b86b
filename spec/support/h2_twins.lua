--- Cases of what HTTP/2 must not bring down to HTTP/1, as data: what a client sends, and every byte that the backend
-- sees.
--
-- A case of a request: name, one of
--   fields (the whole list of { name, value }), or what h2.fields takes (method, path, headers, ...)
-- and data (strings, each a DATA frame; the last ends the stream unless there are trailers), trailers (list of fields),
-- and what comes of it:
--   wire = bytes: the request is answered, and the backend saw exactly these
--   pass = { body, trailers }: the same for a body of unknown length, whatever its chunks
--   cut = bytes: it is refused; the backend saw the beginning of these at most
--   status: it is answered with it, by the proxy; none of these: it is refused (400, or the stream is reset)
--   late = true: what is refused comes in a write of its own behind these, which may all have left, and been answered

local assert = require("luassert")
local h2 = require("spec.support.h2")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local twins = {}

local OWN = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: %s\r\n"
  .. "X-Real-IP: 127.0.0.1\r\nVia: 2.0 tidelock\r\n"

--- A request as the backend gets it.
-- @param line "GET /"
-- @param fields what the client said, without Host, "a: b\r\n"
-- @param framing what the proxy says, and the body: "Content-Length: 1\r\n\r\na"; default: none
-- @param host default a.test
function twins.wire(line, fields, framing, host)
  return ("%s HTTP/1.1\r\nHost: %s\r\n%s"):format(line, host or "a.test", fields or "") .. OWN:format(host or "a.test")
    .. (framing or "\r\n")
end

local AFTER = twins.wire("GET /after")

--- A backend that keeps every byte it reads, in seen, and answers each request.
local function recorder()
  local o
  o = origin.raw(function(stream)
    local reading = {}
    local function keep(got, err, part)
      o.seen = o.seen .. (got or part or "")
      return got, err, part
    end
    function reading.read(_, n) return keep(stream:read(n)) end
    function reading.read_until(_, mark) return keep(stream:read_until(mark)) end
    function reading.write(_, bytes) return stream:write(bytes) end
    while true do
      o.last = origin.read_request(reading)
      if not o.last then
        break
      end
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    end
  end)
  o.seen = ""
  return o
end

local function send(c, case, o)
  local data, trailers = case.data or {}, case.trailers
  local body = #data > 0 or trailers
  local frames = { h2.frame("HEADERS", h2.END_HEADERS + (body and 0 or h2.END_STREAM), 1,
    h2.block(case.fields or h2.fields(case))) }
  for i, bytes in ipairs(data) do
    frames[#frames + 1] = h2.frame("DATA", i == #data and not trailers and h2.END_STREAM or 0, 1, bytes)
  end
  if trailers then
    frames[#frames + 1] = h2.frame("HEADERS", h2.END_HEADERS + h2.END_STREAM, 1, h2.block(trailers))
  end
  if case.late then
    c:send(table.concat(frames, "", 1, #frames - 1))
    loop.eventually(function()
      return o.seen ~= ""
    end)
    frames = { frames[#frames] }
  end
  c:send(table.concat(frames))
end

local function judge(case, r, c, o)
  local name = case.name
  if case.wire then
    assert.equal(200, r.status or r.reset or c.goaway and c.goaway.code, name)
    assert.equal(case.wire, o.seen, name)
  elseif case.pass then
    assert.equal(200, r.status or r.reset or c.goaway and c.goaway.code, name)
    assert.equal(case.pass[1], o.last.body, name)
    local trailers = {}
    for _, field in ipairs(o.last.trailers or {}) do
      trailers[field[1]] = field[2]
    end
    assert.same(case.pass[2], trailers, name)
    assert.equal(1, select(2, o.seen:gsub(" HTTP/1.1\r\n", "", 1)), name)
  elseif case.status then
    assert.equal(case.status, r.status or r.reset or c.goaway and c.goaway.code, name)
    assert.equal("", o.seen, name)
  elseif case.late and r.status == 200 then
    assert.equal(case.cut, o.seen, name)
  else
    local refused = r.reset == "PROTOCOL_ERROR" or r.status == 400
    assert.is_true(refused, ("%s: not refused but %s"):format(name, r.status or r.reset or "closed"))
    if not case.cut then
      assert.equal("", o.seen, name)
    end
  end
end

--- The next request is seen whole, and beside it no more than the beginning of the one that was refused.
local function judge_after(case, o)
  local name = case.name .. ": the next request"
  local at, last = o.seen:find(AFTER, 1, true)
  assert.is_truthy(at, name)
  local rest, cut = o.seen:sub(1, at - 1) .. o.seen:sub(last + 1), case.cut or ""
  assert.equal(cut:sub(1, #rest), rest, name)
  assert.is_true(rest == "" or #rest < #cut + (case.late and 1 or 0), case.name .. ": the backend took it for whole")
end

--- Runs cases on one proxy, each on a connection of its own: what it is refused for costs no other request.
function twins.run(cases)
  local o = recorder()
  local p = proxy.start { workers = 1, route = { to = o.url, host = "a.test" } }
  for _, case in ipairs(cases) do
    local c = h2.connect(p.url, { authority = "a.test" })
    o.seen = ""
    send(c, case, o)
    judge(case, c:response(1), c, o)
    if not case.cut then
      o.seen = ""
    end
    c.next_id = 2001
    assert.equal(200, c:request({ path = "/after" }).status, case.name .. ": the next request")
    loop.eventually(function()
      return o:connections() <= 1
    end)
    judge_after(case, o)
    c:close()
  end
end

return twins
