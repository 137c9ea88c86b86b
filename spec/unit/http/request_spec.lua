local heads = require("spec.unit.http.heads")
local lib = heads.lib

-- A request with the given lines behind its first one, and a Host.
local function get(...)
  return table.concat({ "GET / HTTP/1.1", "Host: a", ... }, "\r\n") .. "\r\n\r\n"
end

local function field(head, name)
  for _, f in ipairs(head.fields) do
    if f.name == name then
      return f
    end
  end
end

describe("a request head", function()
  it("is read from what a browser sends, however it is cut", function()
    local text = table.concat({
      "GET /a/b?c=d&e HTTP/1.1", "Host: example.com:8080", "User-Agent: Mozilla/5.0 (X11; Linux)",
      "Accept: text/html,*/*;q=0.8", "Cookie: a=b; c=\"d\"", "X-Empty:", "X-Spaces: \t in  between\t ",
      "Connection: keep-alive", "", "",
    }, "\r\n")
    local answer = heads.parse_all_ways(text .. "GET /next")
    assert.equal(#text, answer.used)
    local head = answer.head
    assert.equal(lib.METHOD_GET, head.method)
    assert.equal("GET", head.method_text)
    assert.equal("/a/b?c=d&e", head.target)
    assert.equal("/a/b?c=d&e", head.path)
    assert.is_nil(head.authority)
    assert.equal("example.com:8080", head.host)
    assert.equal("example.com", head.host_name)
    assert.equal(0, head.status)
    assert.equal(1, head.minor)
    assert.equal("none", head.body)
    assert.is_true(head.keep_alive)
    assert.equal(7, #head.fields)
    assert.equal("Mozilla/5.0 (X11; Linux)", field(head, "User-Agent").value)
    assert.equal("", field(head, "X-Empty").value)
    assert.equal("in  between", field(head, "X-Spaces").value)
  end)

  it("needs no fields in HTTP/1.0", function()
    local head = heads.parse_all_ways("GET / HTTP/1.0\r\n\r\n").head
    assert.equal(0, head.minor)
    assert.is_nil(head.host)
    assert.same({}, head.fields)
  end)

  it("may come behind empty lines", function()
    local answer = heads.parse_all_ways("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert.equal("/", answer.head.path)
    assert.equal(31, answer.used)
  end)

  it("of a later HTTP/1.x counts as HTTP/1.1", function()
    local head = heads.head("GET / HTTP/1.9\r\nHost: a\r\n\r\n")
    assert.equal(1, head.minor)
    assert.equal("1.1 tidelock", head.via)
  end)

  it("has field names of token bytes, and of no others, wherever they stand", function()
    for byte = 1, 255 do
      local c = string.char(byte)
      local is_token = c:find("^[%w!#$%%&'*+.^_`|~-]$") ~= nil
      for _, name in ipairs { c .. "ab", "a" .. c .. "b", "ab" .. c } do
        if c ~= ":" then
          local result = heads.parse(get(name .. ": x")).result
          assert.equal(is_token, result == "done", ("%q"):format(name))
        end
      end
    end
  end)

  it("has values of bytes above 127", function()
    assert.equal("h\195\169\255", heads.head(get("X: h\195\169\255")).fields[2].value)
  end)

  it("may have an empty Host", function()
    assert.equal("", heads.head("GET / HTTP/1.1\r\nHost:\r\n\r\n").host)
  end)
end)

describe("a method", function()
  it("is known or any other token", function()
    for name, method in pairs({
      GET = lib.METHOD_GET, HEAD = lib.METHOD_HEAD, POST = lib.METHOD_POST, PUT = lib.METHOD_PUT,
      DELETE = lib.METHOD_DELETE, OPTIONS = lib.METHOD_OPTIONS, TRACE = lib.METHOD_TRACE, PATCH = lib.METHOD_PATCH,
      PROPFIND = lib.METHOD_OTHER, ["M-SEARCH"] = lib.METHOD_OTHER, get = lib.METHOD_OTHER, G = lib.METHOD_OTHER,
      ["!#$%&'*+-.^_`|~09az"] = lib.METHOD_OTHER, GETT = lib.METHOD_OTHER,
    }) do
      local head = heads.parse_all_ways(name .. " /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n").head
      assert.equal(method, head.method)
      assert.equal(name, head.method_text)
      assert.equal("/x", head.path)
      assert.equal("y", head.fields[2].value)
    end
  end)
end)

describe("a request target", function()
  local function head_of(method, target, host)
    return heads.parse_all_ways(method .. " " .. target .. " HTTP/1.1\r\nHost: " .. (host or "h") .. "\r\n\r\n").head
  end

  it("in origin form is the path", function()
    for _, target in ipairs({ "/", "//", "/a//b", "/?", "/a?b?c", "/%00", "/a:b@c;d=e", "/\"<>\\^`{|}" }) do
      assert.equal(target, head_of("GET", target).path)
    end
  end)

  it("in absolute form gives host and path, and wins over Host", function()
    local head = head_of("GET", "http://example.com:81/a?b", "other")
    assert.equal("http://example.com:81/a?b", head.target)
    assert.equal("example.com:81", head.authority)
    assert.equal("example.com:81", head.host)
    assert.equal("/a?b", head.path)
    assert.equal("example.com", head.host_name)
    assert.equal("[::1]:80", head_of("POST", "HTTPS://[::1]:80/").host)
    assert.equal("::1", head_of("POST", "HTTPS://[::1]:80/").host_name)
  end)

  it("in absolute form without a path means /, or * for OPTIONS", function()
    assert.equal("/", head_of("GET", "http://example.com").path)
    assert.equal("*", head_of("OPTIONS", "http://example.com").path)
    assert.equal("/", head_of("OPTIONS", "http://example.com/").path)
  end)

  it("is * for OPTIONS", function()
    local head = head_of("OPTIONS", "*")
    assert.equal("*", head.path)
    assert.equal("h", head.host)
  end)

  it("of CONNECT is host and port", function()
    local head = head_of("CONNECT", "example.com:443")
    assert.equal(lib.METHOD_CONNECT, head.method)
    assert.equal("example.com:443", head.authority)
    assert.equal("example.com:443", head.host)
    assert.equal("example.com", head.host_name)
    assert.equal("/", head.path)
  end)
end)

describe("the body of a request", function()
  it("has no length without a field that says so", function()
    assert.equal("none", heads.head("POST / HTTP/1.1\r\nHost: a\r\n\r\n").body)
  end)

  it("has the length that Content-Length says, 0 included", function()
    for text, length in pairs({ ["0"] = 0, ["5"] = 5, ["007"] = 7, ["9007199254740992"] = 2 ^ 53 }) do
      local head = heads.head(get("Content-Length: " .. text))
      assert.equal("length", head.body)
      assert.equal(length, head.content_length)
    end
  end)

  it("is chunked, in any case", function()
    for _, value in ipairs({ "chunked", "Chunked", "CHUNKED", " chunked\t" }) do
      assert.equal("chunked", heads.head(get("Transfer-Encoding: " .. value)).body)
    end
  end)
end)

describe("what a request says about the connection", function()
  it("is that it lives on in HTTP/1.1, unless closed", function()
    assert.is_true(heads.head(get()).keep_alive)
    assert.is_false(heads.head(get("Connection: close")).keep_alive)
    assert.is_false(heads.head(get("connection: X, CLOSE")).keep_alive)
    assert.is_false(heads.head(get("Connection: keep-alive", "Connection: close")).keep_alive)
  end)

  it("is that it ends in HTTP/1.0, unless kept", function()
    assert.is_false(heads.head("GET / HTTP/1.0\r\n\r\n").keep_alive)
    assert.is_true(heads.head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive)
    assert.is_false(heads.head("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive)
  end)

  it("is that it waits for 100 Continue, from HTTP/1.1 on", function()
    assert.is_true(heads.head(get("Expect: 100-Continue")).expect_continue)
    assert.is_false(heads.head(get("Expect: something")).expect_continue)
    assert.is_false(heads.head(get()).expect_continue)
    assert.is_false(heads.head("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue)
  end)

  it("is whether it takes trailers", function()
    assert.is_true(heads.head(get("TE: gzip;q=0.5, Trailers")).te_trailers)
    assert.is_false(heads.head(get("TE: gzip")).te_trailers)
  end)

  it("is whether it wants an upgrade: both fields, HTTP/1.1", function()
    assert.is_true(heads.head(get("Connection: Upgrade", "Upgrade: websocket")).upgrade)
    assert.is_false(heads.head(get("Upgrade: websocket")).upgrade)
    assert.is_false(heads.head(get("Connection: upgrade")).upgrade)
    local old = "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert.is_false(heads.head(old).upgrade)
  end)
end)

describe("fields for one hop", function()
  local function hop_by_hop(...)
    local marked = {}
    for _, f in ipairs(heads.head(get(...)).fields) do
      if f.hop_by_hop then
        marked[#marked + 1] = f.name
      end
    end
    return marked
  end

  it("are the standing ones", function()
    local standing = {
      "Connection", "keep-alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE",
      "Transfer-Encoding", "Upgrade",
    }
    local lines = {}
    for i, name in ipairs(standing) do
      lines[i] = name .. ": chunked"
    end
    assert.same(standing, hop_by_hop(unpack(lines)))
  end)

  it("are no others by themselves", function()
    assert.same({}, hop_by_hop("Trailer: X", "Via: x", "Date: x", "Cookie: x", "Expect: x", "Content-Length: 1"))
  end)

  it("are those that Connection names, wherever they stand, in any case", function()
    assert.same({ "X-One", "Connection", "x-two", "X-TWO" },
      hop_by_hop("X-One: 1", "Connection: x-ONE ,, X-Two, X-None", "x-two: 2", "X-TWO: 3", "X-Three: 3"))
  end)

  it("are not those that everybody on the way needs, whatever Connection says", function()
    local names = {
      "Host", "Content-Length", "Expect", "Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
      "X-Forwarded-Host", "X-Real-IP", "Date", "Max-Forwards", "Trailer", "Authorization", "Cache-Control",
      "Content-Type", "Content-Encoding", "Content-Range", "Cookie",
    }
    local lines = { "Connection: " .. table.concat(names, ", ") }
    for i = 2, #names do
      lines[i] = names[i] .. ": 1"
    end
    assert.same({ "Connection" }, hop_by_hop(unpack(lines)))
  end)
end)
