-- What RFC 9113 says of frames and streams, sections 3 to 6: each rule broken, or stretched, by a client.

local cases = require("spec.support.h2_cases")
local h2 = require("spec.support.h2")

local frame, HEADERS = h2.frame, h2.END_HEADERS
local GET = h2.block(h2.fields({}))
local BOTH = h2.END_HEADERS + h2.END_STREAM

-- Each case: name, what is sent, what comes of it: see spec/support/h2_cases.lua.
local function conn_error(name, code, ...)
  local bytes = table.concat({ ... })
  return { name = name, goaway = code, send = function(c) c:send(bytes) end }
end

local function stream_error(name, code, ...)
  local bytes = table.concat({ ... })
  return { name = name, reset = code, send = function(c) c:send(bytes) end }
end

local function fine(name, ...)
  local bytes = table.concat({ ... })
  return { name = name, status = 200, send = function(c) c:send(bytes) end }
end

local function get(id)
  return frame("HEADERS", BOTH, id or 1, GET)
end

local function post(id)
  return frame("HEADERS", HEADERS, id or 1, h2.block(h2.fields({ method = "POST" })))
end

-- A stream that has ended both ways, then frames for it.
local function after_end(name, result, value, bytes)
  return { name = name, [result] = value, id = 3, send = function(c)
    c:request({ path = "/first" })
    c:send(bytes)
    if result == "status" then
      c:send(get(3))
    end
  end }
end

