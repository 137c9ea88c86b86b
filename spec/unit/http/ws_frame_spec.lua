local unit = require("spec.support.unit")
local websocket = require("spec.support.websocket")
local ffi = unit.ffi
local lib = unit.load("http/ws_frame.h")

local MASK = "\10\20\30\40"

local function stream_of(masked, text)
  local s = ffi.new("struct ws_stream")
  lib.ws_stream_init(s, masked or false)
  if text then
    lib.ws_stream_pass(s, text, #text)
  end
  return s
end

local function where(s)
  return {
    lost = s.lost, closed = s.closed, message = s.in_message,
    between_messages = lib.ws_stream_between_messages(s), between_frames = lib.ws_stream_between_frames(s),
  }
end

-- Payload lengths around each form of the length.
local LENGTHS = { 0, 1, 125, 126, 127, 65535, 65536, 70000 }

describe("a stream of WebSocket frames", function()
  it("is between messages at its start and after each whole message", function()
    for _, mask in ipairs({ false, MASK }) do
      for _, length in ipairs(LENGTHS) do
        local s = stream_of(mask ~= false)
        for _ = 1, 2 do
          assert.is_true(lib.ws_stream_between_messages(s))
          local frame = websocket.frame { payload = ("x"):rep(length), mask = mask or nil }
          lib.ws_stream_pass(s, frame, #frame)
        end
        assert.same({ lost = false, closed = false, message = false, between_messages = true, between_frames = true },
          where(s), "length " .. length)
      end
    end
  end)

  it("says the same however its bytes are cut", function()
    local frames = {
      { payload = "ab", final = false }, { opcode = 9, payload = "ping" }, { opcode = 0, payload = "", final = false },
      { opcode = 0, payload = ("c"):rep(200) }, { opcode = 10 }, { opcode = 2, payload = ("d"):rep(130) },
    }
    for _, mask in ipairs({ false, MASK }) do
      local text, boundaries, messages = "", { [0] = true }, { [0] = true }
      local open = false
      for _, frame in ipairs(frames) do
        frame.mask = mask or nil
        text = text .. websocket.frame(frame)
        if (frame.opcode or 1) < 8 then
          open = frame.final == false
        end
        boundaries[#text], messages[#text] = true, not open or nil
      end
      for cut = 0, #text do
        local s = stream_of(mask ~= false, text:sub(1, cut))
        assert.equal(boundaries[cut] or false, lib.ws_stream_between_frames(s), "cut " .. cut)
        assert.equal(messages[cut] or false, lib.ws_stream_between_messages(s), "cut " .. cut)
        lib.ws_stream_pass(s, text:sub(cut + 1), #text - cut)
        assert.is_true(lib.ws_stream_between_messages(s), "cut " .. cut)
        assert.is_false(s.lost)
      end
    end
  end)

  it("follows bytes that come one by one", function()
    local text = websocket.frame { payload = ("x"):rep(70000), mask = MASK }
      .. websocket.frame { opcode = 8, mask = MASK }
    local s = stream_of(true)
    for i = 1, #text do
      assert.is_false(s.closed)
      lib.ws_stream_pass(s, text:sub(i, i), 1)
    end
    assert.is_true(s.closed)
  end)

  it("knows a payload of 64 bits", function()
    local s = stream_of(false, "\130\127\127\255\255\255\255\255\255\255")
    assert.same({ false, true }, { s.lost, s.in_message })
    lib.ws_stream_pass(s, ("x"):rep(1000), 1000)
    assert.is_true(s.left == 0x7fffffffffffffffULL - 1000)
  end)

  it("is closed when a close frame has passed whole, and looks at nothing behind it", function()
    local frame = websocket.frame { opcode = 8, payload = "\3\232bye" }
    assert.is_false(stream_of(false, frame:sub(1, -2)).closed)
    local s = stream_of(false, frame .. "\255\255 garbage")
    assert.same({ lost = false, closed = true, message = false, between_messages = false, between_frames = false },
      where(s))
  end)
end)

describe("what is left of the things in progress", function()
  local message = websocket.frame { payload = "abc", final = false }
    .. websocket.frame { opcode = 9, payload = "p" } .. websocket.frame { opcode = 0, payload = "d" }
  local after = websocket.frame { payload = "next" }

  it("is nothing between messages", function()
    assert.equal(0, tonumber(lib.ws_stream_rest(stream_of(false, message), after, #after)))
    assert.equal(0, tonumber(lib.ws_stream_rest(stream_of(false), after, #after)))
  end)

  it("goes to the message's end from each of its bytes, and changes nothing", function()
    for cut = 1, #message - 1 do
      local s = stream_of(false, message:sub(1, cut))
      local rest = message:sub(cut + 1) .. after
      assert.equal(#message - cut, tonumber(lib.ws_stream_rest(s, rest, #rest)))
      assert.equal(#message - cut, tonumber(lib.ws_stream_rest(s, rest, #rest)))
      assert.equal(1, tonumber(lib.ws_stream_rest(s, rest, 1)))
    end
  end)

  it("is the rest of a control frame between messages", function()
    local ping = websocket.frame { opcode = 9, payload = "ping" }
    local rest = ping:sub(3) .. after
    assert.equal(4, tonumber(lib.ws_stream_rest(stream_of(false, ping:sub(1, 2)), rest, #rest)))
  end)

  it("ends with a close frame within a message", function()
    local close = websocket.frame { opcode = 8 }
    local rest = close .. after
    assert.equal(#close, tonumber(lib.ws_stream_rest(stream_of(false, message:sub(1, 5)), rest, #rest)))
  end)

  it("is everything once the stream is lost", function()
    assert.equal(5, tonumber(lib.ws_stream_rest(stream_of(false, "HTTP/1.1"), "abcde", 5)))
  end)
end)

describe("a stream is lost by", function()
  local CASES = {
    ["a frame without a mask from a client"] = { true, "\129\1x" },
    ["a masked frame from a server"] = { false, websocket.frame { payload = "x", mask = MASK } },
    ["a reserved opcode of data"] = { false, "\131\0" },
    ["a reserved opcode of control"] = { false, "\139\0" },
    ["a control frame in fragments"] = { false, "\9\0" },
    ["a control frame longer than 125 bytes"] = { false, "\137\126\0\200" },
    ["a continuation of nothing"] = { false, "\128\0" },
    ["a message within a message"] = { false, "\1\0\129\0" },
    ["a length of 16 bits that needs 7"] = { false, "\130\126\0\125" },
    ["a length of 64 bits that needs 16"] = { false, "\130\127\0\0\0\0\0\0\255\255" },
    ["a length above 63 bits"] = { false, "\130\127\128\0\0\0\0\0\0\0" },
    ["HTTP"] = { false, "HTTP/1.1 200 OK\r\n" },
  }

  for name, case in pairs(CASES) do
    it(name, function()
      local s = stream_of(case[1], case[2])
      assert.is_true(s.lost)
      assert.is_false(lib.ws_stream_between_messages(s))
      assert.is_false(lib.ws_stream_between_frames(s))
    end)
  end

  it("nothing that extensions may do: the reserved bits", function()
    local s = stream_of(false, "\241\1x")
    assert.same({ false, true }, { s.lost, lib.ws_stream_between_messages(s) })
  end)
end)

describe("a close frame", function()
  local function compose(reason, mask)
    local out = ffi.new("char[?]", lib.WS_CLOSE_MAX)
    local key = mask and ffi.new("uint8_t[4]", { mask:byte(1, 4) }) or nil
    return ffi.string(out, lib.ws_close_frame(out, 1001, reason, key))
  end

  it("to a client has no mask", function()
    assert.equal("\136\6\3\233away", compose("away"))
  end)

  it("to a server is masked", function()
    assert.equal(websocket.frame { opcode = 8, payload = "\3\233away", mask = MASK }, compose("away", MASK))
  end)

  it("cuts its reason, and fits", function()
    local frame = compose(("x"):rep(100), MASK)
    assert.equal(lib.WS_CLOSE_MAX, #frame)
    assert.is_true(stream_of(true, frame).closed)
  end)
end)
