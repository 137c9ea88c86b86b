local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/head.h")

local function in_table(list)
  local set = {}
  for _, name in ipairs(list) do
    set[name] = true
  end
  return set
end

describe("a field name", function()
  local NAMES = {
    HOST = "Host", CONNECTION = "Connection", CONTENT_LENGTH = "Content-Length",
    TRANSFER_ENCODING = "Transfer-Encoding", TE = "TE", TRAILER = "Trailer", UPGRADE = "Upgrade",
    KEEP_ALIVE = "Keep-Alive", PROXY_CONNECTION = "Proxy-Connection",
    PROXY_AUTHORIZATION = "Proxy-Authorization", PROXY_AUTHENTICATE = "Proxy-Authenticate",
    EXPECT = "Expect", VIA = "Via", FORWARDED = "Forwarded", X_FORWARDED_FOR = "X-Forwarded-For",
    X_FORWARDED_PROTO = "X-Forwarded-Proto", X_FORWARDED_HOST = "X-Forwarded-Host",
    X_REAL_IP = "X-Real-IP", DATE = "Date", SERVER = "Server", RETRY_AFTER = "Retry-After",
    PROXY_STATUS = "Proxy-Status", MAX_FORWARDS = "Max-Forwards",
  }

  local function id(name)
    return tonumber(lib.http_field_id(unit.slice(name)))
  end

  it("is known in any case", function()
    for symbol, name in pairs(NAMES) do
      local expected = tonumber(lib["FIELD_" .. symbol])
      assert.equal(expected, id(name))
      assert.equal(expected, id(name:lower()))
      assert.equal(expected, id(name:upper()))
    end
  end)

  it("is another one when a byte differs", function()
    for _, name in pairs(NAMES) do
      for at = 1, #name do
        assert.equal(0, id(name:sub(1, at - 1) .. "#" .. name:sub(at + 1)))
      end
      assert.equal(0, id(name:sub(1, -2)))
      assert.equal(0, id(name .. "x"))
    end
    assert.equal(0, id(""))
    assert.equal(0, id(("x"):rep(300)))
  end)
end)

describe("a name with an underscore", function()
  it("imitates one that means something, however many of its dashes are underscores", function()
    for _, name in ipairs { "X_Forwarded_For", "x-forwarded_for", "X_Forwarded-Proto", "CONTENT_LENGTH",
      "Transfer_Encoding",
      "X_Real-IP", "Proxy_Authorization", "keep_alive" } do
      assert.is_true(lib.http_name_imitates(unit.slice(name)), name)
    end
  end)

  it("imitates nothing otherwise", function()
    for _, name in ipairs { "X-Forwarded-For", "Host", "H_ost", "X_Forwarded_Fo", "X__Real_IP", "_", "X_Real_IP_",
      "X_Api_Key", ("X_"):rep(30), "Content_Lengt" } do
      assert.is_false(lib.http_name_imitates(unit.slice(name)), name)
    end
  end)

  it("is the same as with a dash to a backend with variables", function()
    local function alike(a, b)
      return lib.http_names_alike(unit.slice(a), unit.slice(b))
    end
    assert.is_true(alike("X-Client_Cert", "x_CLIENT-cert"))
    assert.is_true(alike("", ""))
    assert.is_false(alike("X-Client-Cert", "X-Client-Certs"))
    assert.is_false(alike("X-Client-Cert", "X-Client.Cert"))
    assert.is_false(alike("X-Client-Cert", "Y-Client-Cert"))
  end)
end)

