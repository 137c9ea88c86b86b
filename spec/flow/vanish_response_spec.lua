-- Clients that go away at each byte of an answer, in each way to go: the backend's work for them ends, its connection
-- is dropped, or the stream reset, and neither its circuit nor anybody else notices.

local cleanup = require("spec.support.cleanup")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local vanish = require("spec.support.vanish")
local web = require("spec.support.web")

local ANSWERS = {
  length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
  chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\nT: 1\r\n\r\n",
  ["until the end"] = "HTTP/1.1 200 OK\r\n\r\n0123456789",
}
local OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

local state -- cut(): how much of the answer to the next /vanish; held: how many have it; gone: how many were given up

local function serve_one(stream)
  while true do
    local head = stream:read_until("\r\n\r\n")
    if not head then
      return
    end
    local length = tonumber(head:lower():match("content%-length: (%d+)"))
    local _ = head:lower():find("chunked", 1, true) and stream:read_until("0\r\n") and stream:read_until("\r\n")
      or length and stream:read(length)
    if head:find(" /vanish ", 1, true) then
      stream:write(state.answer:sub(1, state.cut()))
      state.held = state.held + 1
      local more = stream:read_some()
      state.gone = state.gone + (more and 0 or 1)
      return
    end
    stream:write(OK)
  end
end

local function serve_two(c)
  local held = {}
  while not c.closed do
    for _, s in ipairs(c.requests) do
      if s.request[":path"] == "/vanish" then
        local cut = state.cut()
        if cut > 0 then
          c:headers(s.id, { { ":status", "200" } })
          c:data(s.id, ("0123456789"):sub(1, cut - 1))
        end
        held[#held + 1] = s
        state.held = state.held + 1
      else
        c:respond(s.id, { body = "ok" })
      end
    end
    c.requests = {}
    c:step()
    for i = #held, 1, -1 do
      if held[i].reset then
        table.remove(held, i)
        state.gone = state.gone + 1
      end
    end
  end
end

local KINDS = {
  http = { start = function() return origin.raw(serve_one, { timeout = 600 }) end, answers = ANSWERS },
  h2c = { start = function() return h2_origin.start(serve_two, { timeout = 600 }) end,
    answers = { stream = ("x"):rep(11) } },
}

local function counter()
  local i = -1
  return function()
    i = i + 1
    return i
  end
end

for scheme, kind in pairs(KINDS) do
  describe(("in front of a backend that speaks %s"):format(scheme), function()
    local place

    setup(function()
      cleanup.share(function()
        place = vanish.place(scheme, kind.start())
      end)
    end)

    teardown(cleanup.end_shared)

    --- As many clients as the answer has bytes, each with so much of it.
    local function ask(way, answer)
      state = { held = 0, gone = 0, cut = counter(), answer = answer }
      local connections = {}
      local requests = vanish.requests(way)
      for i = 1, #answer do
        connections[i] = place:connect(way)
        assert(connections[i]:write(requests.length))
      end
      loop.eventually(function() return state.held == #answer end)
      place:serves()
      return connections
    end

    for _, way in ipairs(web.WAYS) do
      for name, answer in pairs(kind.answers) do
        for _, ending in ipairs(vanish.endings(way)) do
          it(("a client that leaves (%s, %s) at each byte of an answer (%s) leaves nothing behind"):format(ending,
            way.name, name), function()
            for _, bytes in ipairs(ask(way, answer)) do
              vanish.ENDINGS[ending](bytes)
            end
            loop.eventually(function() return state.gone == #answer end)
            place:calm(way)
          end)
        end
      end
    end
  end)
end
