local loop = require("spec.support.loop")
local sys = require("spec.support.sys")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "base/sock.h")

ffi.cdef("int close(int fd); int getsockopt(int, int, int, void *, uint32_t *); int fcntl(int, int, ...);")

local EBADF, EINVAL, EAGAIN, EADDRINUSE, ECONNREFUSED = 9, 22, 11, 98, 111
local SOL_SOCKET, IPPROTO_TCP = 1, 6
local TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, SO_KEEPALIVE = 1, 4, 5, 9

local function parse(text)
  local address = ffi.new("struct address")
  local err = lib.address_parse(unit.slice(text), address)
  assert.is_true(err == 0 or err == -EINVAL)
  return err == 0 and address or nil
end

local function parse_ip(text, port)
  local address = ffi.new("struct address")
  local err = lib.address_parse_ip(unit.slice(text), port or 0, address)
  assert.is_true(err == 0 or err == -EINVAL)
  return err == 0 and address or nil
end

local function format(address, fn)
  local out = ffi.new("char[64]")
  local len = tonumber(lib[fn or "address_format"](address, out))
  local text = ffi.string(out)
  assert.equal(#text, len)
  return text
end

describe("an address", function()
  it("is read from text and written back", function()
    for _, text in ipairs({
      "127.0.0.1:8080", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8080", "[2001:db8::a]:1", "[::]:80",
    }) do
      assert.equal(text, format(parse(text)))
    end
  end)

  it("is written with every number in every place", function()
    for n = 0, 255 do
      for place = 1, 4 do
        local parts = { 0, 10, 255, 99 }
        parts[place] = n
        local text = table.concat(parts, ".")
        assert.equal(text, format(parse_ip(text), "address_format_ip"))
        assert.equal(text, format(parse_ip("::ffff:" .. text), "address_format_ip"))
      end
    end
  end)

  it("is every address when only a port is given", function()
    local address = parse(":8080")
    assert.equal("[::]:8080", format(address))
    assert.equal(8080, lib.address_port(address))
    assert.equal(28, lib.address_size(address))
    assert.equal(16, lib.address_size(parse("1.2.3.4:5")))
  end)

  it("is refused when the text is none", function()
    for _, text in ipairs({
      "", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1: 80",
      "127.0.0.1:080808", "::1:8080", "[127.0.0.1]:80", "[::1]", "[::1:80", "::1]:80", "[]:80", "localhost:80",
      "1.2.3:80", "256.1.1.1:80", "[::1]x:80", "1.2.3.4\0:80", "[fe80::1%eth0]:80", "[::g]:1",
      "[" .. ("1:"):rep(40) .. "1]:80",
    }) do
      assert.is_nil(parse(text), text)
    end
  end)

  it("is refused when absent", function()
    assert.is_nil(parse(nil))
    assert.is_nil(parse_ip(nil))
  end)

  it("without port takes the one given", function()
    assert.equal("10.1.2.3:99", format(parse_ip("10.1.2.3", 99)))
    assert.equal("[fe80::1]:99", format(parse_ip("fe80::1", 99)))
    assert.is_nil(parse_ip("[::1]"))
    assert.is_nil(parse_ip("10.1.2.3:4"))
  end)

  it("is shown as IPv4 when it is IPv4 in IPv6", function()
    local mapped = parse_ip("::ffff:10.1.2.3", 80)
    assert.equal("10.1.2.3:80", format(mapped))
    assert.equal("10.1.2.3", format(mapped, "address_format_ip"))
    assert.equal("2001:db8::1", format(parse_ip("2001:db8::1", 80), "address_format_ip"))
    assert.is_true(lib.address_equal(mapped, parse_ip("10.1.2.3", 80)))
    local bytes = ffi.new("uint8_t[16]")
    assert.equal(4, tonumber(lib.address_ip_bytes(mapped, bytes)))
    assert.equal("\10\1\2\3", ffi.string(bytes, 4))
    assert.equal(16, tonumber(lib.address_ip_bytes(parse_ip("::1"), bytes)))
    assert.equal(("\0"):rep(15) .. "\1", ffi.string(bytes, 16))
  end)

  it("equals another with the same host and port only", function()
    assert.is_true(lib.address_equal(parse("1.2.3.4:5"), parse("1.2.3.4:5")))
    assert.is_false(lib.address_equal(parse("1.2.3.4:5"), parse("1.2.3.4:6")))
    assert.is_false(lib.address_equal(parse("1.2.3.4:5"), parse("1.2.3.5:5")))
    assert.is_false(lib.address_equal(parse("[::1]:5"), parse("0.0.0.1:5")))
  end)
end)

describe("an address range", function()
  local function contains(range, ip)
    local cidr = ffi.new("struct cidr")
    assert.equal(0, lib.cidr_parse(unit.slice(range), cidr), range)
    return lib.cidr_contains(cidr, parse_ip(ip))
  end

  it("contains what shares its first bits", function()
    assert.is_true(contains("10.0.0.0/8", "10.255.1.2"))
    assert.is_false(contains("10.0.0.0/8", "11.0.0.0"))
    assert.is_true(contains("192.168.4.0/22", "192.168.7.255"))
    assert.is_false(contains("192.168.4.0/22", "192.168.8.0"))
    assert.is_true(contains("2001:db8::/33", "2001:db8:7fff::1"))
    assert.is_false(contains("2001:db8::/33", "2001:db8:8000::1"))
  end)

  it("does not look at its own bits behind the prefix", function()
    assert.is_true(contains("10.1.2.3/8", "10.9.9.9"))
  end)

  it("of no bits contains its whole family, and only that", function()
    assert.is_true(contains("0.0.0.0/0", "8.8.8.8"))
    assert.is_false(contains("0.0.0.0/0", "::1"))
    assert.is_true(contains("::/0", "2001:db8::1"))
    assert.is_false(contains("::/0", "8.8.8.8"))
  end)

  it("without a length is one address", function()
    assert.is_true(contains("10.1.2.3", "10.1.2.3"))
    assert.is_false(contains("10.1.2.3", "10.1.2.2"))
    assert.is_true(contains("::1/128", "::1"))
  end)

  it("takes IPv4 in IPv6 as IPv4, on both sides", function()
    assert.is_true(contains("10.0.0.0/8", "::ffff:10.1.1.1"))
    assert.is_true(contains("::ffff:10.0.0.0/104", "10.1.1.1"))
    assert.is_false(contains("::ffff:10.0.0.0/104", "11.1.1.1"))
  end)

  it("is refused when it is none", function()
    local cidr = ffi.new("struct cidr")
    for _, text in ipairs({
      "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "x/8",
      "::ffff:10.0.0.0/95",
    }) do
      assert.equal(-EINVAL, lib.cidr_parse(unit.slice(text), cidr), text)
    end
  end)
end)

describe("a socket", function()
  local open

  before_each(function()
    open = {}
  end)

  after_each(function()
    for _, fd in ipairs(open) do
      ffi.C.close(fd)
    end
  end)

  local function keep(fd)
    assert.is_true(fd >= 0, "error " .. fd)
    table.insert(open, fd)
    return fd
  end

  local function listen(text, reuse_port)
    local fd = keep(lib.sock_listen(parse(text), reuse_port or false))
    local address = ffi.new("struct address")
    assert.equal(0, lib.sock_local_address(fd, address))
    return fd, address
  end

  local function option(fd, level, name)
    local value, size = ffi.new("int[1]"), ffi.new("uint32_t[1]", 4)
    assert.equal(0, ffi.C.getsockopt(fd, level, name, value, size))
    return value[0]
  end

  local function ready(fd, mask)
    return #sys.poll({ { fd = fd, mask = mask } }, 5) == 1
  end

  local function connect(address)
    local pending = ffi.new("bool[1]")
    local fd = keep(lib.sock_connect(address, pending))
    assert.is_true(not pending[0] or ready(fd, sys.WRITE))
    return fd
  end

  local function accept(listener)
    local peer = ffi.new("struct address")
    assert.is_true(ready(listener, sys.READ))
    return keep(lib.sock_accept(listener, peer)), peer
  end

  for _, text in ipairs({ "127.0.0.1:0", "[::1]:0" }) do
    it("connects and is accepted on " .. text, function()
      local listener, address = listen(text)
      local out = connect(address)
      assert.equal(0, lib.sock_error(out))
      local inside, peer = accept(listener)
      local local_address = ffi.new("struct address")
      assert.equal(0, lib.sock_local_address(out, local_address))
      assert.equal(format(local_address), format(peer))
      for _, fd in ipairs({ out, inside }) do
        assert.is_true(option(fd, IPPROTO_TCP, TCP_NODELAY) ~= 0)
        assert.equal(1, ffi.C.fcntl(fd, 1)) -- F_GETFD: close-on-exec
        assert.equal(0x800, require("bit").band(ffi.C.fcntl(fd, 3), 0x800)) -- F_GETFL: non-blocking
      end
    end)
  end

  it("on every address serves IPv4 and IPv6 alike, and shows an IPv4 peer as such", function()
    local listener, address = listen(":0")
    local port = lib.address_port(address)
    connect(parse("127.0.0.1:" .. port))
    local _, peer = accept(listener)
    assert.equal("127.0.0.1", format(peer, "address_format_ip"))
    connect(parse("[::1]:" .. port))
    _, peer = accept(listener)
    assert.equal("::1", format(peer, "address_format_ip"))
  end)

  it("says how many wait to be accepted", function()
    local listener, address = listen("127.0.0.1:0")
    assert.equal(0, lib.sock_accept_queue(listener))
    for n = 1, 3 do
      connect(address)
      loop.eventually(function() return lib.sock_accept_queue(listener) == n end)
    end
    for n = 2, 0, -1 do
      accept(listener)
      assert.equal(n, lib.sock_accept_queue(listener))
    end
    assert.equal(-EBADF, lib.sock_accept_queue(-1))
  end)

  it("lets those wait who have not sent anything, where that is asked for", function()
    local listener, address = listen("127.0.0.1:0")
    lib.sock_defer_accept(listener, 60)
    local silent, speaks = connect(address), connect(address)
    assert.equal(5, tonumber(sys.send(speaks, "hello", 0)))
    loop.eventually(function() return lib.sock_accept_queue(listener) == 1 end)
    assert.equal(5, tonumber(lib.sock_unread((accept(listener)))))
    assert.equal(-EAGAIN, lib.sock_accept(listener, ffi.new("struct address")))
    assert.equal(1, tonumber(sys.send(silent, "!", 0)))
    loop.eventually(function() return lib.sock_accept_queue(listener) == 1 end)
    assert.equal(1, tonumber(lib.sock_unread((accept(listener)))))
  end)

  it("says how much has come and was not received", function()
    local listener, address = listen("127.0.0.1:0")
    local out = connect(address)
    local inside = accept(listener)
    assert.equal(0, tonumber(lib.sock_unread(inside)))
    assert.equal(5, tonumber(sys.send(out, "hello", 0)))
    assert.is_true(ready(inside, sys.READ))
    assert.equal(5, tonumber(lib.sock_unread(inside)))
    assert.equal(0, tonumber(lib.sock_unread(-1)))
  end)

  it("says EAGAIN when nobody waits to be accepted", function()
    assert.equal(-EAGAIN, lib.sock_accept((listen("127.0.0.1:0")), ffi.new("struct address")))
  end)

  it("shares its port with others only when told to", function()
    local _, address = listen("127.0.0.1:0", true)
    keep(lib.sock_listen(address, true))
    local _, alone = listen("127.0.0.1:0", false)
    assert.equal(-EADDRINUSE, lib.sock_listen(alone, false))
  end)

  it("tells when nobody listens", function()
    local listener, address = listen("127.0.0.1:0")
    ffi.C.close(listener)
    table.remove(open)
    local pending = ffi.new("bool[1]")
    local fd = lib.sock_connect(address, pending)
    if fd >= 0 then
      keep(fd)
      assert.is_true(pending[0] and ready(fd, sys.WRITE))
      assert.equal(-ECONNREFUSED, lib.sock_error(fd))
    else
      assert.equal(-ECONNREFUSED, fd)
    end
  end)

  it("probes an idle connection as told", function()
    local _, address = listen("127.0.0.1:0")
    local fd = connect(address)
    lib.sock_keepalive(fd, 30, 7)
    assert.equal(1, option(fd, SOL_SOCKET, SO_KEEPALIVE))
    assert.equal(30, option(fd, IPPROTO_TCP, TCP_KEEPIDLE))
    assert.equal(7, option(fd, IPPROTO_TCP, TCP_KEEPINTVL))
  end)

  it("is closed with a reset on purpose", function()
    local listener, address = listen("127.0.0.1:0")
    local out = connect(address)
    local inside = accept(listener)
    table.remove(open)
    lib.sock_close_reset(inside)
    assert.is_true(ready(out, sys.READ))
    local data, err = sys.receive(out)
    assert.is_nil(data)
    assert.equal("reset", err)
  end)
end)
