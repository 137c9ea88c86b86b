--- A program: a flood of TLS handshakes that make the server sign and go no further.
--
-- usage: luajit spec/support/tls_flood.lua PORT FILE CONNECTIONS
--   FILE holds a client's first message. Each connection sends it, waits for the answer, ends with a reset and begins
--   anew. Prints "flooding" after the first answer, then how many there were, ten times a second, until it is killed.

local socket = require("socket")

local port, file, connections = tonumber(arg[1]), assert(io.open(arg[2], "rb")), tonumber(arg[3])
local hello = file:read("*a")

local answers = 0

local function open()
  local sock = assert(socket.tcp4())
  sock:settimeout(0)
  sock:setoption("linger", { on = true, timeout = 0 })
  sock:connect("127.0.0.1", port)
  return sock
end

local waiting, sending = {}, {}

local function begin()
  sending[#sending + 1] = open()
end

local function without(list, gone)
  local rest = {}
  for _, sock in ipairs(list) do
    if not gone[sock] then
      rest[#rest + 1] = sock
    end
  end
  return rest
end

for _ = 1, connections do
  begin()
end

local printed = socket.gettime()
while true do
  local readable, writable = socket.select(waiting, sending, 0.1)
  local done = {}
  for _, sock in ipairs(writable) do
    done[sock] = true
    sock:send(hello)
    waiting[#waiting + 1] = sock
  end
  sending = without(sending, done)
  done = {}
  for _, sock in ipairs(readable) do
    done[sock] = true
    if sock:receive(1) then
      answers = answers + 1
    end
    sock:close()
    begin()
  end
  waiting = without(waiting, done)
  if socket.gettime() - printed > 0.1 and answers > 0 then
    printed = socket.gettime()
    print(("flooding %d"):format(answers))
    io.stdout:flush()
  end
end