local SECTIONS = {
  ["frames (4)"] = {
    fine("of an unknown type are ignored", frame(0x16, 0xff, 0, ("x"):rep(8)), get()),
    fine("of an unknown type are ignored on a stream, too", frame(0x16, 0, 1, "x"), get()),
    fine("may have flags that nobody knows", frame("PING", 0xf6, 0, "12345678"), get()),
    fine("may have the reserved bit set", frame("PING", 0, 0x80000000, "12345678"), get()),
    fine("of the largest size allowed pass", post(), frame("DATA", 1, 1, ("x"):rep(16384))),
    conn_error("of data larger than allowed", "FRAME_SIZE_ERROR", post(), frame("DATA", 0, 1, ("x"):rep(16385))),
    conn_error("of heads larger than allowed", "FRAME_SIZE_ERROR", frame("HEADERS", BOTH, 1, GET .. ("\0"):rep(16385))),
    conn_error("of a type of their own within a head", "PROTOCOL_ERROR",
      frame("HEADERS", 1, 1, GET), frame(0x16, 0, 0, "x")),
    conn_error("between the frames of a head", "PROTOCOL_ERROR",
      frame("HEADERS", 1, 1, GET), frame("PRIORITY", 0, 1, ("\0"):rep(5))),
    conn_error("of another stream between the frames of a head", "PROTOCOL_ERROR",
      frame("HEADERS", 1, 1, GET), get(3)),
  },
  ["streams (5.1)"] = {
    conn_error("idle, get no data", "PROTOCOL_ERROR", frame("DATA", 1, 1, "x")),
    conn_error("idle, are not reset", "PROTOCOL_ERROR", frame("RST_STREAM", 0, 1, h2.bytes(8, 4))),
    conn_error("idle, get no window", "PROTOCOL_ERROR", frame("WINDOW_UPDATE", 0, 1, h2.bytes(100, 4))),
    conn_error("idle, get no CONTINUATION", "PROTOCOL_ERROR", frame("CONTINUATION", HEADERS, 1, GET)),
    conn_error("ended by the client, get no data", "STREAM_CLOSED", get(), frame("DATA", 1, 1, "x")),
    conn_error("ended by the client, get no head", "STREAM_CLOSED", get(), get()),
    conn_error("ended by the client, get no CONTINUATION", "PROTOCOL_ERROR", get(),
      frame("CONTINUATION", HEADERS, 1, GET)),
    after_end("that are over, get no CONTINUATION", "goaway", "PROTOCOL_ERROR", frame("CONTINUATION", HEADERS, 1, GET)),
    after_end("that are over, get no data to anywhere", "status", 200, frame("DATA", 0, 1, "x")),
    after_end("that are over, get no head", "goaway", "STREAM_CLOSED", get(1)),
    after_end("that are over, may get a window late", "status", 200, frame("WINDOW_UPDATE", 0, 1, h2.bytes(1, 4))),
    after_end("that are over, may be reset late", "status", 200, frame("RST_STREAM", 0, 1, h2.bytes(8, 4))),
    after_end("that are over, may get PRIORITY late", "status", 200, frame("PRIORITY", 0, 1, ("\0"):rep(5))),
    conn_error("have odd numbers", "PROTOCOL_ERROR", get(2)),
    conn_error("have growing numbers", "PROTOCOL_ERROR", get(5), get(3)),
    { name = "are no more at a time than allowed", goaway = "PROTOCOL_ERROR", config = { http2 = { max_streams = 2 } },
      send = function(c)
        c:wait(function() return c.acks == 1 and c.settings end)
        c:send(frame("PING", 0, 0, "12345678"))
        c:wait(function() return #c.pongs == 1 end) -- it has our acknowledgement
        c:send(post(1) .. post(3) .. post(5))
      end },
    { name = "are refused where the client did not know that there are too many", id = 5, reset = "REFUSED_STREAM",
      config = { http2 = { max_streams = 2 } },
      send = function(c)
        c:send(post(1) .. post(3) .. post(5))
        c:wait(function() return c:stream_of(5).reset end)
        c:reset(1)
        c:reset(3)
      end },
    { name = "that the proxy has reset, may still get what was on its way", id = 1, reset = "NO_ERROR",
      config = { limits = { body_size = 5 } }, send = function(c)
        c:send(post(1))
        c:upload(1, "123456")
        assert.equal(413, c:response(1).status)
        assert.is_false(c:upload(1, ("x"):rep(100000)))
        c:send(frame("DATA", 0, 1, "78") .. frame("HEADERS", BOTH, 1, h2.block({ { "a", "b" } })))
      end },
    fine("may depend on others", frame("HEADERS", BOTH + h2.PRIORITY, 1, h2.bytes(3, 4) .. "\15" .. GET)),
  },
  ["DATA (6.1)"] = {
    conn_error("without a stream", "PROTOCOL_ERROR", frame("DATA", 1, 0, "x")),
    conn_error("with more padding than payload", "PROTOCOL_ERROR", post(), frame("DATA", 1 + h2.PADDED, 1, "\6xyz")),
    conn_error("padded and empty", "PROTOCOL_ERROR", post(), frame("DATA", 1 + h2.PADDED, 1, "")),
    fine("with padding", post(), frame("DATA", 1 + h2.PADDED, 1, "\3xyz\0\0\0")),
    fine("of nothing but padding", post(), frame("DATA", h2.PADDED, 1, "\3\0\0\0"), frame("DATA", 1, 1, "x")),
  },
  ["HEADERS (6.2)"] = {
    conn_error("without a stream", "PROTOCOL_ERROR", get(0)),
    conn_error("with more padding than payload", "PROTOCOL_ERROR",
      frame("HEADERS", BOTH + h2.PADDED, 1, string.char(#GET + 1) .. GET)),
    conn_error("padded and empty", "PROTOCOL_ERROR", frame("HEADERS", BOTH + h2.PADDED, 1, "")),
    conn_error("with half a priority", "FRAME_SIZE_ERROR", frame("HEADERS", BOTH + h2.PRIORITY, 1, "\0\0")),
    fine("with padding", frame("HEADERS", BOTH + h2.PADDED, 1, "\3" .. GET .. "\0\0\0")),
    fine("with padding and priority",
      frame("HEADERS", BOTH + h2.PADDED + h2.PRIORITY, 1, "\3\0\0\0\0\15" .. GET .. "\0\0\0")),
  },
  ["PRIORITY (6.3)"] = {
    fine("is ignored", frame("PRIORITY", 0, 1, "\0\0\0\0\5"), frame("PRIORITY", 0, 7, "\0\0\0\1\5"), get()),
    conn_error("without a stream", "PROTOCOL_ERROR", frame("PRIORITY", 0, 0, ("\0"):rep(5))),
    conn_error("of another length", "FRAME_SIZE_ERROR", frame("PRIORITY", 0, 1, ("\0"):rep(4))),
  },
  ["RST_STREAM (6.4)"] = {
    conn_error("without a stream", "PROTOCOL_ERROR", frame("RST_STREAM", 0, 0, h2.bytes(8, 4))),
    conn_error("of another length", "FRAME_SIZE_ERROR", post(), frame("RST_STREAM", 0, 1, h2.bytes(8, 3))),
    { name = "of a code that nobody knows", id = 3, status = 200, send = function(c)
      c:send(post() .. frame("RST_STREAM", 0, 1, h2.bytes(0xff, 4)) .. get(3))
    end },
  },
  ["SETTINGS (6.5)"] = {
    conn_error("acknowledged with a payload", "FRAME_SIZE_ERROR", frame("SETTINGS", h2.ACK, 0, "\0\0\0\0\0\0")),
    conn_error("on a stream", "PROTOCOL_ERROR", frame("SETTINGS", 0, 1, h2.settings({ ENABLE_PUSH = 0 }))),
    conn_error("of a broken length", "FRAME_SIZE_ERROR", frame("SETTINGS", 0, 0, "\0\1\0")),
    conn_error("ENABLE_PUSH neither 0 nor 1", "PROTOCOL_ERROR",
      frame("SETTINGS", 0, 0, h2.settings({ ENABLE_PUSH = 2 }))),
    conn_error("INITIAL_WINDOW_SIZE too large", "FLOW_CONTROL_ERROR",
      frame("SETTINGS", 0, 0, h2.settings({ INITIAL_WINDOW_SIZE = 2147483648 }))),
    conn_error("MAX_FRAME_SIZE too small", "PROTOCOL_ERROR",
      frame("SETTINGS", 0, 0, h2.settings({ MAX_FRAME_SIZE = 16383 }))),
    conn_error("MAX_FRAME_SIZE too large", "PROTOCOL_ERROR",
      frame("SETTINGS", 0, 0, h2.settings({ MAX_FRAME_SIZE = 16777216 }))),
    conn_error("NO_RFC7540_PRIORITIES neither 0 nor 1", "PROTOCOL_ERROR",
      frame("SETTINGS", 0, 0, h2.settings({ NO_RFC7540_PRIORITIES = 2 }))),
    fine("of unknown names are ignored", frame("SETTINGS", 0, 0, h2.settings({ { 0x99, 1 } })), get()),
    { name = "are acknowledged, each", status = 200, send = function(c)
      c:send(frame("SETTINGS", 0, 0, h2.settings({ ENABLE_PUSH = 0 })) .. get())
      c:wait(function() return c.acks == 2 end)
    end },
    { name = "say what the proxy allows", status = 200, config = { http2 = { max_streams = 77 } }, send = function(c)
      c:send(get())
    end, check = function(c)
      assert.equal(77, c.settings[h2.SETTINGS.MAX_CONCURRENT_STREAMS])
      assert.equal(16384, c.settings[h2.SETTINGS.MAX_HEADER_LIST_SIZE])
      assert.equal(1, c.settings[h2.SETTINGS.NO_RFC7540_PRIORITIES])
      assert.is_nil(c.settings[h2.SETTINGS.ENABLE_PUSH])
    end },
  },
  ["PUSH_PROMISE (6.6)"] = {
    conn_error("from a client", "PROTOCOL_ERROR", get(), frame("PUSH_PROMISE", HEADERS, 1, h2.bytes(2, 4) .. GET)),
  },
  ["PING (6.7)"] = {
    { name = "is answered with its bytes", status = 200, send = function(c)
      c:send(frame("PING", 0, 0, "tidelock") .. get())
      c:wait(function() return #c.pongs == 1 end)
    end, check = function(c)
      assert.equal("tidelock", c.pongs[1])
    end },
    { name = "that is an answer is not answered", status = 200, send = function(c)
      c:send(frame("PING", h2.ACK, 0, "tidelock") .. get())
    end, check = function(c)
      c:send(frame("PING", 0, 0, "12345678"))
      c:wait(function() return #c.pongs == 1 end)
      assert.equal("12345678", c.pongs[1])
    end },
    conn_error("on a stream", "PROTOCOL_ERROR", frame("PING", 0, 1, "12345678")),
    conn_error("of another length", "FRAME_SIZE_ERROR", frame("PING", 0, 0, "123456")),
  },
  ["GOAWAY (6.8)"] = {
    conn_error("on a stream", "PROTOCOL_ERROR", frame("GOAWAY", 0, 1, h2.bytes(0, 8))),
    { name = "from a client lets its streams end, then the connection ends", status = 200, send = function(c)
      c:send(get() .. frame("GOAWAY", 0, 0, h2.bytes(0, 8)))
    end, check = function(c)
      c:wait(function() end)
      assert.equal("closed", c.closed)
    end },
  },
  ["WINDOW_UPDATE (6.9)"] = {
    conn_error("of nothing, for all", "PROTOCOL_ERROR", frame("WINDOW_UPDATE", 0, 0, h2.bytes(0, 4))),
    conn_error("of nothing, for a stream", "PROTOCOL_ERROR", post(), frame("WINDOW_UPDATE", 0, 1, h2.bytes(0, 4))),
    conn_error("of another length", "FRAME_SIZE_ERROR", frame("WINDOW_UPDATE", 0, 0, h2.bytes(1, 3))),
    conn_error("past the largest window, for all", "FLOW_CONTROL_ERROR",
      frame("WINDOW_UPDATE", 0, 0, h2.bytes(2147483647, 4)), frame("WINDOW_UPDATE", 0, 0, h2.bytes(2147483647, 4))),
    stream_error("past the largest window, for a stream", "FLOW_CONTROL_ERROR", post(),
      frame("WINDOW_UPDATE", 0, 1, h2.bytes(2147483647, 4)), frame("WINDOW_UPDATE", 0, 1, h2.bytes(2147483647, 4))),
    { name = "opens a window byte by byte", body = "abc", status = 200, options = {
      settings = { INITIAL_WINDOW_SIZE = 0 }, windows = false },
      send = function(c)
        c:send(get())
        for i = 1, 3 do
          c:window(1, 1)
          c:wait(function() return c:stream_of(1).received == i end)
        end
      end },
    { name = "is not needed where SETTINGS enlarge the windows later", body = "abcdef", status = 200, options = {
      settings = { INITIAL_WINDOW_SIZE = 1 }, windows = false },
      send = function(c)
        c:send(get())
        c:wait(function() return c:stream_of(1).received == 1 end)
        c:send(frame("SETTINGS", 0, 0, h2.settings({ INITIAL_WINDOW_SIZE = 100 })))
      end },
    { name = "brings a window back that SETTINGS have made negative", body = "abcdef", status = 200, options = {
      settings = { INITIAL_WINDOW_SIZE = 3 }, windows = false },
      send = function(c)
        c:send(get())
        c:wait(function() return c:stream_of(1).received == 3 end)
        c:send(frame("SETTINGS", 0, 0, h2.settings({ INITIAL_WINDOW_SIZE = 2 })))
        c:window(1, 2)
        c:wait(function() return c:stream_of(1).received == 4 end)
        c:window(1, 2)
      end },
  },
  ["CONTINUATION (6.10)"] = {
    fine("goes on with a head", frame("HEADERS", 1, 1, GET:sub(1, 5)), frame("CONTINUATION", 0, 1, GET:sub(6, 20)),
      frame("CONTINUATION", HEADERS, 1, GET:sub(21))),
    fine("may be empty", frame("HEADERS", 1, 1, GET), frame("CONTINUATION", HEADERS, 1, "")),
    conn_error("behind the end of a head", "PROTOCOL_ERROR", get(), frame("CONTINUATION", HEADERS, 1, GET)),
    conn_error("without a stream", "PROTOCOL_ERROR", frame("HEADERS", 1, 1, GET),
      frame("CONTINUATION", HEADERS, 0, "")),
    conn_error("of another stream", "PROTOCOL_ERROR", frame("HEADERS", 1, 1, GET),
      frame("CONTINUATION", HEADERS, 3, "")),
    conn_error("behind DATA", "PROTOCOL_ERROR", post(),
      frame("DATA", 0, 1, "x"), frame("CONTINUATION", HEADERS, 1, GET)),
  },
}

for section, list in pairs(SECTIONS) do
  describe("HTTP/2 " .. section, function()
    for _, case in ipairs(list) do
      it(case.name, function()
        cases.run(case)
      end)
    end
  end)
end
