-- No smuggling, what clients send: the tables of spec/flow/raw/, each case in one piece, cut in two at every byte, and
-- with a well-formed request behind it. The backend keeps what it gets, so nothing passes that a table does not say.

local cleanup = require("spec.support.cleanup")
local http = require("spec.support.http")
local proxy = require("spec.support.proxy")
local raw = require("spec.support.raw")
local recorder = require("spec.support.recorder")

local FILES = { "request_line", "target", "host", "field_syntax", "field_bytes", "length", "coding", "chunks",
  "trailers",
  "connection", "forwarded", "methods", "expect", "pipelined" }
local CUTS_MAX = 160 -- of a longer request a sample

local NEXT = "GET /next HTTP/1.1\r\nHost: a.example\r\nX-Next: 1\r\n\r\n"
local NEXT_SEEN = raw.sees("GET /next HTTP/1.1", { lines = "X-Next: 1\r\n" })

local p, o, ping

setup(function()
  cleanup.share(function()
    o = recorder.start()
    p = proxy.start { workers = 1, route = { to = o.url, host = "a.example" }, config = { limits = { pool_size = 8 } } }
    ping = p:connect()
  end)
end)

teardown(cleanup.end_shared)

before_each(function()
  o:clear() -- of a case that failed
end)

--- A round trip through the proxy's only worker: what was sent before has been read. It still serves, too.
local function serves()
  assert.equal("GET /ping", ping:get("/ping", { host = "a.example" }).body)
end

local function method_of(seen)
  return seen:match("^%S+")
end

--- The answers that have to come on a connection, each for its request, and then what has to be its end.
local function check_answers(c, statuses, seen, closed)
  for i, status in ipairs(statuses) do
    local response = c:receive(seen[i] and method_of(seen[i]) or "GET")
    assert.equal(status, response.status)
    if status == 200 and seen[i] then
      local asked = seen[i]:match("^(%S+ %S+)")
      assert.equal(method_of(seen[i]) == "HEAD" and "" or asked, response.body)
    end
  end
  if closed then
    c:wait_closed()
  end
end

--- What the backend has got: count times what a case says, and beginnings of what it must not get whole.
local function check_seen(expected, count, partial)
  serves()
  assert.same({}, o.faults)
  local want, got = {}, {}
  for _, text in ipairs(expected) do
    for _ = 1, count do
      want[#want + 1] = text
    end
  end
  for i, text in ipairs(o.seen) do
    got[i] = text
  end
  table.sort(want)
  table.sort(got)
  assert.same(want, got)
  for _, text in ipairs(o.partial) do
    assert.equal((partial or ""):sub(1, #text), text)
  end
  o:clear()
end

local function added(list, item)
  local longer = {}
  for i, value in ipairs(list) do
    longer[i] = value
  end
  longer[#longer + 1] = item
  return longer
end

local function send_whole(bytes, what)
  local c = http.connect(p.url)
  c.stream:write(bytes)
  check_answers(c, what.statuses, what.seen, what.closed)
  if not what.closed then
    c.stream:write(NEXT)
    check_answers(c, { 200 }, { NEXT_SEEN })
  end
  c:close()
  check_seen(what.closed and what.seen or added(what.seen, NEXT_SEEN), 1, what.partial)
end

local function send_followed(bytes, what)
  local c = http.connect(p.url)
  c.stream:write(bytes .. NEXT)
  if what.closed then
    check_answers(c, what.statuses, what.seen, true)
  else
    check_answers(c, added(what.statuses, 200), added(what.seen, NEXT_SEEN))
  end
  c:close()
  check_seen(what.closed and what.seen or added(what.seen, NEXT_SEEN), 1, what.partial)
end

--- All cuts side by side: first pieces, a round trip, second pieces.
local function send_cut(bytes, what)
  local step = math.max(1, math.ceil(#bytes / CUTS_MAX))
  local connections, cuts = {}, {}
  for cut = 1, #bytes - 1, step do
    local c = http.connect(p.url)
    c.stream:write(bytes:sub(1, cut))
    connections[#connections + 1], cuts[#cuts + 1] = c, cut
  end
  serves()
  for i, c in ipairs(connections) do
    c.stream:write(bytes:sub(cuts[i] + 1))
  end
  for _, c in ipairs(connections) do
    check_answers(c, what.statuses, what.seen, what.closed)
    c:close()
  end
  check_seen(what.seen, #connections, what.partial)
end

for _, file in ipairs(FILES) do
  describe("a raw request, " .. file:gsub("_", " ") .. ":", function()
    for _, case in ipairs(require("spec.flow.raw." .. file)) do
      it(case[1], function()
        send_whole(case[2], case[3])
        if not case.alone then
          send_followed(case[2], case[3])
        end
        send_cut(case[2], case[3])
      end)
    end
  end)
end
