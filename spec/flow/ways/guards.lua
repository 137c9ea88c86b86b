--- Cases of spec/flow/ways_spec.lua: limits, policies, and what the proxy answers itself.

local assert = require("luassert")
local backends = require("spec.support.backends")
local behind = require("spec.scripts.policies.behind")
local cjson = require("cjson")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local TYPES = { "text/html", "application/json", "text/plain" }

local function own_policy(lines)
  local scripts = behind.scripts { own = ('return { summary = "", %s }\n'):format(lines) }
  return { scripts = scripts, options = { policy = "own" } }
end

return {
  {
    name = "a rate limit answers 429 and says what is left, for each source by itself",
    run = function(t)
      local o = t:backend()
      local g = t:group({ o }, { ratelimit = { 2, "1h" } })
      assert.equal('"tidelock";r=1;t=1800', t:get().headers["RateLimit"])
      assert.equal(200, t:get().status)
      local r = t:get()
      assert.equal(429, r.status)
      assert.same({ '"tidelock";q=2;w=3600', '"tidelock";r=0;t=3600' },
        { r.headers["RateLimit-Policy"], r.headers["RateLimit"] })
      assert.is_true(tonumber(r.headers["Retry-After"]) > 1700)
      assert.truthy(r.headers["Proxy-Status"]:find("http_request_denied", 1, true))
      local other = t:another { source = "127.0.0.2" }
      assert.same({ 200, 200, 429 },
        { other:request {}.status, other:request {}.status, other:request {}.status })
      assert.equal(4, o:count())
      assert.equal(2, g:stats("r1").rejected.ratelimit)
    end,
  },
  {
    name = "a host that nobody serves gets a page, as the client accepts it",
    run = function(t)
      t:group({ t:backend() }, { host = "b.example" })
      for _, kind in ipairs(TYPES) do
        local r = t:get("/", { Accept = kind })
        assert.equal(404, r.status)
        assert.truthy(r.headers["Content-Type"]:find(kind, 1, true))
        assert.equal(tostring(#r.body), r.headers["Content-Length"])
      end
      assert.equal(200, t:request { path = "/", host = "b.example" }.status)
    end,
  },
  {
    name = "a backend that refuses connections gets a page that says so",
    run = function(t)
      t:group { origin.refusing_url() }
      local r = t:get("/", { Accept = "application/json" })
      assert.same({ 502, 502 }, { r.status, cjson.decode(r.body).status })
      assert.truthy(r.headers["Proxy-Status"]:find("connection_refused", 1, true))
      assert.equal("", t:request { method = "HEAD", path = "/" }.body)
    end,
  },
  {
    name = "a backend that is too late gets a page that says so",
    schemes = backends.SCHEMES,
    run = function(t)
      local done = false
      t:group({ t:backend(function()
        loop.eventually(function()
          return done
        end)
        return {}
      end) }, { options = { timeout = "150ms", retries = "0" } })
      local r = t:get()
      done = true
      assert.equal(504, r.status)
      assert.truthy(r.headers["Proxy-Status"]:find("connection_read_timeout", 1, true))
    end,
  },
  {
    name = "a body above its limit is refused, be its length known or not",
    run = function(t)
      local o = t:backend()
      t:group({ o }, { options = { max_body_size = "1000" } })
      assert.equal(413, t:request { method = "POST", path = "/", body = ("x"):rep(1001) }.status)
      assert.equal(413, t:another():request { method = "POST", path = "/", body = { ("x"):rep(999), "xx" } }.status)
      assert.equal(200, t:another():request { method = "POST", path = "/", body = { ("x"):rep(998), "xx" } }.status)
    end,
  },
  {
    name = "a policy answers itself",
    run = function(t)
      local o = t:backend()
      t:group({ o }, own_policy('on_request = function(req) req:answer(418, { ["X-Tea"] = "pot" }, "short") end'))
      for _ = 1, 2 do
        local r = t:request { method = "POST", path = "/", body = "leaves" }
        assert.same({ 418, "pot", "short" }, { r.status, r.headers["X-Tea"], r.body })
        assert.equal('tidelock; details="policy_answer"', r.headers["Proxy-Status"])
      end
      assert.equal(0, o:count())
    end,
  },
  {
    name = "a policy changes the heads both ways",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { headers = { ["X-Backend"] = "1" }, body = "text" }
      t:group({ o }, own_policy([[
        on_request = function(req)
          req:set_header("X-New", req:scheme())
          req:set_header("X-Old", nil)
          req:set_host("inner.example")
          req:set_path("/else")
        end,
        on_response = function(res, req)
          res:set_status(201)
          res:set_header("X-Backend", nil)
          res:set_header("X-Out", res:header("X-Backend") or "gone")
        end]]))
      local r = t:get("/p?a", { ["X-Old"] = "1", ["X-Other"] = "2" })
      assert.same({ 201, "text", "gone" }, { r.status, r.body, r.headers["X-Out"] })
      assert.is_nil(r.headers["X-Backend"])
      local got = o:received()
      assert.same({ t.way.tls and "https" or "http", "2", "/else?a" },
        { got.headers["X-New"], got.headers["X-Other"], got.path })
      assert.is_nil(got.headers["X-Old"])
      assert.equal("inner.example", got.headers["Host"] or got.headers[":authority"])
    end,
  },
  {
    name = "backends are told who asked, how, and by which version",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { headers = { Via = "1.0 inner" } }
      t:group { o }
      local r = t:get("/", { Via = "1.0 outer" })
      local got = o:received().headers
      local scheme = t.way.tls and "https" or "http"
      assert.same({ "127.0.0.1", scheme, "a.example" },
        { got["X-Forwarded-For"], got["X-Forwarded-Proto"], got["X-Forwarded-Host"] })
      assert.equal(("1.0 outer, %s tidelock"):format(t.way.version == 2 and "2.0" or "1.1"), got.Via)
      assert.equal(("1.0 inner, %s tidelock"):format(t.scheme == "h2c" and "2.0" or "1.1"), r.headers.Via)
    end,
  },
}
