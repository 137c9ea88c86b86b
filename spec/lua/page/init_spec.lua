require("spec.lua.host")

local MARK = "\239\183\144"
local FACTS = { kind = "error", status = 404, name = "no_route", title = "Not Found", message = "Nothing here." }

local function nothing()
  return ""
end

describe("pages", function()
  local page

  before_each(function()
    package.loaded.page = nil
    page = require("page")
  end)

  --- Defines a script whose functions return what is given, or run it.
  local function define(bodies)
    local spec = { summary = "" }
    for _, format in ipairs({ "html", "json", "text" }) do
      local body = bodies[format]
      spec[format] = type(body) == "function" and body or function() return body or "" end
    end
    page.define("page.lua", spec)
  end

  it("without a script are none", function()
    assert.is_nil(page.render(FACTS, MARK))
  end)

  it("come from the script in the order HTML, JSON, text", function()
    define { html = "h", json = "{}", text = "t" }
    assert.same({ "h", "{}", "t" }, { page.render(FACTS, MARK) })
  end)

  it("get the facts, with texts of others made clean, and the mark as detail", function()
    local seen
    define { html = function(values) seen = values return "" end }
    page.render({ name = "maintenance", service = "a\255\n", reason = MARK, expected_end_ms = 1772548200999,
      retry_after = 300 }, MARK)
    assert.same({ name = "maintenance", service = "a\239\191\189 ", reason = "\239\191\189", detail = MARK,
      expected_end_ms = 1772548200999, expected_end = "2026-03-03T14:30:00Z", retry_after = 300 }, seen)
  end)

  it("of one format cannot change what another sees", function()
    define { html = function(values) values.name = "x" return values.name end,
      text = function(values) return values.name end }
    local _, _, text = page.render(FACTS, MARK)
    assert.equal("no_route", text)
    assert.equal("no_route", FACTS.name)
  end)

  it("may have the detail once, framed as the format has it", function()
    define { html = "<p>" .. MARK .. "</p>", json = '{"a":"' .. MARK .. '"}', text = "a\n" .. MARK .. "\n" }
    assert.has_no_error(function() page.render(FACTS, MARK) end)
  end)

  local WRONG = {
    ["page.lua: html returned a table instead of a text (page no_route)"] = { html = function() return {} end },
    ["page.lua: text returned a nil instead of a text (page no_route)"] = { text = function() end },
    ["page.lua: html returned 262145 bytes, at most 262144 are allowed (page no_route)"] =
      { html = ("x"):rep(262145) },
    ["page.lua: html uses the detail more than once (page no_route)"] = { html = MARK .. MARK },
    ["page.lua: json has to write the detail as a value of its own (page no_route)"] =
      { json = '{"a":"b ' .. MARK .. '"}' },
    ["page.lua: text has to write the detail as a line's end (page no_route)"] = { text = MARK },
  }
  for message, bodies in pairs(WRONG) do
    it("that are wrong are refused: " .. message, function()
      define(bodies)
      assert.has_error(function() page.render(FACTS, MARK) end, message)
    end)
  end

  it("of 256 KiB are not too long", function()
    define { html = ("x"):rep(262144) }
    assert.equal(262144, #page.render(FACTS, MARK))
  end)

  it("say Draining for a drain in text, whatever the script says", function()
    define { html = "h", text = "t" }
    local html, _, text = page.render({ name = "draining" }, MARK)
    assert.equal("h", html)
    assert.equal("Draining", text)
  end)

  local function good()
    return { summary = "", html = nothing, json = nothing, text = nothing }
  end

  local REFUSED = {
    ["page.lua: must return a table { summary = ..., html = ..., json = ..., text = ... }"] = 5,
    ["page.lua: html must be a function"] = { html = "<p>" },
    ["page.lua: summary must be a string"] = { summary = 5 },
    ["page.lua: unknown key xml"] = { xml = nothing },
  }
  for message, change in pairs(REFUSED) do
    it("are not made by a script that is not in order: " .. message, function()
      local spec = good()
      if type(change) == "table" then
        for key, value in pairs(change) do
          spec[key] = value
        end
      else
        spec = change
      end
      assert.has_error(function() page.define("page.lua", spec) end, message)
    end)
  end

  it("are defined while scripts load only", function()
    page.seal()
    assert.has_error(function() page.define("page.lua", good()) end)
  end)
end)
