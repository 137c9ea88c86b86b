require("spec.lua.host")

local cjson = require("cjson")
local escape = require("page.html").escape
local script = require("maintenance.page")
local unit = require("spec.support.unit")

local lib = unit.load("base/slice.h", "http/status.h", "guard/verdict.h", "config/page.h")
local MARK = unit.text(lib.page_detail_mark)

--- Everything the proxy can say: a page's facts for each verdict that has a status.
local function every_page()
  local list = {}
  for verdict = 0, lib.VERDICT_COUNT - 1 do
    local info = lib.verdict_table[verdict]
    if info.status ~= 0 then
      list[#list + 1] = {
        kind = verdict == lib.VERDICT_MAINTENANCE and "maintenance" or "error",
        status = info.status, name = unit.text(info.name), message = unit.text(info.text),
        title = unit.text(lib.http_status_reason(info.status)),
      }
    end
  end
  return list
end

--- Renders a page.
-- @return html, json (decoded), text
local function render(facts)
  package.loaded.page = nil
  local page = require("page")
  page.define("page.lua", script)
  local html, json, text = page.render(facts, MARK)
  return html, cjson.decode(json), text
end

local function maintenance(more)
  local facts = { kind = "maintenance", status = 503, name = "maintenance", title = "Service Unavailable",
    message = "This service is under maintenance." }
  for key, value in pairs(more or {}) do
    facts[key] = value
  end
  return facts
end

--- Opening tags without their closing ones, in order; void elements left out.
local function open_tags(html)
  local VOID = { meta = true, path = true }
  local stack = {}
  for close, name, rest in html:gsub("<style>.-</style>", ""):gmatch("<(/?)(%l[%l%d]*)([^>]*)>") do
    if close == "/" then
      assert.equal(name, table.remove(stack), "closes the wrong element")
    elseif not VOID[name] and rest:sub(-1) ~= "/" then
      stack[#stack + 1] = name
    end
  end
  return stack
end

describe("the page", function()
  it("of every verdict says status and reason in all formats, and closes what it opens", function()
    for _, facts in ipairs(every_page()) do
      local html, json, text = render(facts)
      assert.same({}, open_tags(html))
      assert.equal(facts.status, json.status)
      assert.equal(facts.name, json.error)
      assert.is_true(#text > 0 and #text < 1000)
      if facts.kind == "error" then
        assert.truthy(html:find("<h1>" .. facts.title .. "</h1>", 1, true))
        assert.truthy(html:find(tostring(facts.status), 1, true))
        assert.truthy(html:find(escape(facts.message), 1, true))
        assert.truthy(html:find(MARK, 1, true))
        assert.equal(facts.message, json.message)
        assert.equal(MARK, json.detail)
      end
    end
  end)

  it("is small and asks for nothing from elsewhere", function()
    for _, facts in ipairs(every_page()) do
      local html = render(facts)
      assert.is_true(#html < 8192)
      for _, foreign in ipairs({ "https?:", "src=", "url%(", "@import", "<script", "<link", " on%l+=" }) do
        assert.is_nil(html:find(foreign), foreign)
      end
    end
  end)

  it("is made for people: language, width, colours, motion, paper", function()
    local html = render(maintenance())
    for _, needed in ipairs({ '<html lang="en">', 'name="viewport"', "prefers-color-scheme: dark",
      "prefers-reduced-motion", "@media print", "<main>", "<h1>", "<title>", 'aria-hidden="true"' }) do
      assert.truthy(html:find(needed, 1, true), needed)
    end
  end)

  it("under maintenance says so, without more when nothing more is known", function()
    local html, json, text = render(maintenance())
    assert.truthy(html:find("maintenance", 1, true))
    assert.is_nil(html:find("<dl>", 1, true))
    assert.same({ cjson.null, cjson.null, cjson.null }, { json.service, json.reason, json.expected_end })
    assert.equal("This service is under maintenance.\n", text)
  end)

  it("under maintenance names service, reason and end when they are known", function()
    local html, json, text = render(maintenance { service = "shop", reason = "new disks",
      expected_end_ms = 1772548200000 })
    assert.truthy(html:find("<bdi>shop</bdi>", 1, true))
    assert.truthy(html:find("<bdi>new disks</bdi>", 1, true))
    assert.truthy(html:find('<time datetime="2026-03-03T14:30:00Z">14:30 UTC on 3 March 2026</time>', 1, true))
    assert.equal("shop", json.service)
    assert.equal("new disks", json.reason)
    assert.equal("2026-03-03T14:30:00Z", json.expected_end)
    assert.equal("shop is under maintenance.", json.message)
    assert.equal("shop is under maintenance.\nReason: new disks\nExpected back: 2026-03-03T14:30:00Z\n", text)
  end)

  it("under maintenance may know one thing alone", function()
    assert.truthy((render(maintenance { reason = "why" })):find("why", 1, true))
    assert.truthy((render(maintenance { expected_end_ms = 0 })):find("00:00 UTC on 1 January 1970", 1, true))
  end)

  local HOSTILE = {
    "</title><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x", "&lt;b&gt;", "{{detail}}",
    '","status":200,"x":"', "\\", "a\nb\r\nSet-Cookie: x", "\0\1\255\254", "%s%d%1", MARK, MARK .. MARK,
    "\226\128\174gnihsif", ("x"):rep(10000), "]]><!--",
  }
  for _, name in ipairs(HOSTILE) do
    it("keeps a service's text a text: " .. ("%q"):format(name):sub(1, 40), function()
      local html, json, text = render(maintenance { service = name, reason = name })
      assert.same({}, open_tags(html))
      assert.is_nil(html:find("<script", 1, true))
      assert.is_nil(html:find("<img", 1, true))
      assert.is_nil(html:find("'", html:find("</style>", 1, true), true))
      assert.is_nil(html:find(MARK, 1, true))
      assert.equal(503, json.status)
      assert.equal("maintenance", json.error)
      assert.equal(2, select(2, text:gsub("\n", "")))
      assert.equal(json.reason, text:match("Reason: (.*)\n$"))
    end)
  end
end)
