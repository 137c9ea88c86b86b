--- Cases of spec/flow/ways_spec.lua: what is routed on is what the backend gets, however a client spells it.

local assert = require("luassert")
local backends = require("spec.support.backends")
local loop = require("spec.support.loop")
local spellings = require("spec.support.spellings")

-- Two members groups of one proxy: /admin has a backend of its own.
local function guarded(t)
  local open, admin = t:backend(function(request)
    return { body = "open " .. request.path }
  end), t:backend(function(request)
    return { body = "admin " .. request.path }
  end)
  t:group { open }
  local route = t.g.session:ok("ROUTE_ADD", "*", "/admin", admin.url, 0)
  if t.scheme == "https" then
    t.g.session:ok("OPTIONS_SET", route, "tls_ca", "internal")
  end
  t.g.session:ok("CONFIG_APPLY")
  return open, admin
end

return {
  {
    name = "the backend gets the path that was routed on, and the query as it came",
    schemes = backends.SCHEMES,
    run = function(t)
      guarded(t)
      for _, case in ipairs {
        { "/a/../admin", "admin /admin" },
        { "/%61dmin/%c3%a4?x=/../%2f//%2E", "admin /admin/%C3%A4?x=/../%2f//%2E" },
        { "//a//./b/?", "open /a/b/?" },
        { "/admin/../?..", "open /?.." },
        { "/.well-known/x", "open /.well-known/x" },
        { "/administrator", "open /administrator" },
      } do
        local r = t:get(case[1])
        assert.same({ 200, case[2] }, { r.status, r.body }, case[1])
      end
    end,
  },
  {
    name = "no spelling of a path gets around its route",
    run = function(t)
      local open = guarded(t)
      for _, path in ipairs(spellings.same) do
        local r = t:get(path)
        assert.same({ 200, "admin /admin/x" }, { r.status, r.body }, path)
      end
      for _, path in ipairs(spellings.refused) do
        local r = t:get(path)
        assert.equal(400, r.status, path)
        assert.truthy((r.headers["Proxy-Status"] or r.headers["proxy-status"]):find("bad_path", 1, true), path)
      end
      for _, path in ipairs(spellings.separated) do
        local r = t:get(path)
        assert.equal(400, r.status, path)
        assert.truthy((r.headers["Proxy-Status"] or r.headers["proxy-status"]):find("encoded_separators", 1, true),
          path)
      end
      assert.equal(0, open:count())
      loop.soon(function()
        assert.equal(#spellings.same, t.g:stats("r2").requests)
      end)
    end,
  },
  {
    name = "escaped separators pass, as they are, only to a group of which every member takes them",
    run = function(t)
      local echo = function(request)
        return { body = request.path }
      end
      t:group { t:backend(echo), t:backend(echo) }
      assert.equal(400, t:get("/a%2fb%5C").status)
      t.g.session:ok("OPTIONS_SET", "r1", "encoded_separators", "true")
      t.g.session:ok("CONFIG_APPLY")
      assert.equal(400, t:get("/a%2fb%5C").status)
      t.g.session:ok("OPTIONS_SET", "ALL", "encoded_separators", "true")
      t.g.session:ok("CONFIG_APPLY")
      for _ = 1, 4 do
        local r = t:get("/x/../a%2fb%5c?%2f")
        assert.same({ 200, "/a%2Fb%5C?%2f" }, { r.status, r.body })
      end
      assert.equal(400, t:get("/a%2f..%2fb").status)
    end,
  },
  {
    name = "a request that is tried again is sent with the same path",
    run = function(t)
      local targets = {}
      local function flaky(request)
        targets[#targets + 1] = request.path
        return #targets == 1 and { drop = true } or { body = request.path }
      end
      t:group({ t:backend(flaky), t:backend(flaky) }, { options = { retries = "2" } })
      local r = t:get("/a//b/%2e%2e/%63?q=//")
      assert.same({ 200, "/a/c?q=//" }, { r.status, r.body })
      assert.same({ "/a/c?q=//", "/a/c?q=//" }, targets)
    end,
  },
  {
    name = "requests one after the other and at once each keep their own path",
    run = function(t)
      t:group { t:backend(function(request)
        return { body = request.path }
      end) }
      for round = 1, 3 do
        local pending = {}
        for i = 1, 8 do
          pending[i] = t.client:start { path = ("/r%d/./%%41//%d?%d"):format(round, i, i) }
        end
        for i = 1, 8 do
          assert.equal(("/r%d/A/%d?%d"):format(round, i, i), pending[i]:response().body)
        end
      end
    end,
  },
}
