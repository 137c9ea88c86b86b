local behind = require("spec.scripts.policies.behind")
local cjson = require("cjson")
local loop = require("spec.support.loop")
local message = require("spec.support.message")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local websocket = require("spec.support.websocket")

describe("a request policy", function()
  it("is written as scripts/README.md says", function()
    local text = sys.read_file("scripts/README.md"):match("## A request policy.-```lua\n(.-)```")
    local b = behind.start("tenant", "domain=shop.example", { scripts = behind.scripts { tenant = text } })
    assert.equal(404, b:get("/", { host = "shop.example" }).status)
    assert.equal("red", b:get("/", { host = "red.shop.example" }).headers["X-Served-For"])
    assert.equal("red", b:received().headers["X-Tenant"])
    assert.equal(404, b:get("/", { host = "red.shopxexample" }).status)
  end)

  it("reads the request's head", function()
    local b = behind.asked([[
      local parts = { req:method(), req:path(), req:query(), req:target(), req:host(), req:authority(),
        req:scheme(), req:source(), req:header("x-a"), req:cookie("two"), req:query_arg("b"),
        req:headers()["x-twice"], tostring(req:header("x-none")), req:arg("key"), req:arg("other", "none"),
        req:arg("long") }
      req:answer(200, nil, table.concat(parts, "|"))]], "key=value long='a b'")
    local answer = b:get("/p?a=1&b=x%20y+z", {
      host = "shop.example:81",
      headers = { ["X-A"] = "seen", Cookie = "one=1; two=2", ["X-Twice"] = { "1", "2" } },
    })
    assert.equal("GET|/p|a=1&b=x%20y+z|/p?a=1&b=x%20y+z|shop.example|shop.example:81|http|127.0.0.1|seen|2|x y z"
      .. "|1, 2|nil|value|none|a b", answer.body)
  end)

  it("changes the head that the backend gets", function()
    local b = behind.asked([[
      req:set_header("X-New", "1")
      req:set_header("x-old", nil)
      req:set_header("X-Forwarded-Proto", "https")
      req:set_host("inner.example")
      req:set_path("/else")
      req:set_query((req:query() or "") .. "&more")
      assert(req:header("x-new") == "1" and req:header("X-Old") == nil and req:path() == "/else")]])
    assert.equal(200, b:get("/p?a", { headers = { ["X-Old"] = "1", ["X-Other"] = "2" } }).status)
    local got = b:received()
    assert.equal("/else?a&more", got.target)
    assert.same({ "1", nil, "2", "https", "inner.example" },
      { got.headers["X-New"], got.headers["X-Old"], got.headers["X-Other"],
        got.headers["X-Forwarded-Proto"], got.headers["Host"] })
  end)

  it("has the say over what it set or took out: the client's trailers of these names go", function()
    local b = behind.asked([[
      req:set_header("X-User", "alice")
      req:set_header("X-Old", nil)]])
    local answer = b.proxy:request { method = "POST", body = { "a" },
      trailers = { ["X-User"] = "root", ["x-old"] = "1", ["X-Other"] = "2" } }
    assert.equal(200, answer.status)
    local got = b:received()
    assert.equal("alice", got.headers["X-User"])
    assert.same({ nil, nil, "2" }, { got.trailers["X-User"], got.trailers["x-old"], got.trailers["X-Other"] })
  end)

  it("has that say over trailers behind an early 101, too", function()
    local trailers
    local b = behind.asked('req:set_header("X-User", "alice")', nil, { origin = { stream = true },
      handler = function(request)
        request.stream:write(websocket.answer("chat"))
        trailers = select(2, message.read_body(request.stream, request.headers))
        return { raw = "", close = true }
      end })
    local c = b.proxy:connect()
    c:send(message.head("POST / HTTP/1.1", { { "Host", "a" }, { "Connection", "upgrade" }, { "Upgrade", "chat" },
      { "Transfer-Encoding", "chunked" } }))
    assert.truthy(message.read_head(c.stream).line:find(" 101 "))
    c:send(message.chunked({ "body" }, { ["X-User"] = "root", ["X-Other"] = "2" }))
    assert.equal("", c.stream:read_all())
    assert.same({ nil, "2" }, { trailers["X-User"], trailers["X-Other"] })
  end)

  it("changes the head of the response", function()
    local b = behind.answered([[
      assert(res:header("X-Backend") == "1" and not res:is_own() and res:verdict() == nil)
      assert(res:instance() == "one" and res:service() == "spec" and #res:member() == 16)
      res:set_status(res:status() + 1)
      res:set_header("X-Backend", nil)
      res:set_header("X-New", req:path())
      res:add_header("Set-Cookie", "a=1")
      res:add_header("Set-Cookie", "b=2")]], nil, {
      handler = function() return { status = 200, headers = { ["X-Backend"] = "1" }, body = "text" } end,
    })
    local answer = b:get("/p")
    assert.same({ 201, "Created", "text", "/p" },
      { answer.status, answer.reason, answer.body, answer.headers["X-New"] })
    assert.is_nil(answer.headers["X-Backend"])
    assert.same({ "a=1", "b=2" }, answer:values("Set-Cookie"))
  end)

  it("answers itself, and the connection goes on", function()
    local b = behind.asked('req:answer(418, { ["X-Tea"] = "pot", ["Content-Type"] = "text/x" }, "short")')
    local c = b.proxy:connect()
    for _ = 1, 2 do
      local answer = c:request { path = "/" }
      assert.same({ 418, "pot", "text/x", "short" },
        { answer.status, answer.headers["X-Tea"], answer.headers["Content-Type"], answer.body })
      assert.equal('tidelock; details="policy_answer"', answer.headers["Proxy-Status"])
    end
    assert.equal("", c:request({ method = "HEAD", path = "/" }).body)
    assert.equal(418, c:request({ path = "/" }).status)
    assert.equal(0, b.origin:count())
    loop.eventually(function()
      return cjson.decode(b.session:ok("STATS_GET", "r1")).requests == 4
    end)
  end)

  it("answers without a body where there is none", function()
    local c = behind.asked("req:answer(204)").proxy:connect()
    for _ = 1, 2 do
      local answer = c:request { path = "/" }
      assert.same({ 204, "" }, { answer.status, answer.body })
      assert.is_nil(answer.headers["Content-Length"])
    end
  end)

  it("hands a text from the request to the response, for each request its own", function()
    local b = behind.own([[
      on_request = function(req) req:keep(req:path()) end,
      on_response = function(res, req) res:set_header("X-Kept", res:kept() .. req:kept()) end]])
    local first, second = b.proxy:connect(), b.proxy:connect()
    first:send_request { path = "/1" }
    second:send_request { path = "/2" }
    assert.equal("/2/2", second:receive().headers["X-Kept"])
    assert.equal("/1/1", first:receive().headers["X-Kept"])
  end)

  it("tags the access log", function()
    local b = behind.asked('req:tag("tenant", "a b") req:tag("n", 7)', nil, {
      config = { access_log = { format = "json" } },
    })
    b:get("/")
    loop.eventually(function()
      local line = b.proxy:access_log()[1]
      return line and line.tag_tenant == "a b" and line.tag_n == "7"
    end)
  end)

  it("says whom the rate limit counts", function()
    local b = behind.asked('req:rate_key(req:header("X-Key"))')
    b.session:ok("RATELIMIT_SET", "r1", 1, "1h")
    b.session:ok("CONFIG_APPLY")
    local function status(key) return b:get("/", { headers = { ["X-Key"] = key } }).status end
    assert.same({ 200, 429, 200, 429 }, { status("a"), status("a"), status("b"), status("b") })
  end)

  it("is asked once, also when the request is tried again", function()
    local b = behind.asked('req:set_header("X-Count", tostring(req:header("X-Count")) .. "+")')
    local other = b:join("two")
    b.origin:kill()
    for _ = 1, 4 do
      assert.equal(200, b:get("/").status)
    end
    for _, request in ipairs(other.requests) do
      assert.equal("nil+", request.headers["X-Count"])
    end
  end)

  it("holds for static routes of the configuration", function()
    local scripts = behind.scripts { own = [[return { summary = "", on_request = function(req)
      req:answer(200, nil, req:arg("text")) end }]] }
    local p = proxy.start { workers = 1, scripts = scripts, config = { routes = {
      { domains = "*", path = "/", backend_url = "http://127.0.0.1:1",
        options = { policy = "own", policy_args = "text=static" } },
    } } }
    assert.equal("static", p:get("/").body)
  end)

  it("is the same on all workers while configurations come and go", function()
    local b = behind.own([[on_request = function(req) req:keep(req:path()) end,
      on_response = function(res) res:set_header("X-Kept", res:kept()) end]], nil, { workers = 4 })
    local kept = {}
    for i = 1, 20 do
      kept[i] = b.proxy:connect()
      kept[i]:send_request { path = "/" .. i }
      b.session:ok("OPTIONS_SET", "r1", "retries", i)
      b.session:ok("CONFIG_APPLY")
    end
    for i = 1, 20 do
      assert.equal("/" .. i, kept[i]:receive().headers["X-Kept"])
      assert.equal("/again", kept[i]:request({ path = "/again" }).headers["X-Kept"])
    end
  end)

  it("has a say about the proxy's own answers", function()
    local b = behind.answered([[
      assert(res:is_own() and res:verdict() == "connect_refused" and res:member() == nil)
      res:set_body("sorry", "text/x-sorry")]])
    b.origin:kill()
    local answer = b:get("/")
    assert.same({ 502, "sorry", "text/x-sorry" }, { answer.status, answer.body, answer.headers["Content-Type"] })
    assert.truthy(answer.headers["Proxy-Status"]:find("connection_refused", 1, true))
  end)
end)

describe("members", function()
  --- Which of two members answer ten requests, as "one", "two" or "both"; else the refusal.
  local function who(body)
    local b = behind.asked(body)
    local other = b:join("two")
    local last
    for _ = 1, 10 do
      last = b:get("/")
    end
    if last.status ~= 200 then
      return last.headers["Proxy-Status"]
    end
    local one, two = b.origin:count() > 0, other:count() > 0
    return one and two and "both" or one and "one" or "two", b, other
  end

  local cases = {
    [""] = "both",
    ['req:use("two")'] = "two",
    ['req:use("one") req:use("two")'] = "both",
    ['req:avoid("two")'] = "one",
    ['req:avoid("one") req:avoid("two")'] = "both",
    ['req:only("two")'] = "two",
    ['req:exclude("one")'] = "two",
    ['req:use("none")'] = "both",
    ['req:only("none")'] = 'tidelock; error=destination_unavailable; details="policy_excluded"',
    ['req:exclude("r1")'] = 'tidelock; error=destination_unavailable; details="policy_excluded"',
  }
  for body, expected in pairs(cases) do
    it(("answer %s after %s"):format(expected, body), function()
      assert.equal(expected, (who(body)))
    end)
  end

  it("that are rather used are left when they fail", function()
    local _, b, other = who('req:use("two")')
    other:kill()
    assert.equal(200, b:get("/").status)
  end)

  it("alone may answer who is the only one", function()
    local _, b, other = who('req:only("two")')
    other:kill()
    assert.equal(502, b:get("/").status)
  end)
end)
