-- No smuggling, what backends send: the tables of spec/flow/raw/, each case in one piece and cut in two at every byte.
-- Behind each, requests are answered as they have to be, and the backend's connection is used again or never.

local cleanup = require("spec.support.cleanup")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local FILES = { "status_line", "response_fields", "response_length", "response_coding", "response_chunks",
  "response_bodiless", "response_interim", "response_behind" }
local CUTS_MAX = 120 -- of a longer response a sample

local p, o, ping
local case -- what /case is answered with: bytes, ends, cuts (list; of the request of that number)
local numbers -- of connections that /case came on
local held -- second pieces: { stream, bytes, ends }

local function answer_case(stream, number)
  numbers[#numbers + 1] = number
  local cut = case.cuts and case.cuts[#numbers] -- none: it is asked for once more, as it broke off
  stream:write(case.bytes:sub(1, cut or -1))
  if cut then
    held[#held + 1] = { stream, case.bytes:sub(cut + 1) }
  elseif case.ends then
    stream:close()
  end
end

local function serve(stream, number)
  while true do
    local head = stream:read_until("\r\n\r\n")
    local target = head and head:match("^%S+ (%S+) ")
    if not target then
      return
    end
    if target == "/case" then
      answer_case(stream, number)
    else
      stream:write(("HTTP/1.1 200 OK\r\nX-Number: %d\r\nContent-Length: %d\r\n\r\n%s"):format(number, #target, target))
    end
  end
end

setup(function()
  cleanup.share(function()
    o = origin.raw(serve, { timeout = 600 })
    p = proxy.start { workers = 1, config = { limits = { pool_size = 200 } },
      route = { to = o.url, host = "a.example", options = { retries = "0" } } }
    ping = p:connect()
  end)
end)

teardown(cleanup.end_shared)

before_each(function()
  numbers, held = {}, {}
end)

--- Round trips through the proxy's only worker: what was sent before has been read, and whoever sent it heard of.
local function serves()
  for _ = 1, 2 do
    assert.equal("/ping", ping:get("/ping").body)
  end
end

local function ask(request)
  local c = http.connect(p.url)
  c.authority = "a.example"
  c.stream:write(("%s /case HTTP/%s\r\nHost: a.example\r\n%s\r\n"):format(request.method or "GET",
    request.version or "1.1", request.lines or ""))
  return c
end

local function trailers_text(response)
  local text = ""
  for _, field in ipairs(response.trailers or {}) do
    text = text .. field[1] .. ": " .. field[2] .. "\r\n"
  end
  return text
end

local function check_interim(response, what)
  local heads = {}
  for i, early in ipairs(response.informational) do
    heads[i] = early.raw
  end
  assert.same(what.interim, heads)
end

local function check_answer(c, what, method)
  local response, err = c:try_receive(method or "GET")
  if what.cut then
    assert.is_nil(response)
    assert.is_true(err == "reset" or err == "closed", err)
    return
  end
  assert(response, err)
  if what.bad then
    assert.equal(502, response.status)
    return
  end
  check_interim(response, what)
  assert.equal(what.head, response.raw)
  assert.equal(what.body, response.body .. trailers_text(response))
  if what.closed then
    c:wait_closed()
  end
end

--- The next request, on the same connection where it goes on: answered as it has to be. Returns the number of the
-- backend's connection.
local function follow(c, what)
  if what.cut or what.closed then
    c:close()
    c = p:connect()
  end
  local response = c:get("/next", { host = "a.example" })
  assert.equal("/next", response.body)
  c:close()
  return tonumber(response.headers["X-Number"])
end

local function send_whole(given)
  case = { bytes = given[2], ends = given.ends }
  local request, what = given.request or {}, given[3]
  local c = ask(request)
  check_answer(c, what, request.method)
  serves()
  local number = follow(c, what)
  assert.equal(what.reused, number == numbers[#numbers], "used again?")
end

local function send_cut(given)
  local bytes, request, what = given[2], given.request or {}, given[3]
  local connections, cuts, used = {}, {}, {}
  for cut = 0, #bytes - 1, math.max(1, math.ceil(#bytes / CUTS_MAX)) do
    cuts[#cuts + 1] = cut
  end
  numbers, held = {}, {}
  case = { bytes = bytes, ends = given.ends, cuts = cuts }
  for i = 1, #cuts do
    connections[i] = ask(request)
  end
  loop.eventually(function() return #held == #cuts end)
  serves()
  for _, rest in ipairs(held) do
    rest[1]:write(rest[2])
    if given.ends then
      rest[1]:close()
    end
  end
  serves()
  for i, c in ipairs(connections) do
    check_answer(c, what, request.method)
    used[numbers[i]] = true
  end
  serves()
  for _, c in ipairs(connections) do
    local number = follow(c, what)
    assert.is_true(what.reused or not used[number], "used again")
  end
end

for _, file in ipairs(FILES) do
  describe("a raw response, " .. file:gsub("_", " ") .. ":", function()
    for _, given in ipairs(require("spec.flow.raw." .. file)) do
      it(given[1], function()
        send_whole(given)
        if not given.whole then
          send_cut(given)
        end
      end)
    end
  end)
end
