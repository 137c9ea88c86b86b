-- The one form of a path (src/http/path.h), wherever a path comes from: requests, routes, policies, commands. What
-- holds over
-- all ways to talk to the proxy is in spec/flow/ways/paths.lua.

local behind = require("spec.scripts.policies.behind")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local spellings = require("spec.support.spellings")
local web = require("spec.support.web")

local function echo(request)
  return { body = request.target }
end

local function details(r)
  return r.headers["Proxy-Status"] and r.headers["Proxy-Status"]:match('details="([%w_]+)')
end

describe("the path of a request", function()
  it("goes behind the base path of the backend", function()
    local o = origin.start(echo)
    local p = proxy.start { route = { to = o.url .. "/base" } }
    assert.equal("/base/b?/..", p:get("/a/../b?/..").body)
    assert.equal("/base/", p:get("/a/..").body)
    assert.equal(400, p:get("/../secret").status)
    assert.equal(400, p:get("/..%2fsecret").status)
    assert.equal(2, o:count())
  end)

  it("is the same in absolute form, and * and CONNECT have none", function()
    local o = origin.start(echo)
    local p = proxy.start { route = { to = o.url, host = "a.test" } }
    local c = p:connect()
    local function ask(method, target)
      c:send(("%s %s HTTP/1.1\r\nHost: a.test\r\n\r\n"):format(method, target))
      return c:receive(method)
    end
    assert.equal("/b?//", ask("GET", "http://a.test/a/%2e%2e/b?//").body)
    assert.equal(400, ask("GET", "http://a.test/../b").status)
    assert.equal("/", ask("GET", "http://a.test").body)
    assert.equal("*", ask("OPTIONS", "*").body)
    assert.equal(501, ask("CONNECT", "a.test:80").status)
  end)

  it("that is refused costs a request, not the connection, and says why", function()
    local o = origin.start(echo)
    local p = proxy.start { route = { to = o.url } }
    local c = p:connect()
    c:send("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\nGET /x//y HTTP/1.1\r\nHost: a\r\n\r\n"
      .. "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n"
      .. "GET /%2e HTTP/1.1\r\nHost: a\r\n\r\n")
    local r = c:receive()
    assert.same({ 400, "bad_path" }, { r.status, details(r) })
    assert.equal("/x/y", c:receive().body)
    r = c:receive()
    assert.same({ 400, "encoded_separators" }, { r.status, details(r) })
    assert.equal("/", c:receive().body)
    assert.equal(2, o:count())
  end)

  it("that carries a body and is refused leaves nothing of it behind", function()
    local o = origin.start(echo)
    local p = proxy.start { route = { to = o.url } }
    local c = p:connect()
    c:send("POST /.. HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n")
    assert.equal(400, c:receive("POST").status)
    assert.is_true(c:ended() or p:get("/next").body == "/next")
    for _, request in ipairs(o.requests) do
      assert.not_equal("/smuggled", request.target)
    end
  end)

  it("is in the access log as it came, and as it went where that is another", function()
    local o = origin.start(echo)
    local p = proxy.start { config = { access_log = { format = "text", file = "-" } }, route = { to = o.url } }
    p:get("/a/../b?c=/..")
    p:get("/.well-known/d")
    p:get("/e")
    p:get("/a/..;")
    loop.eventually(function()
      return #p:access_log() == 4
    end)
    local seen = {}
    for _, line in ipairs(p:access_log()) do
      seen[line.path] = { line.target or "-", line.verdict ~= "" and line.verdict or "-" }
    end
    assert.same({
      ["/b?c=/.."] = { "/a/../b?c=/..", "-" }, ["/.well-known/d"] = { "-", "-" }, ["/e"] = { "-", "-" },
      ["/a/..;"] = { "-", "bad_path" },
    }, seen)
  end)

  it("is what a redirect to https leads to", function()
    local o = origin.start(echo)
    local p = proxy.start(web.listening { config = { redirect_https = 308 }, route = { to = o.url, host = "a.test" } })
    local r = p:get("/a/..//%62?x=%2f..", { host = "a.test" })
    assert.equal(308, r.status)
    assert.truthy(r.headers.Location:find("/b?x=%2f..", 1, true))
    assert.is_nil(r.headers.Location:find("a/..", 1, true))
    assert.equal(400, p:get("/../a", { host = "a.test" }).status)
  end)

  it("is what a page server is asked for", function()
    local o, pages = origin.start(echo), origin.start(function(request)
      return { headers = { ["Content-Type"] = "text/css" }, body = request.target }
    end)
    local p = proxy.start { route = { to = o.url } }
    assert.equal("ACK", p.session:call("MAINT_ENTER", "ALL", pages.url .. "/pages"))
    p.session:next_event()
    assert.equal("/pages/b.css", p:get("/a/../b.css").body)
    assert.equal(400, p:get("/..;/secret").status)
  end)
end)

