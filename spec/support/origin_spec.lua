local http = require("spec.support.http")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

describe("an origin and a client of the specs", function()
  it("exchange a body with a length", function()
    local o = origin.start(function(request)
      return { status = 201, reason = "Made", headers = { ["X-Two"] = { "1", "2" } }, body = request.body }
    end)
    local response = http.request(o.url .. "/a?b", { method = "POST", body = "hello" })
    assert.equal(201, response.status)
    assert.equal("Made", response.reason)
    assert.equal("hello", response.body)
    assert.equal("1, 2", response.headers["x-two"])
    assert.same({ "1", "2" }, response:values("X-TWO"))
    assert.equal("/a?b", o.requests[1].target)
  end)

  it("exchange chunks and trailers", function()
    local o = origin.start(function(request)
      return { body = request.chunks, trailers = { ["X-Sum"] = request.trailers["x-sum"] } }
    end)
    local response = http.request(o.url, { method = "PUT", body = { "ab", "cde" }, trailers = { ["X-Sum"] = "5" } })
    assert.same({ "ab", "cde" }, response.chunks)
    assert.equal("abcde", response.body)
    assert.equal("5", response.trailers["X-Sum"])
  end)

  it("keep the connection, and pipeline", function()
    local o = origin.start(function(request) return { body = request.target } end)
    local c = http.connect(o.url)
    c:send_request { path = "/1" }
    c:send_request { path = "/2", method = "HEAD" }
    c:send_request { path = "/3" }
    assert.equal("/1", c:receive().body)
    assert.equal("2", c:receive().headers["Content-Length"])
    assert.equal("/3", c:receive().body)
    assert.equal(1, o.accepted)
    assert.equal(1, o:connections())
    c:close()
    loop.eventually(function() return o:connections() == 0 end)
  end)

  it("pass early responses on", function()
    local o = origin.start {
      informational = { { status = 103, headers = { Link = "</a.css>" } } }, body = "late",
    }
    local response = http.get(o.url)
    assert.equal(103, response.informational[1].status)
    assert.equal("</a.css>", response.informational[1].headers.link)
    assert.equal("late", response.body)
  end)

  it("answer Expect: 100-continue before the body", function()
    local o = origin.start()
    local c = http.connect(o.url)
    c:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert.equal(100, c:try_head().status)
    c:send("ok")
    assert.equal(200, c:receive().status)
  end)

  it("read a body that ends with the connection", function()
    local o = origin.start { body = "to the end", close = true }
    local response = http.get(o.url)
    assert.is_nil(response.headers["Content-Length"])
    assert.equal("to the end", response.body)
  end)

  it("tell an answer that is cut short", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    end)
    local c = http.connect(o.url)
    c:send_request {}
    local response, err, part = c:try_receive()
    assert.is_nil(response)
    assert.equal("closed", err)
    assert.equal("abc", part.body)
  end)

  it("tell a reset from an end", function()
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      stream:reset()
    end)
    local c = http.connect(o.url)
    c:send_request {}
    assert.equal("reset", c:wait_closed())
  end)

  it("half close", function()
    local o = origin.raw(function(stream) stream:write("got " .. stream:read_all()) end)
    local c = http.connect(o.url)
    c:send("everything")
    c:shutdown()
    assert.equal("got everything", c.stream:read_all())
  end)

  it("answer by another handler from now on", function()
    local o = origin.start { status = 500 }
    assert.equal(500, http.get(o.url).status)
    o:respond { status = 204 }
    assert.equal(204, http.get(o.url).status)
    assert.equal(2, o:count())
  end)

  it("refuse connections after stop, and take them after restart", function()
    local o = origin.start()
    o:stop()
    assert.has_error(function() http.get(o.url) end)
    o:restart()
    assert.equal("ok", http.get(o.url).body)
  end)

  it("stream a body as it is written", function()
    local o = origin.start(function()
      return {
        headers = { ["Content-Length"] = 4 },
        body = function(write)
          write("ab")
          loop.delay(0.001)
          write("cd")
        end,
      }
    end)
    assert.equal("abcd", http.get(o.url).body)
  end)

  it("serve requests side by side", function()
    local o = origin.start(function(request)
      loop.delay(request.target == "/slow" and 0.02 or 0)
      return { body = request.target }
    end)
    local responses = http.parallel(o.url, { { path = "/slow" }, { path = "/fast" } })
    assert.equal("/slow", responses[1].body)
    assert.equal("/fast", responses[2].body)
    assert.equal(2, o.accepted)
  end)

  it("refuse where nobody listens", function()
    local ok, err = pcall(http.get, origin.refusing_url())
    assert.is_false(ok)
    assert.matches("connection refused", err)
  end)
end)
