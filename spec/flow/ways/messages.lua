--- Cases of spec/flow/ways_spec.lua: messages arrive as they were sent.

local assert = require("luassert")
local backends = require("spec.support.backends")
local ffi = require("ffi")

--- Bytes of which no two places look alike; no strings in between, as LuaJIT is slow with many near alike.
local function bytes(size)
  local text, seed = ffi.new("uint8_t[?]", size), 12345
  for i = 0, size - 1 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    text[i] = math.floor(seed / 65536) % 256
  end
  return ffi.string(text, size)
end

local LARGE = bytes(700 * 1000 + 1)

local function echo(request)
  return { body = request.body }
end

return {
  {
    name = "large bodies pass byte for byte, both ways",
    schemes = backends.SCHEMES,
    run = function(t)
      t:group { t:backend(echo) }
      local r = t:request { method = "POST", path = "/", body = LARGE }
      assert.same({ 200, false, #LARGE }, { r.status, r.cut, #r.body })
      assert.is_true(r.body == LARGE)
    end,
  },
  {
    name = "bodies of unknown length pass byte for byte, both ways, with their trailers",
    schemes = backends.SCHEMES,
    run = function(t)
      local seen
      t:group { t:backend(function(request)
        seen = request.trailers
        return { body = request.body, trailers = { ["X-Sum"] = "42" } }
      end) }
      local pieces = { LARGE:sub(1, 1), LARGE:sub(2, 50000), LARGE:sub(50001, 100000) }
      local r = t:request { method = "POST", path = "/", headers = { TE = "trailers" }, body = pieces,
        trailers = { ["X-Check"] = "7" } }
      assert.is_true(r.status == 200 and not r.cut and r.body == LARGE:sub(1, 100000))
      assert.equal("42", r.trailers["X-Sum"])
      assert.equal("7", seen and seen["X-Check"] or seen and seen["x-check"])
    end,
  },
  {
    name = "trailers say nothing that is the proxy's alone to say: certificates, the operators' secret",
    schemes = { "http", "h2c" },
    run = function(t)
      local seen
      t:group({ t:backend(function(request)
        seen = request.trailers
        return { body = request.body }
      end) }, { config = { maintenance = { bypass_header = "X-Peek", bypass_secret = "open-sesame" } } })
      local r = t:request { method = "POST", path = "/", body = { "a", "b" }, trailers = {
        ["X-Client-Cert-Subject"] = "CN=root", ["X-Client-Cert-Verify"] = "SUCCESS", ["X-Peek"] = "open-sesame",
        ["X-Check"] = "7",
      } }
      assert.same({ 200, "ab" }, { r.status, r.body })
      assert.equal("7", seen["X-Check"] or seen["x-check"])
      for _, name in ipairs { "X-Client-Cert-Subject", "X-Client-Cert-Verify", "X-Peek" } do
        assert.is_nil(seen[name] or seen[name:lower()], name)
      end
    end,
  },
  {
    name = "empty bodies are no bodies, and small ones follow each other",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend(echo)
      t:group { o }
      for _, text in ipairs { "", "a", "", "bc" } do
        local r = t:request { method = "POST", path = "/", body = text }
        assert.same({ 200, text, false }, { r.status, r.body, r.cut })
      end
      assert.equal("", t:get().body)
    end,
  },
  {
    name = "HEAD, 204 and 304 have no body, whatever they say of it",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { body = "0123456789" }
      t:group { o }
      local r = t:request { method = "HEAD", path = "/" }
      assert.same({ 200, "", "10", false }, { r.status, r.body, r.headers["Content-Length"], r.cut })
      assert.equal("0123456789", t:get().body)
      o:respond { status = 204 }
      r = t:request { method = "DELETE", path = "/" }
      assert.same({ 204, "", false }, { r.status, r.body, r.cut })
      assert.is_nil(r.headers["Content-Length"])
      o:respond { status = 304, headers = { ETag = '"x"' } }
      r = t:get("/", { ["If-None-Match"] = '"x"' })
      assert.same({ 304, "", '"x"', false }, { r.status, r.body, r.headers.ETag, r.cut })
      o:respond { body = "again" }
      assert.equal("again", t:get().body)
    end,
  },
  {
    name = "early hints come before the answer",
    schemes = backends.SCHEMES,
    run = function(t)
      t:group { t:backend { interim = { 103 }, body = "late" } }
      local r = t:get()
      assert.same({ 200, "late", { 103 } }, { r.status, r.body, r.interim })
    end,
  },
  {
    name = "fields that come twice, cookies among them, arrive as they were",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { headers = { { "Set-Cookie", "a=1" }, { "Set-Cookie", "b=2" } } }
      t:group { o }
      local r = t:get("/", { { "X-Twice", "1" }, { "X-Twice", "2" }, { "Cookie", "c=3; d=4" } })
      local got = o:received().headers
      assert.same({ "1, 2", "c=3; d=4" }, { got["X-Twice"], got.Cookie })
      assert.equal("a=1, b=2", r.headers["Set-Cookie"])
    end,
  },
}
