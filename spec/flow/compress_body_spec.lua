local compress = require("spec.flow.compress")
local corpus = require("spec.support.corpus")
local decode = require("spec.support.decode")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local MIB = 1024 * 1024
local HTML = { ["Content-Type"] = "text/html" }
local LARGE = compress.large()
local request, read_chunk = compress.send, compress.read_chunk

--- Reads chunks until so much text has come out of them.
local function read_text(c, decoder, count)
  local pieces, length = {}, 0
  while length < count do
    local piece = decoder:feed(assert(read_chunk(c)))
    pieces[#pieces + 1] = piece
    length = length + #piece
  end
  return table.concat(pieces)
end

for _, coding in ipairs(compress.CODINGS) do
  describe("a body compressed with " .. coding, function()
    it("of 10 MiB passes exactly, by length and chunked", function()
      local p = compress.start(function(rq)
        return { body = LARGE, chunked = rq.target == "/chunked", headers = HTML }
      end)
      for _, path in ipairs({ "/length", "/chunked" }) do
        local r = compress.get(p, coding, { path = path })
        assert.equal(coding, r.headers["Content-Encoding"])
        assert.is_true(LARGE == compress.body(r))
      end
      local counted = compress.stats(p, 2)
      assert.equal(2 * #LARGE, counted.bytes_in)
      assert.is_true(counted.bytes_out < counted.bytes_in)
    end)

    it("in chunks of many sizes passes exactly, over one connection", function()
      local chunks, at = {}, 1
      while at < 300000 do
        local size = 1 + (#chunks * 7919) % 5000
        chunks[#chunks + 1] = LARGE:sub(at, at + size - 1)
        at = at + size
      end
      local c = compress.start(function()
        return { body = chunks, headers = HTML }
      end):connect()
      for _ = 1, 3 do
        request(c, coding)
        assert.is_true(LARGE:sub(1, at - 1) == compress.body(c:receive()))
      end
    end)

    it("arrives while the backend is still speaking", function()
      local seen = 0
      local p = compress.start(function()
        return { headers = { ["Content-Type"] = "text/event-stream", ["Transfer-Encoding"] = "chunked" },
          body = function(write)
            for i = 1, 4 do
              local event = ("data: %d\n\n"):format(i)
              write(("%x\r\n%s\r\n"):format(#event, event))
              loop.eventually(function() return seen >= i end)
            end
            return write("0\r\n\r\n")
          end }
      end)
      local c, d = p:connect(), decode.start(coding)
      request(c, coding)
      assert.equal(coding, c:try_head().headers["Content-Encoding"])
      for i = 1, 4 do
        assert.equal(("data: %d\n\n"):format(i), read_text(c, d, 9))
        seen = i
      end
      d:feed(read_chunk(c) or "")
      assert.is_true(d.done)
    end)

    it("keeps its trailers", function()
      local p = compress.start(function()
        return { body = { LARGE:sub(1, 50000) }, trailers = { ["X-Sum"] = "42" }, headers = HTML }
      end)
      local r = compress.get(p, coding)
      assert.equal("42", r.trailers["X-Sum"])
      assert.is_true(LARGE:sub(1, 50000) == compress.body(r))
    end)

    it("is cut for the client when the backend dies in the middle", function()
      for _, framing in ipairs({ "Content-Length: 200000", "Transfer-Encoding: chunked" }) do
        local o = origin.raw(function(stream)
          stream:read_until("\r\n\r\n")
          stream:write(("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n%s\r\n\r\n18000\r\n%s"):format(framing,
            LARGE:sub(1, 90000)))
          stream:close()
        end)
        local p = proxy.start { workers = 1, config = { compression = { cpu = 100 } },
          route = { to = o.url, options = { compression = "true", retries = "0" } } }
        local c = p:connect()
        request(c, coding)
        local r, _, part = c:try_receive()
        assert.is_nil(r)
        assert.equal(coding, part.headers["Content-Encoding"])
        assert.equal(1, compress.stats(p).responses)
      end
    end)
  end)
end

describe("compression of a body", function()
  it("reaches a client of HTTP/2, in whole and while the backend is still speaking", function()
    local seen = false
    local p = compress.start(function(rq)
      if rq.target == "/whole" then
        return { body = LARGE:sub(1, 3 * MIB), headers = HTML }
      end
      return { headers = { ["Content-Type"] = "text/event-stream", ["Transfer-Encoding"] = "chunked" },
        body = function(write)
          write("5\r\nfirst\r\n")
          loop.eventually(function() return seen end)
          return write("0\r\n\r\n")
        end }
    end, nil, { config = { http2 = { cleartext = true } } })
    local function curl(path)
      return process.start { "/usr/bin/curl", "-sSN", "--http2-prior-knowledge", "-H", "Accept-Encoding: gzip", "-D",
        p.dir .. "/head", "-o", p.dir .. "/body", p.url .. path }
    end
    assert.equal(0, (curl("/whole"):wait_exit()))
    assert.truthy(sys.read_file(p.dir .. "/head"):find("content-encoding: gzip", 1, true))
    assert.is_true(LARGE:sub(1, 3 * MIB) == decode.all("gzip", sys.read_file(p.dir .. "/body")))

    local events = curl("/events")
    loop.eventually(function()
      return decode.start("gzip"):feed(sys.read_file(p.dir .. "/body")) == "first"
    end)
    seen = true
    assert.equal(0, (events:wait_exit()))
  end)

  it("holds back the backend while the client takes nothing, in bounded memory", function()
    local written, noise = 0, corpus.noise(256 * 1024)
    local p = compress.start(function()
      return { headers = { ["Content-Type"] = "text/plain", ["Content-Length"] = tostring(64 * MIB) },
        body = function(write)
          for _ = 1, 256 do
            if not write(noise) then
              return false
            end
            written = written + #noise
          end
          return true
        end }
    end)
    local before = p:rss()
    local clients = {}
    for i = 1, 8 do
      clients[i] = p:connect { receive_buffer = 16384 }
      request(clients[i], "gzip")
      clients[i]:try_head()
    end
    local last = -1
    loop.eventually(function()
      local stopped = written == last and written > 0
      last = written
      loop.delay(0.3)
      return stopped
    end, 60)
    assert.is_true(written < 8 * 32 * MIB)
    assert.is_true(p:rss() - before < 24 * MIB, "grew by " .. p:rss() - before)
    for _, c in ipairs(clients) do
      c:close()
    end
    p.eventually(function()
      return require("cjson").decode((p.session:ok("ROUTE_STATUS", p.route_id))).in_flight == 0
    end)
  end)

  it("goes on for a client that takes a little at a time", function()
    local p = compress.start(function()
      return { body = LARGE:sub(1, 4 * MIB), headers = HTML }
    end)
    local c, d, pieces = p:connect { receive_buffer = 8192 }, decode.start("gzip"), {}
    request(c, "gzip")
    c:try_head()
    while true do
      local chunk = read_chunk(c)
      if not chunk then
        break
      end
      pieces[#pieces + 1] = d:feed(chunk)
    end
    assert.is_true(d.done)
    assert.is_true(LARGE:sub(1, 4 * MIB) == table.concat(pieces))
  end)
end)
