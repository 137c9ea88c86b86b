local cjson = require("cjson")
local control_thread = require("spec.unit.config.control_thread")
local snapshots = require("spec.unit.config.snapshots")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "guard/verdict.h", "config/page.h")
local snapshot_lib = snapshots.lib

local MARK = unit.text(lib.page_detail_mark)

--- A page of three bodies.
local function page_of(html, json, text)
  local bodies, keep = ffi.new("struct slice[?]", lib.PAGE_FORMATS), {}
  for i, body in ipairs({ html, json, text }) do
    keep[i] = unit.slice(body)
    bodies[i - 1] = keep[i]
  end
  local page = lib.page_new(bodies)
  assert(#keep == 3)
  return page
end

local function whole(page, format)
  return unit.text(page.body[format].whole)
end

--- A body with a detail, put together as a worker does.
local function with_detail(page, format, detail)
  local body, frame = page.body[format], lib.page_detail_frame[format]
  return unit.text(body.before) .. unit.text(frame.open) .. detail .. unit.text(frame.close) .. unit.text(body.after)
end

describe("page", function()
  local page

  before_each(function()
    control_thread.enter()
    page = nil
  end)

  after_each(function()
    lib.page_unref(page)
    control_thread.leave()
  end)

  it("without a detail has neither mark nor frame", function()
    page = page_of("<p>" .. MARK .. "</p>", '{"detail":"' .. MARK .. '"}', "a\n" .. MARK .. "\nb\n")
    assert.equal("<p></p>", whole(page, lib.PAGE_HTML))
    assert.equal('{"detail":null}', whole(page, lib.PAGE_JSON))
    assert.equal("a\nb\n", whole(page, lib.PAGE_TEXT))
  end)

  it("with a detail has it in its place", function()
    page = page_of("<p>" .. MARK .. "</p>", '{"detail":"' .. MARK .. '"}', "a\n" .. MARK .. "\nb\n")
    assert.equal("<p>bare CR</p>", with_detail(page, lib.PAGE_HTML, "bare CR"))
    assert.equal('{"detail":"bare CR"}', with_detail(page, lib.PAGE_JSON, "bare CR"))
    assert.equal("a\nbare CR\nb\n", with_detail(page, lib.PAGE_TEXT, "bare CR"))
  end)

  it("may have the place at either end, or nothing else", function()
    page = page_of(MARK, '"' .. MARK .. '"', MARK .. "\n")
    assert.equal("x", with_detail(page, lib.PAGE_HTML, "x"))
    assert.equal('"x"', with_detail(page, lib.PAGE_JSON, "x"))
    assert.equal("x\n", with_detail(page, lib.PAGE_TEXT, "x"))
    assert.equal("", whole(page, lib.PAGE_HTML))
  end)

  it("without a place for a detail is the same with and without", function()
    page = page_of("a", "{}", "")
    for format = 0, lib.PAGE_FORMATS - 1 do
      assert.is_nil(unit.text(page.body[format].after))
    end
    assert.equal("a", whole(page, lib.PAGE_HTML))
    assert.equal("{}", whole(page, lib.PAGE_JSON))
    assert.equal("", whole(page, lib.PAGE_TEXT))
  end)

  it("keeps its own copy, of any size and with any bytes", function()
    local html = ("\0<html>"):rep(40000)
    page = page_of(html, "{}", "a")
    html = nil -- luacheck: ignore
    collectgarbage()
    assert.equal(("\0<html>"):rep(40000), whole(page, lib.PAGE_HTML))
  end)
end)

describe("a built-in page", function()
  before_each(control_thread.enter)
  after_each(control_thread.leave)

  it("says status and reason in all formats, with and without a detail, for every verdict that has a status", function()
    for verdict = 0, lib.VERDICT_COUNT - 1 do
      local info = lib.verdict_table[verdict]
      if info.status ~= 0 then
        local page, text = lib.page_builtin(verdict), unit.text(info.text)
        assert.truthy(whole(page, lib.PAGE_HTML):find("<p>" .. text .. "</p>", 1, true))
        assert.truthy(with_detail(page, lib.PAGE_HTML, "detail"):find("<p>detail</p>", 1, true))
        local json = cjson.decode(whole(page, lib.PAGE_JSON))
        assert.equal(info.status, json.status)
        assert.equal(unit.text(info.name), json.error)
        assert.equal(text, json.message)
        assert.equal(cjson.null, json.detail)
        assert.equal("detail", cjson.decode(with_detail(page, lib.PAGE_JSON, "detail")).detail)
        lib.page_unref(page)
      end
    end
  end)

  it("of a drain is one word in text, and text is its default", function()
    local page = lib.page_builtin(lib.VERDICT_DRAINING)
    assert.equal("Draining", whole(page, lib.PAGE_TEXT))
    assert.equal(lib.PAGE_TEXT, tonumber(lib.page_default_format(lib.VERDICT_DRAINING)))
    assert.equal(lib.PAGE_HTML, tonumber(lib.page_default_format(lib.VERDICT_MAINTENANCE)))
    lib.page_unref(page)
  end)
end)

describe("a book of pages", function()
  before_each(control_thread.enter)
  after_each(control_thread.leave)

  it("has a page for every verdict that has a status, and takes others in their place", function()
    local book = lib.page_book_new()
    for verdict = 0, lib.VERDICT_COUNT - 1 do
      assert.equal(lib.verdict_table[verdict].status ~= 0, book.page[verdict] ~= nil)
    end
    local own = ffi.new("struct page *[1]", page_of("own", "{}", "own"))
    lib.page_book_put(book, lib.VERDICT_NO_ROUTE, own)
    assert.is_true(own[0] == nil)
    assert.equal("own", whole(book.page[lib.VERDICT_NO_ROUTE], lib.PAGE_HTML))
    lib.page_book_unref(book)
  end)

  it("lives as long as a snapshot has it; a snapshot without one has a built-in one", function()
    local settings, book = snapshot_lib.settings_new(), lib.page_book_new()
    local atlas = snapshot_lib.atlas_new()
    local snapshot = snapshot_lib.atlas_commit(atlas, settings, book)
    assert.equal(2, book.refs)
    assert.equal(book, ffi.cast("struct page_book *", snapshot.pages))
    snapshot_lib.snapshot_free(snapshot)
    assert.equal(1, book.refs)
    lib.page_book_unref(book)

    snapshot = snapshot_lib.atlas_commit(atlas, settings, nil)
    assert.is_true(snapshot.pages ~= nil)
    snapshot_lib.snapshot_free(snapshot)
    snapshot_lib.atlas_free(atlas)
    snapshot_lib.settings_unref(settings)
  end)
end)
