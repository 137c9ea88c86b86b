local http = require("spec.support.http")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local process = require("spec.support.process")

describe("a program that a spec starts", function()
  it("has an exit code and its output in files", function()
    local p = process.start({ "/bin/sh", "-c", "echo out; echo err >&2; exit 3" }, { name = "sh" })
    assert.equal(3, (p:wait_exit()))
    assert.matches("out\n.*err\n", p:output())
  end)

  it("tells the signal that ended it", function()
    local p = process.start({ "/bin/sleep", "100" }, { name = "sleep" })
    p:signal("TERM")
    local code, signal = p:wait_exit()
    assert.is_nil(code)
    assert.equal("TERM", signal)
  end)

  it("is reported when it ends without the line that is waited for", function()
    local p = process.start({ "/bin/sh", "-c", "echo sorry >&2; exit 1" }, { name = "sh" })
    local ok, err = pcall(p.wait_line, p, "^ready$")
    assert.is_false(ok)
    assert.matches("ended %(1%)", err)
    assert.matches("sorry", err)
  end)
end)

describe("an origin as a process of its own", function()
  it("answers with its name and body, whatever the request's framing", function()
    local o = origin.process { name = "a", body = "from a" }
    local c = http.connect(o.url)
    for _, request in ipairs({ {}, { method = "POST", body = ("x"):rep(100000) },
      { method = "POST", body = { "1", ("y"):rep(50000) } } }) do
      local response = c:request(request)
      assert.equal("from a", response.body)
      assert.equal("a", response.headers["X-Origin"])
    end
    c:send_request { method = "HEAD" }
    assert.equal("6", c:receive().headers["Content-Length"])
  end)

  it("sends bodies larger than a socket takes", function()
    local o = origin.process { size = 3000000 }
    assert.equal(3000000, #http.get(o.url).body)
  end)

  it("dies when it is killed, and comes back on its port", function()
    local o = origin.process()
    local url = o.url
    o:kill()
    assert.has_error(function() http.get(url) end)
    o:restart()
    assert.equal(url, o.url)
    assert.equal(200, http.get(url).status)
  end)

  it("answers after its delay", function()
    local o = origin.process { delay = 30 }
    local begin = loop.now()
    http.parallel(o.url, { {}, {} })
    assert.is_true(loop.now() - begin >= 0.029)
  end)
end)

describe("load", function()
  it("counts answers by status and origin until it is stopped", function()
    local o = origin.process { name = "a", body = "hello" }
    local l = load.start { url = o.url, connections = 3, expect = "hello" }
    l:run_for(0.05)
    local result = l:stop()
    assert.equal(0, result.failed)
    assert.is_true(result.requests > 3)
    assert.equal(result.requests, result.statuses["200"])
    assert.equal(result.requests, result.origins.a)
    assert.equal(3, result.connects)
  end)

  it("counts what a client would call broken", function()
    local answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
      "",
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhullo",
      "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 503 Sorry\r\n\r\nuntil the end",
      "nonsense\r\n\r\n",
    }
    local turn = 0
    local o = origin.raw(function(stream)
      stream:read_until("\r\n\r\n")
      turn = turn + 1
      stream:write(answers[turn] or answers[4])
    end)
    local l = load.start { url = o.url, connections = 1, expect = "hello" }
    loop.eventually(function() return turn > #answers end)
    local result = l:stop()
    assert.equal(1, result.cut_short)
    assert.equal(1, result.closed)
    assert.equal(1, result.bad_bodies)
    assert.equal(1, result.malformed)
    assert.equal(1, result.statuses["503"])
    assert.equal(4, result.failed)
  end)

  it("keeps to a rate", function()
    local o = origin.process()
    local result = load.start({ url = o.url, rate = 100, seconds = 0.5 }):wait()
    assert.is_true(result.requests > 30 and result.requests <= 51, "requests: " .. result.requests)
  end)
end)
