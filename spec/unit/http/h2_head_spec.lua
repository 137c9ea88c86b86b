local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("base/check.h", "base/slice.h", "base/buf.h", "http/head.h", "http/parse.h",
  "http/h2_fields.h", "http/h2_head.h")

local LIMITS = ffi.new("struct http_limits", { head_size = 16384, field_count = 100, target_length = 8192 })

local function collect(list, options)
  options = options or {}
  local f = ffi.new("struct h2_fields")
  local size = options.block or 16384
  local block = ffi.new("char[?]", size)
  f.text.data, f.text.cap = block, size
  for _, field in ipairs(list) do
    lib.h2_fields_add(f, unit.slice(field[1]), unit.slice(field[2]), options.limits or LIMITS)
  end
  return f, block
end

local function request_fields(...)
  local list = { { ":method", "GET" }, { ":scheme", "https" }, { ":path", "/a?b" }, { ":authority", "a.test:8443" } }
  for _, field in ipairs({ ... }) do
    list[#list + 1] = field
  end
  return list
end

-- The same with other pseudo-header fields; false leaves one out.
local function with(changes)
  local list = {}
  for _, pseudo in ipairs({ { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/" }, { ":authority", "a" } }) do
    local value = changes[pseudo[1]]
    if value ~= false then
      list[#list + 1] = { pseudo[1], value or pseudo[2] }
    end
  end
  return list
end

local function read(list, options)
  local f, block = collect(list, options)
  local head, err = ffi.new("struct http_head"), ffi.new("const char *[1]")
  options = options or {}
  local result = lib.h2_head_request(head, f, not options.body, options.limits or LIMITS, err)
  return tonumber(result), head, err[0] ~= nil and ffi.string(err[0]) or nil, block
end

local function field(head, name)
  local found
  for i = 0, head.field_count - 1 do
    if unit.text(head.fields[i].name) == name then
      assert.is_nil(found, "twice: " .. name)
      found = unit.text(head.fields[i].value)
    end
  end
  return found
end

describe("a request head of HTTP/2", function()
  it("is method, target, authority and fields", function()
    local result, head = read(request_fields({ "x-a", "b" }, { "te", "trailers" }, { "expect", "100-continue" }))
    assert.equal(tonumber(lib.PARSE_DONE), result)
    assert.equal(tonumber(lib.METHOD_GET), tonumber(head.method))
    assert.equal("GET", unit.text(head.method_text))
    assert.equal("/a?b", unit.text(head.path))
    assert.equal("a.test:8443", unit.text(head.host))
    assert.equal("b", field(head, "x-a"))
    assert.equal("a.test:8443", field(head, "host"))
    assert.is_true(head.may_trail and head.te_trailers and head.expect_continue and head.keep_alive)
    assert.equal("2.0 tidelock", unit.text(head.via))
    assert.equal("a.test", unit.text(head.host_name))
  end)

  it("says what body follows", function()
    local function body(options, ...)
      local _, head = read(request_fields(...), options)
      return tonumber(head.body), tonumber(head.content_length)
    end
    assert.same({ tonumber(lib.BODY_NONE), 0 }, { body(nil) })
    assert.same({ tonumber(lib.BODY_LENGTH), 0 }, { body(nil, { "content-length", "0" }) })
    assert.same({ tonumber(lib.BODY_CHUNKED), 0 }, { body({ body = true }) })
    assert.same({ tonumber(lib.BODY_LENGTH), 12 }, { body({ body = true }, { "content-length", "12" }) })
  end)

  -- What nghttp2 refuses by itself is refused here, too.
  local BAD = {
    ["a pseudo-header field nobody knows"] = request_fields({ ":x", "y" }),
    ["a pseudo-header field twice"] = request_fields({ ":path", "/" }),
    ["a pseudo-header field behind others"] = { { "x", "y" }, unpack(request_fields()) },
    ["a status"] = request_fields({ ":status", "200" }),
    ["no method"] = with { [":method"] = false },
    ["a method that is no token"] = with { [":method"] = "G T" },
    ["no path"] = with { [":path"] = false },
    ["an empty path"] = with { [":path"] = "" },
    ["a path with a line end"] = with { [":path"] = "/\r\nx: y" },
    ["a path with a blank"] = with { [":path"] = "/ HTTP/1.1" },
    ["a path that is a URL"] = with { [":path"] = "http://b/" },
    ["no scheme"] = with { [":scheme"] = false },
    ["another scheme"] = with { [":scheme"] = "ftp" },
    ["an authority with a user"] = with { [":authority"] = "u@a" },
    ["neither authority nor Host"] = with { [":authority"] = false },
    ["an empty Host alone"] = { { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/" }, { "host", "" } },
    ["CONNECT with a path"] = { { ":method", "CONNECT" }, { ":path", "/" }, { ":authority", "a:1" } },
    ["CONNECT without authority"] = { { ":method", "CONNECT" }, { "host", "a" } },
    ["Host that disagrees"] = request_fields({ "host", "b.test" }),
    ["Host twice"] = request_fields({ "host", "a.test:8443" }, { "host", "a.test:8443" }),
    ["a name in upper case"] = request_fields({ "X", "y" }),
    ["an empty name"] = request_fields({ "", "y" }),
    ["a name with a blank"] = request_fields({ "x y", "z" }),
    ["a name with a line end"] = request_fields({ "x\r\ny", "z" }),
    ["a value with CR"] = request_fields({ "x", "a\rb" }),
    ["a value with LF"] = request_fields({ "x", "a\nb" }),
    ["a value with NUL"] = request_fields({ "x", "a\0b" }),
    ["a value with a blank before it"] = request_fields({ "x", " a" }),
    ["a value with a blank behind it"] = request_fields({ "x", "a " }),
    ["Connection"] = request_fields({ "connection", "close" }),
    ["Keep-Alive"] = request_fields({ "keep-alive", "1" }),
    ["Proxy-Connection"] = request_fields({ "proxy-connection", "close" }),
    ["Transfer-Encoding"] = request_fields({ "transfer-encoding", "chunked" }),
    ["Upgrade"] = request_fields({ "upgrade", "h2c" }),
    ["TE gzip"] = request_fields({ "te", "gzip" }),
    ["Content-Length without a body"] = request_fields({ "content-length", "1" }),
    ["Content-Length with a sign"] = request_fields({ "content-length", "+0" }),
    ["Content-Length twice"] = request_fields({ "content-length", "0" }, { "content-length", "0" }),
    ["Content-Length past 2^64"] = request_fields({ "content-length", "18446744073709551616" }),
  }
  for name, list in pairs(BAD) do
    it("is refused with " .. name, function()
      local result, _, err = read(list)
      assert.equal(tonumber(lib.PARSE_BAD), result)
      assert.is_string(err)
    end)
  end

  it("is a GET with Upgrade where it was an extended CONNECT", function()
    local list = with { [":method"] = "CONNECT", [":path"] = "/chat" }
    table.insert(list, 1, { ":protocol", "websocket" })
    local result, head = read(list, { body = true })
    assert.equal(tonumber(lib.PARSE_DONE), result)
    assert.same({ "GET", "/chat", "a" }, { unit.text(head.method_text), unit.text(head.path), unit.text(head.host) })
    assert.equal("websocket", field(head, "upgrade"))
    assert.is_true(head.connect and head.upgrade)
    assert.equal(tonumber(lib.BODY_NONE), tonumber(head.body))
    for _, extra in ipairs({ { "content-length", "1" }, { ":protocol", "x" } }) do
      local more = { unpack(list) }
      table.insert(more, extra[1]:find(":") and 1 or #more + 1, extra)
      assert.equal(tonumber(lib.PARSE_BAD), (read(more, { body = true })))
    end
    for _, name in ipairs({ ":path", ":scheme", ":authority" }) do
      local less = with { [":method"] = "CONNECT", [name] = false }
      table.insert(less, 1, { ":protocol", "websocket" })
      assert.equal(tonumber(lib.PARSE_BAD), (read(less, { body = true })), name)
    end
    assert.equal(tonumber(lib.PARSE_BAD), (read({ { ":protocol", "websocket" }, unpack(with {}) })))
  end)

  it("has one cookie, wherever its crumbs were", function()
    local crumbs = { { "cookie", "a=1" }, { "cookie", "b=2" }, { "x", "y" }, { "cookie", "c=3" }, { "z", "" },
      { "cookie", "d=4" }, { "cookie", "e=5" } }
    local result, head = read(request_fields(unpack(crumbs)))
    assert.equal(tonumber(lib.PARSE_DONE), result)
    assert.equal("a=1; b=2; c=3; d=4; e=5", field(head, "cookie"))
    assert.equal("y", field(head, "x"))
    assert.equal("", field(head, "z"))
  end)

  it("keeps to the limits", function()
    local big = tonumber(lib.PARSE_HEAD_TOO_BIG)
    local limits = ffi.new("struct http_limits", { head_size = 200, field_count = 3, target_length = 10 })
    assert.equal(tonumber(lib.PARSE_DONE), (read(request_fields({ "x", "y" }), { limits = limits })))
    assert.equal(big, (read(request_fields({ "x", ("y"):rep(200) }), { limits = limits })))
    assert.equal(big, (read(request_fields({ "a", "" }, { "b", "" }, { "c", "" }), { limits = limits })))
    assert.equal(big, (read(request_fields({ "x", "y" }), { block = 64 })))
    local crumbs = { { "cookie", ("a"):rep(60) }, { "x", "" }, { "cookie", ("b"):rep(60) } }
    assert.equal(big, (read(request_fields(unpack(crumbs)), { block = 300 })))
    local long = request_fields()
    long[3] = { ":path", "/" .. ("x"):rep(10) }
    assert.equal(tonumber(lib.PARSE_TARGET_TOO_BIG), (read(long, { limits = limits })))
  end)
end)

describe("a response head of HTTP/2", function()
  local function response(list, ends, method)
    local f, block = collect(list)
    local head, err = ffi.new("struct http_head"), ffi.new("const char *[1]")
    return tonumber(lib.h2_head_response(head, f, ends, method or lib.METHOD_GET, err)), head, block
  end

  it("is status, fields and what body follows", function()
    local result, head = response({ { ":status", "200" }, { "content-length", "5" } }, false)
    assert.same({ tonumber(lib.PARSE_DONE), 200, 5 }, { result, head.status, tonumber(head.content_length) })
    assert.equal(tonumber(lib.BODY_LENGTH), tonumber(head.body))
    result, head = response({ { ":status", "200" }, { "content-length", "5" } }, true, lib.METHOD_HEAD)
    assert.same({ tonumber(lib.PARSE_DONE), tonumber(lib.BODY_NONE) }, { result, tonumber(head.body) })
    result, head = response({ { ":status", "103" } }, false)
    assert.same({ tonumber(lib.PARSE_DONE), 103 }, { result, head.status })
  end)

  for name, list in pairs({
    ["without status"] = { { "x", "y" } },
    ["with a status of two digits"] = { { ":status", "20" } },
    ["with a status that is no number"] = { { ":status", "2x0" } },
    ["with a status below 100"] = { { ":status", "099" } },
    ["of a request"] = { { ":method", "GET" } },
    ["with a connection's field"] = { { ":status", "200" }, { "connection", "close" } },
    ["of 1xx that ends the stream"] = { { ":status", "100" } },
    ["with a length but no body"] = { { ":status", "200" }, { "content-length", "1" } },
  }) do
    it("is refused " .. name, function()
      assert.equal(tonumber(lib.PARSE_BAD), (response(list, true)))
    end)
  end
end)

describe("trailers of HTTP/2", function()
  local function section(list)
    local f, block = collect(list)
    local out, text = ffi.new("struct buf"), ffi.new("char[512]")
    out.data, out.cap = text, 512
    return lib.h2_trailer_section(f, out) and ffi.string(text, out["end"]), block
  end

  it("become a trailer section of HTTP/1", function()
    assert.equal("a: b\r\nc: \r\n\r\n", (section({ { "a", "b" }, { "c", "" } })))
    assert.equal("\r\n", (section({})))
  end)

  it("are refused where they could not be written as one", function()
    assert.is_false((section({ { ":path", "/" } })))
    assert.is_false((section({ { "A", "b" } })))
    assert.is_false((section({ { "a", "b\r\nc: d" } })))
    assert.is_false((section({ { "a", ("b"):rep(600) } })))
  end)

  it("are told from heads", function()
    assert.is_true(lib.h2_fields_are_head((collect({ { ":status", "200" } }))))
    assert.is_false(lib.h2_fields_are_head((collect({ { "a", "b" } }))))
    assert.is_false(lib.h2_fields_are_head((collect({}))))
  end)
end)
