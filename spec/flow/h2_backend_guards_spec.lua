-- Circuits, retries, counters, drains, maintenance: with h2c backends as with any.

local group = require("spec.support.group")
local h2 = require("spec.support.h2")
local h2_origin = require("spec.support.h2_origin")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")

local eventually = loop.eventually

-- Resets every stream, as long as sick.
local function resetting()
  local o
  o = h2_origin.start(function(c)
    for s in c.next_request, c do
      o.seen = o.seen + 1
      if o.sick then
        c:reset(s.id, 2)
      else
        c:respond(s.id, { body = "well" })
      end
    end
  end)
  o.seen, o.sick = 0, true
  return o
end

describe("a circuit of an h2c backend", function()
  it("opens after resets, and closes by a probe", function()
    local o = resetting()
    local g = group.start({ o.url }, { circuit = { 3, "100ms", 1 }, options = { retries = "0" } })
    for _ = 1, 3 do
      assert.equal(502, g:get("/", { method = "POST", body = "x" }).status)
    end
    assert.equal(503, g:get("/").status)
    assert.equal(3, o.seen)
    o.sick = false
    eventually(function() return g:get("/").body == "well" end)
    assert.equal("closed", g:circuit("r1").state)
  end)

  it("opens when the backend speaks no HTTP/2, or is not there", function()
    local plain = origin.raw(function(stream)
      stream:write("220 hello\r\n")
      stream:read_all()
    end)
    for _, url in ipairs { plain.url, origin.refusing_url() } do
      local g = group.start({ (url:gsub("^http", "h2c")) }, { circuit = { 2, "30s", 1 } })
      assert.equal(502, g:get("/").status)
      assert.equal(502, g:get("/").status)
      assert.equal(503, g:get("/").status)
    end
  end)
end)

describe("a retry", function()
  it("goes to another member after a reset, if the request may be sent twice", function()
    local sick, well = resetting(), h2_origin.serve(function() return { body = "other" } end)
    local g = group.start({ sick.url, well.url }, { options = { retries = "1" } })
    for _ = 1, 10 do
      assert.equal("other", g:get("/").body)
    end
    assert.is_true(sick.seen > 0)
    local statuses = {}
    for _ = 1, 10 do
      statuses[g:get("/", { method = "POST", body = "x" }).status] = true
    end
    assert.is_true(statuses[502])
  end)

  it("meets members of either version", function()
    local sick, well = resetting(), origin.start { body = "one" }
    local g = group.start({ sick.url, well.url }, { options = { retries = "1" } })
    for _ = 1, 10 do
      assert.equal("one", g:get("/").body)
    end
    local c = h2.connect(g.proxy.url, { authority = "a.test" })
    assert.equal("one", c:request({}).text)
  end)
end)

describe("counters of an h2c backend", function()
  it("tell connections from requests", function()
    local o = h2_origin.serve()
    local g = group.start { o.url }
    for _ = 1, 20 do
      g:get("/")
    end
    loop.soon(function()
      local stats, status = g:stats("r1"), g:status("r1")
      assert.same({ 20, 0, 1 }, { stats.requests, stats.errors, status.connects })
    end)
  end)
end)

describe("a drain", function()
  it("lets streams in flight end, and sends no more", function()
    local finish = false
    local o = h2_origin.start(function(c)
      for s in c.next_request, c do
        if s.request[":path"] == "/quick" then
          c:respond(s.id, {})
        else
          c:respond(s.id, { body = false })
          c:data(s.id, "first ")
          loop.spawn(function()
            eventually(function() return finish end)
            c:data(s.id, "last", true)
          end)
        end
      end
    end)
    local g = group.start { o.url }
    local c = h2.connect(g.proxy.url, { authority = "a.test" })
    local id = c:open {}
    c:wait(function() return c:stream_of(id).received == 6 end)
    g.session:ok("DRAIN_START", "10ms")
    eventually(function() return g:get("/quick").status == 503 end)
    finish = true
    assert.equal("first last", c:response(id).text)
  end)
end)

describe("a maintenance page", function()
  it("comes from an h2c page server", function()
    local o = h2_origin.serve(function()
      return { headers = { { "content-type", "text/html" } }, body = "back soon" }
    end)
    local g = group.start { origin.start().url }
    assert.equal(200, g:get("/").status)
    g.session:ok("MAINT_ENTER", "ALL", o.url .. "/page")
    eventually(function() return g:get("/").body == "back soon" end)
    local r = g:get("/")
    assert.same({ 503, "back soon" }, { r.status, r.body })
  end)
end)
