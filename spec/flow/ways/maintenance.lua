--- Cases of spec/flow/ways_spec.lua: maintenance.

local assert = require("luassert")
local backends = require("spec.support.backends")
local cjson = require("cjson")

local FAST = { maintenance = { check_interval = "20ms", timeout = "5s" } }

local function enter(g, ...)
  assert.equal("ACK", g.session:call("MAINT_ENTER", ...))
end

return {
  {
    name = "maintenance shows its page as the client accepts it",
    run = function(t)
      local o = t:backend()
      local g = t:group { o }
      enter(g, "ALL", "", "moving house", "30m")
      local html = t:get("/", { Accept = "text/html" })
      assert.same({ 503, "300", "true" },
        { html.status, html.headers["Retry-After"], html.headers["X-Maintenance-Mode"] })
      assert.truthy(html.headers["Content-Type"]:find("^text/html"))
      assert.truthy(html.body:find("<html", 1, true) and html.body:find("moving house", 1, true))
      local json = cjson.decode(t:get("/", { Accept = "application/json" }).body)
      assert.same({ "maintenance", 503, "moving house" }, { json.error, json.status, json.reason })
      local text = t:get("/", { Accept = "text/plain" })
      assert.truthy(text.headers["Content-Type"]:find("^text/plain"))
      assert.truthy(text.body:find("moving house", 1, true))
      local head = t:request { method = "HEAD", path = "/", headers = { Accept = "text/plain" } }
      assert.same({ 503, "", tostring(#text.body) }, { head.status, head.body, head.headers["Content-Length"] })
      assert.equal(0, o:count())
    end,
  },
  {
    name = "maintenance ends when the backend answers, traffic before MAINT_OK",
    schemes = backends.SCHEMES,
    run = function(t)
      local o = t:backend { status = 503 }
      local g = t:group({ o }, { config = FAST })
      enter(g, "ALL")
      g.session:wait_event("^MAINT_OK|ALL$")
      assert.equal("ACK", g.session:call("MAINT_EXIT", "ALL"))
      assert.equal("true", t:get().headers["X-Maintenance-Mode"])
      o:respond { body = "back" }
      g.session:wait_event("^MAINT_OK|ALL$")
      assert.equal("back", t:get().body)
    end,
  },
  {
    name = "maintenance of one member of two leaves all to the other",
    run = function(t)
      local a, b = t:backend(), t:backend()
      local g = t:group({ a, b }, { apart = true })
      enter(g, "ALL")
      for _ = 1, 6 do
        assert.equal(200, t:get().status)
      end
      assert.same({ 0, 6 }, { a:count(), b:count() })
    end,
  },
  {
    name = "maintenance shows the page of a page server",
    schemes = backends.SCHEMES,
    run = function(t)
      local pages = t:backend(function(request)
        return { headers = { ["Content-Type"] = "text/html" },
          body = ("<p>%s %s"):format(request.method, request.path) }
      end)
      local g = t:group({ t:backend() }, { config = FAST })
      if t.scheme == "https" then -- a page server has the options of ALL
        g.session:ok("OPTIONS_SET", "ALL", "tls_ca", "internal")
        g.session:ok("CONFIG_APPLY")
      end
      enter(g, "ALL", pages.url .. "/closed/")
      g.session:wait_event("^MAINT_OK|ALL$")
      local r = t:get("/shop/x?y=1")
      assert.same({ 503, "<p>GET /closed/shop/x?y=1", "300" }, { r.status, r.body, r.headers["Retry-After"] })
      assert.equal("true", r.headers["X-Maintenance-Mode"])
      -- Only who reads gets it.
      assert.equal(503, t:request({ method = "POST", path = "/", body = "x" }).status)
      assert.equal("GET", pages:received().method)
    end,
  },
}