describe("a request policy", function()
  local GUARD = [[
    if req:path() == "/admin" or req:path():sub(1, 7) == "/admin/" then
      req:answer(403)
    end]]

  it("that guards a path sees every spelling of it", function()
    local b = behind.asked(GUARD)
    assert.is_true(#spellings.same + #spellings.refused + #spellings.separated >= 60)
    for _, path in ipairs(spellings.same) do
      assert.equal(403, b:get(path).status, path)
    end
    for _, list in ipairs { spellings.refused, spellings.separated } do
      for _, path in ipairs(list) do
        assert.equal(400, b:get(path).status, path)
      end
    end
    assert.equal(0, b.origin:count())
    assert.equal(200, b:get("/administrator").status)
  end)

  it("sets a path in the same form, and cannot set one that has none", function()
    local b = behind.asked([[req:set_path(req:header("x-path"))]])
    local function sent(path)
      local r = b:get("/from?q=//", { headers = { ["X-Path"] = path } })
      return r.status, b:received().target
    end
    assert.same({ 200, "/b/c?q=//" }, { sent("/a/..//%62/./c") })
    assert.same({ 200, "/a%2Fb?q=//" }, { sent("/a%2fb") })
    for _, path in ipairs { "/a/..;", "/..", "/%", "/a\\b" } do -- few: more failures switch it off
      assert.same({ 200, "/from?q=//" }, { sent(path) }, path) -- it failed, and requests pass without it
    end
    b.proxy:wait_log("(hidden dot segment)")
  end)
end)

describe("the path of a route", function()
  local o, p, session

  before_each(function()
    o = origin.start(echo)
    p = proxy.start {}
    session = p:registry()
    session:register("spec", "one")
  end)

  it("is matched in its form, and listed as it was given", function()
    session:ok("ROUTE_ADD", "*", "/a/..//%61pi/%c3", o.url, 0)
    session:ok("CONFIG_APPLY")
    assert.equal("/api/%C3/x", p:get("/api/%C3/x").body)
    assert.equal("/api/%C3", p:get("/./api//%c3").body)
    assert.equal(404, p:get("/a").status)
    local list = session:call("ROUTE_LIST"):gsub("\\/", "/")
    assert.truthy(list:find('"path":"/a/..//%61pi/%c3"', 1, true), list)
  end)

  it("repeats another of which it is a spelling", function()
    session:ok("ROUTE_ADD", "*", "/api", o.url, 0)
    for _, path in ipairs { "//api", "/%61pi", "/x/../api", "/./api" } do
      assert.equal("ERROR|duplicate route: r1", session:call("ROUTE_ADD", "*", path, o.url, 0), path)
    end
    local other = session:ok("ROUTE_ADD", "*", "/other", o.url, 0)
    assert.equal("ERROR|duplicate route: r1", session:call("ROUTE_UPDATE", other, "path", "/ap%69"))
    session:ok("ROUTE_UPDATE", other, "path", "/api2/.")
    session:ok("CONFIG_APPLY")
    assert.equal(200, p:get("/api2/x").status)
  end)

  it("is refused as that of a request would be, by every command", function()
    local route = session:ok("ROUTE_ADD", "*", "/api", o.url, 0)
    for _, path in ipairs { "/..", "/a/..;/b", "/%", "/%0a", "/a\\b", "/a/..%2fb", "/%2e%2e" } do
      assert.truthy(session:call("ROUTE_ADD", "*", path, o.url, 0):find("^ERROR|invalid path: "), path)
      assert.truthy(session:call("ROUTE_UPDATE", route, "path", path):find("^ERROR|invalid path: "), path)
      local bulk = ('[{"domains":["*"],"path":"%s","backend_url":"%s","priority":0}]'):format(path:gsub("\\", "\\\\"),
        o.url)
      assert.truthy(session:call("ROUTE_ADD_BULK", bulk):find("invalid path: ", 1, true), path)
    end
    session:ok("CONFIG_APPLY")
    assert.equal(200, p:get("/api").status)
  end)

  it("belongs to its service in every spelling", function()
    session:ok("ROUTE_ADD", "a.test", "/api", o.url, 0)
    session:ok("CONFIG_APPLY")
    local thief = p:registry()
    thief:register("thief", "one")
    for _, path in ipairs { "/api", "/%61pi", "//api", "/x/../api/" } do
      assert.truthy(thief:call("ROUTE_ADD", "a.test", path, o.url, 0):find("belongs to service spec", 1, true), path)
    end
  end)

  it("is a target of maintenance in every spelling", function()
    session:ok("ROUTE_ADD", "*", "/%61pi", o.url, 0)
    session:ok("CONFIG_APPLY")
    assert.equal("ACK", session:call("MAINT_ENTER", "/x/..//api"))
    assert.equal("MAINT_OK|/x/..//api", session:next_event())
    assert.equal(503, p:get("/api").status)
    assert.truthy(session:call("MAINT_ENTER", "/../api"):find("^ERROR|"))
  end)

  it("of the configuration file follows the rule, too", function()
    local q = proxy.start { config = { routes = { { domains = "*", path = "//st%61tic/.", backend_url = o.url } } } }
    assert.equal("/static/x", q:get("/static/x").body)
    q:write_config { routes = { { domains = "*", path = "/a/..;", backend_url = o.url } } }
    local code, _, err = proxy.run { "--check", "--config", q.config_path }
    assert.equal(1, code)
    assert.truthy(err:find("invalid path: ", 1, true), err)
  end)
end)
