local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/accept.h")

local OFFER = { "text/html", "application/json", "text/plain" }

--- The type of OFFER that is chosen.
-- @param values list of the values of Accept fields
-- @param fallback the type that is taken when nothing decides; default: text/html
local function choose(values, fallback)
  local function slices(list)
    local array, keep = ffi.new("struct slice[?]", #list + 1), {}
    for i, text in ipairs(list) do
      keep[i] = unit.slice(text)
      array[i - 1] = keep[i]
    end
    return array, keep
  end
  local index = 0
  for i, type in ipairs(OFFER) do
    index = type == fallback and i - 1 or index
  end
  local array, keep = slices(values)
  local types, keep_types = slices(OFFER)
  local chosen = lib.accept_choose(array, #values, types, #OFFER, index)
  assert(keep and keep_types)
  return OFFER[chosen + 1]
end

describe("Accept", function()
  local HTML, JSON, TEXT = "text/html", "application/json", "text/plain"
  local CASES = {
    { "absent", {}, HTML },
    { "empty", { "" }, HTML },
    { "anything", { "*/*" }, HTML },
    { "one type", { "application/json" }, JSON },
    { "one type in another case", { "Application/JSON" }, JSON },
    { "one type with a parameter", { "application/json;charset=utf-8" }, JSON },
    { "a type that is not offered", { "image/png" }, HTML },
    { "a type that is not offered, and anything", { "image/png, */*;q=0.1" }, HTML },
    { "a kind of types", { "application/*" }, JSON },
    { "a kind of types with several offered", { "text/*" }, HTML },
    { "weights", { "text/html;q=0.5, text/plain;q=0.7, application/json;q=0.6" }, TEXT },
    { "weights with three digits", { "text/html;q=0.998, application/json;q=0.999" }, JSON },
    { "a weight of 1", { "text/html;q=0.9, application/json;q=1.000" }, JSON },
    { "a weight in capitals and white space", { "text/html ; Q=0.1 ,\ttext/plain ; q=0.2" }, TEXT },
    { "a weight of 0", { "text/html;q=0, */*" }, JSON },
    { "a weight of 0 for all", { "*/*;q=0" }, HTML },
    { "only what is not wanted", { "text/html;q=0" }, HTML },
    { "the exact range before the wide one",
      { "*/*;q=1, text/*;q=0.4, text/plain;q=0.9, application/json;q=0.5" }, TEXT },
    { "a wide range before its exact one", { "text/*;q=0.9, text/html;q=0.1, application/json;q=0.2" }, TEXT },
    { "equal weights: the exact one", { "*/*, application/json" }, JSON },
    { "equal weights: the first one", { "application/json, text/plain, */*" }, JSON },
    { "several fields", { "image/png", "text/plain;q=0.1", "application/json;q=0.2" }, JSON },
    { "a browser's", { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8" }, HTML },
    { "a quoted comma", { 'text/html;a="x,application/json";q=0.1, text/plain;q=0.2' }, TEXT },
    { "a quoted semicolon", { 'text/html;a="x;q=0.9";q=0.1, text/plain;q=0.2' }, TEXT },
    { "an escaped quote", { [[text/html;a="\",text/plain";q=0.1, application/json;q=0.2]] }, JSON },
    { "a quote without end", { 'application/json, text/plain;a="x, text/html' }, JSON },
    { "garbage", { ",;,/;q=,*,*/html,text,text/,/html,text/html/x,;;;,\\\"" }, HTML },
    { "garbage among types", { ";;, text/;q=1, application/json, =" }, JSON },
    { "malformed weights",
      { "text/plain;q=2, text/plain;q=.5, text/plain;q=0.1234, text/plain;q=-1, text/plain;q=1.1, " ..
        "text/plain;q=, text/plain;q=0x1, application/json;q=0.1" }, JSON },
  }
  for _, case in ipairs(CASES) do
    it("that is " .. case[1] .. " gives " .. case[3], function()
      assert.equal(case[3], choose(case[2]))
    end)
  end

  it("that decides nothing leaves the fallback", function()
    assert.equal(TEXT, choose({}, TEXT))
    assert.equal(TEXT, choose({ "*/*" }, TEXT))
    assert.equal(TEXT, choose({ "text/*" }, TEXT))
    assert.equal(TEXT, choose({ "image/png" }, TEXT))
    assert.equal(HTML, choose({ "text/html" }, TEXT))
    assert.equal(HTML, choose({ "text/html, */*;q=0.8" }, TEXT))
  end)

  it("of thousands of ranges is read to its end", function()
    assert.equal(JSON, choose { ("a/b;q=0.5,"):rep(1600) .. "application/json" })
  end)
end)
