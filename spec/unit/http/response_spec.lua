local heads = require("spec.unit.http.heads")
local lib = heads.lib

local function parse(text, method)
  return heads.parse_all_ways(text, { response_to = method or lib.METHOD_GET })
end

local function head_of(text, method)
  local answer = parse(text, method)
  assert.equal("done", answer.result, answer.error)
  return answer.head
end

describe("a response head", function()
  it("is read, however it is cut", function()
    local text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b\r\n\r\n"
    local answer = parse(text .. "hello")
    assert.equal(#text, answer.used)
    assert.equal(200, answer.head.status)
    assert.equal("OK", answer.head.reason)
    assert.equal(1, answer.head.minor)
    assert.equal("length", answer.head.body)
    assert.equal(5, answer.head.content_length)
    assert.is_true(answer.head.keep_alive)
    assert.equal("b", answer.head.fields[2].value)
  end)

  it("may lack its reason, and the space before it", function()
    assert.equal("", head_of("HTTP/1.1 200 \r\n\r\n").reason)
    assert.equal("", head_of("HTTP/1.1 200\r\n\r\n").reason)
  end)

  it("may have any text as reason", function()
    assert.equal("Sch\246n  \195\169!", head_of("HTTP/1.1 200 Sch\246n  \195\169!\r\n\r\n").reason)
  end)

  it("may have any status from 100 to 999", function()
    for _, status in ipairs({ 100, 199, 299, 418, 599, 600, 999 }) do
      assert.equal(status, head_of("HTTP/1.1 " .. status .. " x\r\n\r\n").status)
    end
  end)

  it("may have a Host, which means nothing", function()
    local head = head_of("HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\n\r\n")
    assert.is_nil(head.host)
    assert.equal(2, #head.fields)
  end)

  it("marks its fields for one hop", function()
    local head = head_of("HTTP/1.1 200 OK\r\nConnection: x-a, set-cookie\r\nX-A: 1\r\nSet-Cookie: 2\r\n"
      .. "Keep-Alive: 3\r\nServer: 4\r\n\r\n")
    local marked = {}
    for i, field in ipairs(head.fields) do
      marked[i] = field.hop_by_hop
    end
    assert.same({ true, true, false, true, false }, marked)
  end)
end)

describe("the body of a response", function()
  local LENGTH, CHUNKED = "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"

  local function body_of(status, fields, method, version)
    local text = ("HTTP/%s %d x\r\n%s\r\n"):format(version or "1.1", status, fields)
    local head = head_of(text, method)
    return head.body, head.keep_alive, head.content_length
  end

  it("is what its fields say", function()
    assert.equal("length", (body_of(200, LENGTH)))
    assert.equal("chunked", (body_of(404, CHUNKED)))
    assert.equal("length", (body_of(200, "Content-Length: 0\r\n")))
  end)

  it("without fields ends with the connection, which then can not be kept", function()
    local body, keep_alive = body_of(200, "Connection: keep-alive\r\n")
    assert.equal("until close", body)
    assert.is_false(keep_alive)
  end)

  it("does not follow a response to HEAD, whose length is known all the same", function()
    local body, keep_alive, length = body_of(200, LENGTH, lib.METHOD_HEAD)
    assert.equal("none", body)
    assert.equal(5, length)
    assert.is_true(keep_alive)
    assert.equal("none", (body_of(200, CHUNKED, lib.METHOD_HEAD)))
    assert.same({ "none", true, 0 }, { body_of(200, "", lib.METHOD_HEAD) })
  end)

  it("does not follow 1xx, 204 and 304", function()
    for _, status in ipairs({ 100, 101, 103, 199, 204, 304 }) do
      for _, fields in ipairs({ "", "Content-Length: 0\r\n" }) do
        assert.same({ "none", true, 0 }, { body_of(status, fields) })
      end
    end
    assert.same({ "none", true, 5 }, { body_of(304, LENGTH) })
    assert.same({ "none", true, 0 }, { body_of(304, CHUNKED) })
  end)

  it("that is announced with 204 ends the connection, but for HEAD", function()
    assert.same({ "none", false, 5 }, { body_of(204, LENGTH) })
    assert.same({ "none", false, 0 }, { body_of(204, CHUNKED) })
    assert.same({ "none", true, 5 }, { body_of(204, LENGTH, lib.METHOD_HEAD) })
  end)

  it("is refused with 1xx", function()
    for _, status in ipairs { 100, 101, 103, 199 } do
      for _, fields in ipairs { LENGTH, CHUNKED } do
        for _, method in ipairs { lib.METHOD_GET, lib.METHOD_HEAD } do
          local text = ("HTTP/1.1 %d X\r\n%s\r\n"):format(status, fields)
          local result, sentence = heads.refusal(text, { response_to = method })
          assert.same({ "bad", "an interim response with a body" }, { result, sentence })
        end
      end
    end
  end)

  it("does not follow success of CONNECT", function()
    assert.equal("none", (body_of(200, LENGTH, lib.METHOD_CONNECT)))
    assert.equal("length", (body_of(403, LENGTH, lib.METHOD_CONNECT)))
  end)

  it("of HTTP/1.0 keeps the connection only when that was said", function()
    assert.same({ "length", false, 5 }, { body_of(200, LENGTH, nil, "1.0") })
    assert.same({ "length", true, 5 }, { body_of(200, LENGTH .. "Connection: keep-alive\r\n", nil, "1.0") })
    assert.same({ "length", false, 5 }, { body_of(200, LENGTH .. "Connection: close\r\n") })
  end)

  it("switches protocols when both sides said so", function()
    assert.is_true(head_of("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").upgrade)
  end)
end)

describe("a response", function()
  local function ok(lines)
    return "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n"
  end

  for name, text in pairs({
    ["an empty line before it"] = "\r\nHTTP/1.1 200 OK\r\n\r\n",
    ["no status"] = "HTTP/1.1\r\n\r\n",
    ["a status of two digits"] = "HTTP/1.1 20\r\n\r\n",
    ["a status of four digits"] = "HTTP/1.1 2000\r\n\r\n",
    ["a status below 100"] = "HTTP/1.1 099 x\r\n\r\n",
    ["a status that is no number"] = "HTTP/1.1 2x0 OK\r\n\r\n",
    ["two spaces before the status"] = "HTTP/1.1  200 OK\r\n\r\n",
    ["a tab behind the status"] = "HTTP/1.1 200\tOK\r\n\r\n",
    ["a control byte in the reason"] = "HTTP/1.1 200 O\1K\r\n\r\n",
    ["a bare CR in the reason"] = "HTTP/1.1 200 O\rK\r\n\r\n",
    ["another protocol"] = "ICY 200 OK....\r\n\r\n",
    ["a version in lower case"] = "http/1.1 200 OK\r\n\r\n",
    ["a bare LF"] = "HTTP/1.1 200 OK\nX: y\r\n\r\n",
    ["a folded line"] = ok("X: y\r\n z\r\n"),
    ["white space before a colon"] = ok("X : y\r\n"),
    ["two lengths"] = ok("Content-Length: 5\r\nContent-Length: 5\r\n"),
    ["length and coding"] = ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    ["another coding"] = ok("Transfer-Encoding: gzip\r\n"),
    ["a coding in HTTP/1.0"] = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  }) do
    it("is refused for " .. name, function()
      local result, sentence = heads.refusal(text, { response_to = lib.METHOD_GET })
      assert.equal("bad", result)
      assert.is_true(#sentence > 0)
    end)
  end

  it("is refused at the first byte that HTTP does not begin with, not waited for", function()
    for _, text in ipairs { "S", "SSH-2.0-x\r\n", "220 mail\r\n", "HTTX", "HTP", "\21\3\3", "\0", "\r" } do
      assert.equal("bad", (heads.refusal(text, { response_to = lib.METHOD_GET })), text)
    end
    for _, text in ipairs { "", "H", "HTTP", "HTTP/", "HTTP/1.1 2" } do
      assert.equal("more", (heads.refusal(text, { response_to = lib.METHOD_GET })), text)
    end
  end)

  it("is refused for another version", function()
    assert.equal("version", (heads.refusal("HTTP/2.0 200 OK\r\n\r\n", { response_to = lib.METHOD_GET })))
  end)
end)
