--- A client's WebSocket: messages of which each has to come back as it was sent.

local bytes = require("spec.chaos.bytes")
local cleanup = require("spec.support.cleanup")
local http = require("spec.support.http")
local loop = require("spec.support.loop")
local requests = require("spec.chaos.requests")
local websocket = require("spec.support.websocket")

local tunnels = {}

--- Closes in order.
-- @return how it ended: "done"; "told" (the other side closed first); "cut", and why
local function close(peer)
  if not peer:send_close(1000) then
    return "cut", "sending the close frame"
  end
  local frame, err
  repeat
    frame, err = peer:receive()
  until not frame or frame.opcode == websocket.CLOSE
  if not frame then
    return "cut", err
  end
  return frame.code == 1000 and "done" or "told", frame.reason
end

--- Sends a message and waits for it.
-- @return nil when it came back; else how the tunnel ended, and why
local function exchange(client, request, peer, i)
  local payload = bytes.body(request.id .. "/" .. i, client.rng:int(1, client.rng:chance(0.2) and 40000 or 200))
  local sent, err = peer:send(payload, websocket.BINARY)
  local got, why = nil, err
  if sent then
    got, why = peer:receive_message()
  end
  if got then
    request.body_wrong = request.body_wrong or bytes.difference(payload, got)
    return nil
  end
  if type(why) == "table" then
    peer:send_close(why.code)
    return why.code == 1001 and "told" or "cut", ("%s %s"):format(tostring(why.code), tostring(why.reason))
  end
  return "cut", tostring(why)
end

local function talk(client, request, peer)
  for i = 1, client.rng:int(1, 12) do
    local how, why = exchange(client, request, peer, i)
    if how then
      return how, why
    end
    loop.delay(client.rng:between(0, 0.08))
  end
  return close(peer)
end

--- One tunnel from its request to its end.
function tunnels.round(client)
  local request = requests.draw(client, { { "small", 1 } })
  request.upgrade, request.size = true, nil
  local c = http.connect(client.run.proxy.url)
  local own = c.stream
  local head = websocket.request { host = request.host, path = request.target,
    headers = { ["X-Chaos-Id"] = request.id } }
  requests.sent(client, request)
  own:write(head)
  local r, err, part = c:try_receive("GET")
  local got = r or part
  if r and r.status == 101 then
    local how, why = talk(client, request, websocket.peer(own, true))
    request.tunnel = { how = how, why = why, sent = own.sent - #head, received = own.received - #r.raw }
  end
  requests.ended(request, { status = got and got.status, headers = got and got.headers, body = got and got.body,
    complete = r ~= nil, failure = err })
  c:close()
  cleanup.remove(c)
end

return tunnels
