local behind = require("spec.scripts.policies.behind")
local cjson = require("cjson")
local loop = require("spec.support.loop")
local proxy = require("spec.support.proxy")

local FAILURES_MAX = 5

local function stats(b)
  local all = cjson.decode(b.session:ok("STATS_GET", "r1"))
  return { all.policy_failures, all.policy_skipped }
end

describe("a request policy that fails", function()
  it("is logged with its traceback, and the request goes on as if there were none", function()
    local b = behind.own([[on_request = function(req) req:set_header("X-Half", "1") error("no luck") end,
      on_response = function(res) res:set_header("X-Response", "1") end]])
    local answer = b:get("/")
    assert.equal(200, answer.status)
    assert.is_nil(b:received().headers["X-Half"])
    assert.is_nil(answer.headers["X-Response"])
    b.proxy:wait_log("request policy failed.-policy=own.-(no luck).-stack traceback")
    assert.same({ 1, 0 }, stats(b))
  end)

  it("at the response leaves that as it came", function()
    local b = behind.answered([[res:set_header("X-Half", "1") res:set_status(500) res:set_header("Via", "x")]])
    local answer = b:get("/")
    assert.same({ 200, "ok" }, { answer.status, answer.body })
    assert.is_nil(answer.headers["X-Half"])
  end)

  it("at the policy's own answer leaves that", function()
    local b = behind.own([[on_request = function(req) req:answer(403, { ["X-A"] = "1" }, "no") end,
      on_response = function(res) res:set_body("half", "text/x") error("no luck") end]])
    local answer = b:get("/")
    assert.same({ 403, "no", "1" }, { answer.status, answer.body, answer.headers["X-A"] })
  end)

  it("and is closed lets nothing pass", function()
    local b = behind.own('fail = "closed", on_request = function() error("no luck") end')
    local answer = b:get("/")
    assert.equal(503, answer.status)
    assert.equal('tidelock; error=proxy_internal_error; details="policy_failed"', answer.headers["Proxy-Status"])
    assert.equal(0, b.origin:count())
  end)

  it("and is closed lets no response pass", function()
    local b = behind.own('fail = "closed", on_response = function() error("no luck") end')
    assert.equal(503, b:get("/").status)
    assert.equal(503, b:get("/").status)
  end)

  it("often is left alone", function()
    local b = behind.asked('if req:path() == "/bad" then error("no luck") end req:answer(204)')
    for _ = 1, FAILURES_MAX do
      assert.equal(200, b:get("/bad").status)
    end
    assert.equal(200, b:get("/good").status)
    assert.same({ FAILURES_MAX, 1 }, stats(b))
    b.proxy:wait_log("(request policy switched off)")
  end)

  it("as often as scripts_rollback says is left alone", function()
    local body = 'if req:path() == "/bad" then error("no luck") end req:answer(204)'
    local b = behind.asked(body, nil, { config = { scripts_rollback = { failures = 2 } } })
    for _ = 1, 2 do
      b:get("/bad")
    end
    assert.equal(200, b:get("/good").status)
    b = behind.asked(body, nil, { config = { scripts_rollback = { failures = 0 } } })
    for _ = 1, 20 do
      b:get("/bad")
    end
    assert.equal(204, b:get("/good").status)
  end)

  it("less often goes on", function()
    local b = behind.asked('if req:path() == "/bad" then error("no luck") end req:answer(204)')
    for _ = 1, FAILURES_MAX - 1 do
      b:get("/bad")
    end
    assert.equal(204, b:get("/good").status)
  end)

  it("and is closed stays so when it is left alone", function()
    local b = behind.own([[fail = "closed", on_request = function(req)
      if req:path() == "/bad" then error("no luck") end end]])
    for _ = 1, FAILURES_MAX do
      b:get("/bad")
    end
    assert.equal(503, b:get("/good").status)
    assert.equal(0, b.origin:count())
  end)

  local endless = {
    ["runs for ever"] = "while true do end",
    ["runs for ever inside pcall"] = "while true do pcall(function() while true do end end) end",
    ["takes too much memory"] = "local t = {} for i = 1, 1e8 do t[i] = { i } end",
    ["raises no text"] = "error({})",
  }
  for what, body in pairs(endless) do
    it("because it " .. what .. " is stopped, and the next request is served", function()
      local b = behind.asked(('if req:path() == "/bad" then %s end req:answer(204)'):format(body))
      local before = loop.now()
      assert.equal(200, b:get("/bad").status)
      assert.is_true(loop.now() - before < 2)
      loop.eventually(function() return b:get("/").status == 204 end) -- it may have to rest before
      assert.equal(1, stats(b)[1])
    end)
  end

  local wrong = {
    ['req:set_header("Content-Length", "5")'] = "the header Content%-Length is the proxy's own",
    ['req:set_header("Transfer-Encoding", nil)'] = "the header Transfer%-Encoding is the proxy's own",
    ['req:set_header("a b", "5")'] = "not a header name",
    ['req:set_header("A", "5\\r\\nB: 6")'] = "not a header value",
    ['req:set_path("x")'] = "not a path",
    ['req:set_path("/x y")'] = "not a path",
    ['req:set_query("a#b")'] = "not a query",
    ['req:set_host("a b")'] = "not a host",
    ['req:answer(99)'] = "from 200 to 599",
    ['req:answer(204, nil, "text")'] = "has no body",
    ['req:answer(200, nil, ("x"):rep(65537))'] = "a body may have 65536 bytes",
    ['req:answer(200, { 5 })'] = "headers of an answer are texts",
    ['req:tag("A B", "1")'] = "a tag's key",
    ['req.header("a")'] = "call it as a method of the request",
    ['req:source_in("10.0.0")'] = "not an address range",
    ['for i = 1, 33 do req:set_header("X-" .. i, "1") end'] = "may set 32 headers",
    ['req:keep(("x"):rep(8193))'] = "8192 bytes of text",
    ['local io = io'] = "undefined global: io",
    ['req.x = 5'] = "attempt to index",
  }
  for body, message in pairs(wrong) do
    it("because of " .. body .. " is told why", function()
      local b = behind.asked(body)
      assert.equal(200, b:get("/").status)
      b.proxy:wait_log("(" .. message .. ")")
    end)
  end

  it("because it decides too late is told so", function()
    local b = behind.answered('req:set_header("X", "1")')
    assert.equal(200, b:get("/").status)
    b.proxy:wait_log("(too late)")
  end)

  it("because there is no such script lets nothing pass", function()
    local p = proxy.start { workers = 1, config = { routes = {
      { domains = "*", path = "/", backend_url = "http://127.0.0.1:1", options = { policy = "none" } },
    } } }
    assert.truthy(p:get("/").headers["Proxy-Status"]:find("policy_failed", 1, true))
    p:wait_log("(request policy unknown)")
  end)
end)

describe("--check", function()
  local cases = {
    ["return 5"] = "policies/own.lua: must return a table",
    ["return { summary = '' }"] = "policies/own.lua: on_request or on_response is missing",
    ["return {\n} }"] = "policies/own.lua:2: ",
    ["return { summary = '', on_request = print, fail = 'half' }"] = "policies/own.lua: fail must be",
    ["return { summary = '', on_request = print, colour = 1 }"] = "policies/own.lua: unknown key colour",
    ["while true do end"] = "policies/own.lua:1: took longer than its 100 ms",
  }
  for text, message in pairs(cases) do
    it("names what is wrong with a policy that is " .. text:gsub("%c", " "), function()
      local code, _, err = proxy.run { "--check", "--scripts", behind.scripts { own = text } }
      assert.equal(1, code)
      assert.truthy(err:find(message, 1, true), err)
    end)
  end
end)
