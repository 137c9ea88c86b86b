--- Clients of a run: tasks that send requests in all ways, one after the other, until they are to stop.

local cleanup = require("spec.support.cleanup")
local h2 = require("spec.support.h2")
local http = require("spec.support.http")
local message = require("spec.support.message")
local random = require("spec.chaos.random")
local requests = require("spec.chaos.requests")
local stream = require("spec.support.stream")
local tls = require("spec.support.tls")
local tunnels = require("spec.chaos.tunnels")
local loop = require("spec.support.loop")

local clients = {}

--- A stream to the proxy; that it can be had, with TLS too, is part of what is checked.
local function connect(client, host, alpn)
  local p = client.run.proxy
  local address, port = (client.tls and p.https_address or p.address):match("^(.*):(%d+)$")
  local bytes, err = (client.tls and tls.dial or stream.connect)(address, tonumber(port),
    { name = host, alpn = { alpn } })
  if not bytes then
    error(("%s cannot connect: %s"):format(client.name, err), 0)
  end
  return bytes
end

-- ---- HTTP/1

local function drop(client)
  if client.connection then
    client.connection:close()
    client.connection = nil
  end
end

local function connection_1(client, host)
  local c = client.connection
  if not c or client.fresh or (client.tls and client.host ~= host) or c:ended() then
    drop(client)
    c = http.over(connect(client, host, "http/1.1"), host)
    client.connection, client.host = c, host
  end
  return c
end

local function text_of(c, request)
  return c:format { method = request.method, path = request.target, host = request.host, headers = request.headers,
    body = request.body }
end

--- Reads the answer to a request. False: the connection has ended with it.
local function answer_1(client, c, request)
  local r, err, part = c:try_receive(request.method)
  local got = r or part
  requests.ended(request, { status = got and got.status, headers = got and got.headers, body = got and got.body,
    complete = r ~= nil, failure = err })
  if not r or message.lists(r.headers, "Connection", "close") then
    drop(client)
    return false
  end
  return true
end

local function round_1(client)
  local first = requests.draw(client, client.kinds)
  local list = { first }
  for i = 2, client.pipelined and client.rng:int(1, 4) or 1 do
    list[i] = requests.draw(client, requests.MIXED, first.service)
  end
  local c = connection_1(client, first.host)
  local texts = {}
  for i, request in ipairs(list) do
    requests.sent(client, request)
    texts[i] = text_of(c, request)
  end
  -- Who is refused early need not be able to send all; the answer says.
  local _ = c.stream:write(table.concat(texts))
  local goes_on = true
  for _, request in ipairs(list) do
    if goes_on then
      goes_on = answer_1(client, c, request)
    else
      requests.skipped(request)
    end
  end
end

-- ---- HTTP/2

local function drop_2(client)
  if client.connection then
    client.connection:close()
    cleanup.remove(client.connection)
    client.connection = nil
  end
end

local function connection_2(client, host)
  local c = client.connection
  if not c or client.host ~= host or c.closed or c.goaway or c.stream:ended() then
    drop_2(client)
    c = h2.over(connect(client, host, "h2"), { authority = host })
    client.connection, client.host = c, host
  end
  return c
end

local function open_2(client, c, request)
  local fields = {}
  for i, field in ipairs(request.headers) do
    fields[i] = { field[1]:lower(), field[2] }
  end
  if request.body then
    fields[#fields + 1] = { "content-length", tostring(#request.body) }
  end
  local id = c:open { method = request.method, path = request.target, authority = request.host, headers = fields,
    scheme = client.tls and "https" or "http", body = request.body and false }
  if request.body then
    c:upload(id, request.body, true)
  end
  return id
end

local function answer_2(c, id, request)
  local s = c:response(id)
  if not s.status and c.goaway and id > c.goaway.last then
    return requests.skipped(request) -- RFC 9113 6.8: it was not looked at
  end
  requests.ended(request, { status = s.status, headers = message.fields(s.headers and { unpack(s.headers) }),
    body = s.text, complete = s.ended, failure = s.reset or s.closed })
  c.streams[id] = nil
  return nil
end

local function round_2(client)
  local service = client.rng:chance(0.8) and client.last or client.rng:pick(client.run.services)
  client.last = service
  local c = connection_2(client, service .. ".chaos.test")
  local list, ids = {}, {}
  for i = 1, client.rng:int(1, 5) do
    list[i] = requests.draw(client, client.kinds, service)
    requests.sent(client, list[i])
    ids[i] = open_2(client, c, list[i])
  end
  for i, request in ipairs(list) do
    answer_2(c, ids[i], request)
  end
  if #c.frames > 1000 then
    c.frames = {}
  end
end

-- ---- all of them

local MIXED, LARGE = requests.MIXED, requests.LARGE
local KINDS = {
  { name = "keep", round = round_1, kinds = MIXED, count = 3 },
  { name = "new", round = round_1, kinds = MIXED, fresh = true, count = 2 },
  { name = "pipe", round = round_1, kinds = MIXED, pipelined = true, count = 2 },
  { name = "tls", round = round_1, kinds = MIXED, tls = true, count = 1 },
  { name = "bulk", round = round_1, kinds = LARGE, count = 1 },
  { name = "h2", round = round_2, kinds = MIXED, count = 2 },
  { name = "h2bulk", round = round_2, kinds = LARGE, count = 1 },
  { name = "h2tls", round = round_2, kinds = MIXED, tls = true, count = 1 },
  { name = "socket", round = tunnels.round, count = 2 },
}

--- All clients of a run.
function clients.all(run)
  local list = {}
  for _, kind in ipairs(KINDS) do
    for i = 1, kind.count do
      local client = { run = run, count = 0 }
      for key, value in pairs(kind) do
        client[key] = client[key] or value
      end
      client.name = kind.name .. i
      client.rng = random.stream(run.seed, "client/" .. client.name)
      list[#list + 1] = client
    end
  end
  return list
end

--- Sends until the run says that it is enough.
function clients.go(client)
  while client.run.on do
    client.round(client)
    loop.delay(client.rng:between(0, client.run.think))
  end
end

--- Ends its connection.
function clients.close(client)
  if client.connection then
    client.connection:close()
    cleanup.remove(client.connection)
    client.connection = nil
  end
end

return clients
