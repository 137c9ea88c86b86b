--- A program: a flood on the registry.
--
-- usage: luajit spec/support/registry_flood.lua PORT SOURCE CONNECTIONS LINE
--   Each connection comes from the address SOURCE and sends LINE over and over, as fast as it is taken, with %d in it
--   replaced by a number; what is answered is thrown away, and who is closed connects anew. With LINE "" a
--   connection says nothing. Prints "flooding ANSWERS CONNECTIONS", bytes and connections so far, ten times a
--   second until it is killed.

local socket = require("socket")

local port, source, connections, line = tonumber(arg[1]), arg[2], tonumber(arg[3]), arg[4]
local CHUNK = 50

local bytes, opened, number = 0, 0, 0
local open, rest = {}, {}

local function add()
  local sock = assert(socket.tcp4())
  sock:settimeout(0)
  assert(sock:bind(source, 0))
  sock:connect("127.0.0.1", port)
  opened = opened + 1
  open[#open + 1], rest[sock] = sock, ""
end

local function lines()
  local list = {}
  for i = 1, CHUNK do
    number = number + 1
    list[i] = line:gsub("%%d", number) .. "\n"
  end
  return table.concat(list)
end

--- @return false: the connection is over
local function write(sock)
  if rest[sock] == "" then
    rest[sock] = lines()
  end
  local last, err, partial = sock:send(rest[sock])
  rest[sock] = rest[sock]:sub((last or partial or 0) + 1)
  return last ~= nil or err == "timeout"
end

local function read(sock)
  local data, err, partial = sock:receive(65536)
  bytes = bytes + #(data or partial or "")
  return data ~= nil or err == "timeout"
end

local function turn()
  local readable, writable = socket.select(open, line ~= "" and open or nil, 0.1)
  local gone = {}
  for _, sock in ipairs(readable) do
    gone[sock] = not read(sock)
  end
  for _, sock in ipairs(writable) do
    gone[sock] = gone[sock] or not write(sock)
  end
  local kept = {}
  for _, sock in ipairs(open) do
    if gone[sock] then
      sock:close()
      rest[sock] = nil
    else
      kept[#kept + 1] = sock
    end
  end
  open = kept
end

local told = 0
while true do
  while #open < connections do
    add()
  end
  turn()
  if socket.gettime() - told >= 0.1 then
    print(("flooding %d %d"):format(bytes, opened))
    io.stdout:flush()
    told = socket.gettime()
  end
end
