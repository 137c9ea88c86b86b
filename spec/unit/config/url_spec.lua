local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "config/url.h")

local function parse(text)
  local out, err = ffi.new("struct url"), ffi.new("struct error")
  local slice = unit.slice(text)
  if not lib.url_parse(slice, out, err) then
    return nil, ffi.string(err.text)
  end
  return {
    scheme = tonumber(out.scheme),
    authority = unit.text(out.authority),
    host = unit.text(out.host),
    port = out.port,
    ip = out.host_is_ip,
    path = unit.text(out.path),
  }
end

-- text, scheme, authority, host, port, is an address, base path
local READ = {
  { "http://shop", lib.URL_HTTP, "shop", "shop", 80, false, "" },
  { "http://shop:8080", lib.URL_HTTP, "shop:8080", "shop", 8080, false, "" },
  { "https://shop.example.com/", lib.URL_HTTPS, "shop.example.com", "shop.example.com", 443, false, "" },
  { "ws://chat/a/b", lib.URL_WS, "chat", "chat", 80, false, "/a/b" },
  { "wss://chat/a/b/", lib.URL_WSS, "chat", "chat", 443, false, "/a/b" },
  { "h2c://grpc:50051", lib.URL_H2C, "grpc:50051", "grpc", 50051, false, "" },
  { "h2c://grpc/base/", lib.URL_H2C, "grpc", "grpc", 80, false, "/base" },
  { "H2://grpc", lib.URL_H2, "grpc", "grpc", 443, false, "" },
  { "HTTP://Shop:1", lib.URL_HTTP, "Shop:1", "Shop", 1, false, "" },
  { "http://10.0.0.1:65535//", lib.URL_HTTP, "10.0.0.1:65535", "10.0.0.1", 65535, true, "" },
  { "http://[::1]:9/x", lib.URL_HTTP, "[::1]:9", "::1", 9, true, "/x" },
  { "http://[fe80::1]", lib.URL_HTTP, "[fe80::1]", "fe80::1", 80, true, "" },
  { "http://my_service.local.", lib.URL_HTTP, "my_service.local.", "my_service.local.", 80, false, "" },
  { "http://a/b//c", lib.URL_HTTP, "a", "a", 80, false, "/b//c" },
}

-- text, what the reason names
local REFUSED = {
  { "", "must start with" },
  { "shop:8080", "must start with" },
  { "ftp://shop", "must start with" },
  { "http:/shop", "must start with" },
  { "http://", "no host" },
  { "http:///x", "no host" },
  { "http://:80", "no host" },
  { "http://shop:", "no port" },
  { "http://shop:0", "port out of range" },
  { "http://shop:65536", "port out of range" },
  { "http://shop:99999999999999999999", "port out of range" },
  { "http://shop:8o", "port is not a number" },
  { "http://shop:80:80", "port is not a number" },
  { "http://shop:-1", "port is not a number" },
  { "http://me:secret@shop", "user or password" },
  { "http://shop/?a", "query or fragment" },
  { "http://shop#a", "query or fragment" },
  { "http://shop /", "space" },
  { "http://shop/\1", "control byte" },
  { "http://shop/\195\164", "byte above 126" },
  { "http://256.1.1.1", "IPv4" },
  { "http://1.2.3", "IPv4" },
  { "http://[::1", '"]"' },
  { "http://[::1]x", 'behind "]"' },
  { "http://[shop]", "no IPv6 address" },
  { "http://[10.0.0.1]", "no IPv6 address" },
  { "http://::1/", "port is not a number" },
  { "http://a..b", "not a valid name" },
  { "http://.a", "not a valid name" },
  { "http://a*", "not a valid name" },
  { "http://" .. ("a"):rep(64), "not a valid name" },
  { "http://" .. ("abc."):rep(64) .. "d", "not a valid name" },
}

describe("backend URL", function()
  for _, case in ipairs(READ) do
    it(("%s is read"):format(case[1]), function()
      assert.same({
        scheme = tonumber(case[2]), authority = case[3], host = case[4], port = case[5],
        ip = case[6], path = case[7],
      }, parse(case[1]))
    end)
  end

  for _, case in ipairs(REFUSED) do
    it(("%q is refused"):format(case[1]), function()
      local url, reason = parse(case[1])
      assert.is_nil(url)
      assert.equal("backend_url: ", reason:sub(1, 13))
      assert.is_truthy(reason:find(case[2], 1, true), reason)
    end)
  end
end)
