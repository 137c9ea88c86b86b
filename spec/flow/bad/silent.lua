--- Cases of spec/flow/bad_spec.lua: backends that hang, break off, or are slow.

local loop = require("spec.support.loop")

local HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

local function says(bytes, ending)
  return function(stream)
    stream:write(bytes)
    if ending == "hang" then
      stream:read_some()
    elseif ending == "reset" then
      stream.sock:setoption("linger", { on = true, timeout = 0 })
    elseif ending == "half" then
      stream:shutdown()
      stream:read_some()
    end
  end
end

return {
  { "reads all and answers nothing", says("", "hang"), late = true, is = "backend_late" },
  { "answers half a head, then nothing", says("HTTP/1.1 200 OK\r\nA: b", "hang"), late = true, is = "backend_late" },
  { "answers a head, then nothing", says(HEAD, "hang"), late = true, is = "cut" },
  { "answers half a body, then nothing", says(HEAD .. "01234", "hang"), late = true, is = "cut" },
  { "answers half a chunk, then nothing", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n012", "hang"),
    late = true, is = "cut" },
  { "sends 100 interim answers, then nothing", says(("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"):rep(100), "hang"),
    late = true, is = "backend_late" },
  { "sends an empty line for ever", function(stream)
    while stream:write("\r\n") do
      loop.delay(0.02)
    end
  end, late = true, is = "bad_response" },
  { "closes", says("", "close"), is = "backend_broke" },
  { "resets", says("", "reset"), is = "backend_broke" },
  { "half-closes before its answer", says("", "half"), is = "backend_broke" },
  { "half-closes within a head", says("HTTP/1.1 200 OK\r\n", "half"), is = "backend_broke" },
  { "half-closes within a body", says(HEAD .. "01234", "half"), is = "cut" },
  { "half-closes behind its answer", says(HEAD .. "0123456789", "half"), is = "0123456789" },
  { "closes within a head", says("HTTP/1.1 200 OK\r\n", "close"), is = "backend_broke" },
  { "closes within a body", says(HEAD .. "01234", "close"), is = "cut" },
  { "resets within a body", says(HEAD .. "01234", "reset"), is = "cut" },
  { "closes behind interim answers", says("HTTP/1.1 100 Continue\r\n\r\n", "close"), is = "backend_broke" },
  { "sends its answer a byte at a time", function(stream)
    for byte in (HEAD .. "0123456789"):gmatch(".") do
      stream:write(byte)
      loop.delay(0)
    end
    return "goes on"
  end, is = "0123456789", reused = true },
}