describe("a comma separated list", function()
  local function elements(text)
    local rest, element, found = unit.slice(text), ffi.new("struct slice"), {}
    while lib.http_list_next(rest, element) do
      found[#found + 1] = unit.text(element)
    end
    return found
  end

  local function has(text, token)
    return lib.http_list_has(unit.slice(text), unit.slice(token))
  end

  it("is walked without white space and empty elements", function()
    assert.same({ "a", "b c", "d" }, elements(" a,b c\t, ,,d ,"))
    assert.same({}, elements(""))
    assert.same({}, elements(nil))
    assert.same({}, elements(" , "))
  end)

  it("has a token in any case, as a whole element only", function()
    assert.is_true(has("a, Close", "close"))
    assert.is_true(has("close", "CLOSE"))
    assert.is_false(has("closed, not-close, clos", "close"))
    assert.is_false(has("close x", "close"))
    assert.is_false(has("", "close"))
  end)
end)

describe("text", function()
  local function is(fn, text)
    return lib[fn](unit.slice(text))
  end

  it("is a token of the bytes that RFC 9110 names", function()
    local marks = {}
    ("!#$%&'*+-.^_`|~"):gsub(".", function(c)
      marks[#marks + 1] = c
    end)
    local set = in_table(marks)
    for byte = 0, 255 do
      local c = string.char(byte)
      local expected = set[c] or (byte < 128 and c:find("^%w$") ~= nil) or false
      assert.equal(expected, is("http_is_token", c), "byte " .. byte)
      assert.equal(expected, is("http_is_token", "ab" .. c .. "cd"))
    end
    assert.is_false(is("http_is_token", ""))
  end)

  it("is a field value without control bytes but tab", function()
    for byte = 0, 255 do
      local expected = byte == 9 or (byte >= 32 and byte ~= 127)
      assert.equal(expected, is("http_is_field_value", "a" .. string.char(byte) .. "b"), "byte " .. byte)
    end
    assert.is_true(is("http_is_field_value", ""))
  end)

  it("is a target of printable ASCII without a fragment", function()
    for byte = 0, 255 do
      local expected = byte > 32 and byte < 127 and byte ~= 35
      assert.equal(expected, is("http_is_target", "/" .. string.char(byte) .. "b"), "byte " .. byte)
    end
    assert.is_false(is("http_is_target", ""))
  end)
end)

describe("an authority", function()
  local function split(text)
    local host, port = ffi.new("struct slice"), ffi.new("struct slice")
    if not lib.http_split_authority(unit.slice(text), host, port) then
      return nil
    end
    return { unit.text(host), unit.text(port) }
  end

  it("is split into host and port", function()
    assert.same({ "example.com" }, split("example.com"))
    assert.same({ "example.com", "80" }, split("example.com:80"))
    assert.same({ "example.com" }, split("example.com:"))
    assert.same({ "10.0.0.1", "1" }, split("10.0.0.1:1"))
    assert.same({ "a", "65535" }, split("a:65535"))
    assert.same({ "a", "00080" }, split("a:00080"))
    assert.same({ "::1" }, split("[::1]"))
    assert.same({ "2001:db8::1", "8080" }, split("[2001:db8::1]:8080"))
    assert.same({ "::ffff:1.2.3.4" }, split("[::ffff:1.2.3.4]:"))
    assert.same({ "a_b-c.~!$&'()*+;=" }, split("a_b-c.~!$&'()*+;="))
    assert.same({ "h%C3%a9" }, split("h%C3%a9"))
  end)

  it("is refused when it is none", function()
    for _, text in ipairs({
      "", ":", ":80", "a:b", "a:0", "a:000", "a,b", "a,", ",", "a:65536", "a:99999999999999999999", "a:-1", "a:8 0",
        "a:80:90", "::1", "a b", "a/b",
      "u@a", "a?b", "a#b", "a[b", "a\\b", "a\"b", "<a>", "a%", "a%2", "a%zz", "a\0", "h\195\169", "a\127", "[]",
      "[::1", "::1]", "[::1]x", "[::1]80", "[::1]:x", "[a]", "[1.2.3.4]", "[::1%25eth0]", "[v1.a]", "[[::1]]",
      "[" .. ("0:"):rep(40) .. "1]",
    }) do
      assert.is_nil(split(text), text)
    end
    assert.is_nil(split(nil))
  end)
end)

describe("finding a field", function()
  it("gives the first with an id, or nothing", function()
    local head = ffi.new("struct http_head")
    head.field_count, head.present = 3, require("bit").lshift(1, lib.FIELD_VIA)
    head.fields[0].id, head.fields[1].id, head.fields[2].id = lib.FIELD_OTHER, lib.FIELD_VIA, lib.FIELD_VIA
    assert.is_true(lib.http_head_find(head, lib.FIELD_VIA) == head.fields + 1)
    assert.is_true(lib.http_head_find(head, lib.FIELD_HOST) == nil)
  end)
end)
