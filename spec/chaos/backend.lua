--- A backend as a process of its own, so that kill -9 is what it is:
--
--   luajit spec/chaos/backend.lua NAME SCHEME PORT FILE
--
-- It writes a line "ID TIME" into FILE for each request before it answers it, and says in every answer who it is.
--
-- What it does is in the request: X-Chaos-Id, X-Chaos-Delay (ms before the answer), X-Chaos-Size (bytes of the answer;
-- without it the body comes back). A request to upgrade gets a WebSocket that sends messages back.

require("jit").off() -- as in spec/support/helper.lua

local bytes = require("spec.chaos.bytes")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local origin = require("spec.support.origin")
local websocket = require("spec.support.websocket")

local name, scheme, port, path = unpack(arg)
local log = assert(io.open(path, "a"))
log:setvbuf("no") -- a line has left when write returns, whatever ends this process

local function note(id)
  if id then
    log:write(("%s %.6f\n"):format(id, loop.now()))
  end
end

local function echo(request)
  request.stream:write((websocket.answer(nil, { ["X-Chaos-Backend"] = name })))
  websocket.echo(websocket.peer(request.stream, false))
  return { raw = "", close = true }
end

local function answer(request)
  local headers = request.headers
  local id = headers["X-Chaos-Id"]
  note(id)
  local delay = tonumber(headers["X-Chaos-Delay"] or "")
  if delay then
    loop.delay(delay / 1000)
  end
  if headers.Upgrade and request.stream then
    return echo(request)
  end
  local size = tonumber(headers["X-Chaos-Size"] or "")
  return { status = 200, headers = { ["X-Chaos-Backend"] = name },
    body = size and bytes.body(id, size) or request.body }
end

local function fields_of(s)
  local list = {}
  for i, field in ipairs(s.request) do
    list[i] = { field[1], field[2] }
  end
  return message.fields(list)
end

--- One stream after the other, as they come.
local function serve_h2(c)
  for s in c.next_request, c do
    local request = { headers = fields_of(s), body = c:body_of(s) }
    if not s.reset then
      local response = answer(request)
      c:headers(s.id, { { ":status", "200" }, { "x-chaos-backend", name },
        { "content-length", tostring(#response.body) } })
      if s.request[":method"] == "HEAD" or response.body == "" then
        c:data(s.id, "", true)
      else
        c:upload(s.id, response.body, true)
      end
    end
    c.streams[s.id] = nil
  end
end

local backend
if scheme == "h2c" then
  backend = h2_origin.start(serve_h2, { port = tonumber(port) })
else
  backend = origin.start(function(request)
    if backend then -- a request may be there before start returns
      backend.requests = {} -- nobody reads it here
    end
    return answer(request)
  end, { port = tonumber(port) })
end
print("listening " .. backend.port)
io.stdout:flush()
while true do
  loop.delay(3600)
end
