local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/accept_encoding.h")

local function slices(list)
  local array, keep = ffi.new("struct slice[?]", #list + 1), {}
  for i, text in ipairs(list) do
    keep[i] = unit.slice(text)
    array[i - 1] = keep[i]
  end
  return array, keep
end

--- The coding that is chosen, "-" for none.
local function choose(values, offers)
  offers = offers or { "zstd", "br", "gzip" }
  local array, keep = slices(values)
  local offered, keep_offered = slices(offers)
  local chosen = lib.accept_encoding_choose(array, #values, offered, #offers)
  assert(keep and keep_offered)
  return offers[chosen + 1] or "-"
end

describe("Accept-Encoding", function()
  local CASES = {
    { "absent", {}, "-" },
    { "empty", { "" }, "-" },
    { "one coding", { "gzip" }, "gzip" },
    { "one coding in another case", { "GZip" }, "gzip" },
    { "the old name of gzip", { "x-gzip" }, "gzip" },
    { "what browsers send", { "gzip, deflate, br" }, "br" },
    { "what newer browsers send", { "gzip, deflate, br, zstd" }, "zstd" },
    { "a coding that is not on offer", { "deflate" }, "-" },
    { "a coding whose name only starts like one", { "gzipped, brr" }, "-" },
    { "weights", { "zstd;q=0.5, br;q=0.6, gzip;q=0.7" }, "gzip" },
    { "weights that differ by a thousandth", { "zstd;q=0.998, br;q=0.999, gzip;q=0.998" }, "br" },
    { "equal weights", { "gzip;q=0.3, br;q=0.3" }, "br" },
    { "blanks around everything", { "  gzip ; q=0.5 ,\tbr ;q=0.4" }, "gzip" },
    { "a weight of 0", { "gzip;q=0" }, "-" },
    { "a weight of 0.000", { "gzip;q=0.000, br;q=0.001" }, "br" },
    { "anything", { "*" }, "zstd" },
    { "anything but one", { "*, zstd;q=0" }, "br" },
    { "nothing", { "*;q=0" }, "-" },
    { "one coding and nothing else", { "gzip, *;q=0" }, "gzip" },
    { "anything, a bit, and one more", { "*;q=0.1, gzip;q=0.2" }, "gzip" },
    { "identity", { "identity" }, "-" },
    { "identity, preferred", { "gzip;q=0.5, identity" }, "-" },
    { "identity, as good", { "gzip, identity" }, "gzip" },
    { "identity, second", { "gzip;q=0.9, identity;q=0.5" }, "gzip" },
    { "identity, refused", { "identity;q=0, gzip;q=0.001" }, "gzip" },
    { "identity, refused with all others", { "identity;q=0, *;q=0" }, "-" },
    { "identity, which anything does not weigh up", { "identity;q=0.5, *;q=0.4" }, "-" },
    { "identity that only a star speaks of", { "gzip;q=0.5, *;q=0.1" }, "gzip" },
    { "two fields", { "gzip;q=0.5", "br" }, "br" },
    { "two fields, the first of them empty", { "", "gzip" }, "gzip" },
    { "one coding twice", { "gzip, gzip;q=0, br;q=0.1" }, "br" },
    { "one coding twice, in two fields", { "gzip;q=0", "gzip" }, "-" },
    { "a weight above 1", { "gzip;q=1.001, br;q=0.1" }, "br" },
    { "a weight that is none", { "gzip;q=high, br;q=0.1" }, "br" },
    { "a weight with too many digits", { "gzip;q=0.9999, br;q=0.1" }, "br" },
    { "a negative weight", { "gzip;q=-1" }, "-" },
    { "an empty weight", { "gzip;q=" }, "-" },
    { "Q for q", { "gzip;Q=0.1, br;Q=0" }, "gzip" },
    { "a parameter that is no weight", { "gzip;level=9" }, "gzip" },
    { "empty elements", { ",, ,gzip,," }, "gzip" },
    { "a name that is no token", { "gz ip, b/r" }, "-" },
    { "a quote that is not closed", { "\"gzip, br" }, "-" },
  }
  for _, case in ipairs(CASES) do
    it("with " .. case[1], function()
      assert.equal(case[3], choose(case[2]))
    end)
  end

  it("knows no coding that is not on offer", function()
    assert.equal("gzip", choose({ "zstd, br, gzip;q=0.1" }, { "gzip" }))
    assert.equal("-", choose({ "zstd, br" }, { "gzip" }))
    assert.equal("-", choose({ "*" }, {}))
  end)

  it("follows the order of the offers where weights are equal", function()
    assert.equal("gzip", choose({ "zstd, br, gzip" }, { "gzip", "zstd", "br" }))
  end)
end)

describe("a list of media types", function()
  local types = unit.load("base/slice.h", "http/media_type.h")
  local patterns, keep = slices({ "text/*", "application/json", "+xml" })

  local function listed(text)
    return types.media_type_in(unit.slice(text), patterns, #keep)
  end

  it("holds types, kinds and syntaxes, in any case and with parameters", function()
    for _, text in ipairs({ "text/html", "TEXT/Plain; charset=utf-8", "text/event-stream", "application/json",
      "Application/JSON ;a=b", "image/svg+xml", "application/atom+XML; q" }) do
      assert.is_true(listed(text), text)
    end
  end)

  it("holds nothing else", function()
    for _, text in ipairs({ "", "text", "text/", "texts/html", "application/jsonp", "application/jso", "image/xml",
      "application/octet-stream", "x; text/html", "xml", " " }) do
      assert.is_false(listed(text), text)
    end
    assert.is_false(listed(nil))
  end)

  it("is made of patterns that mean something", function()
    for _, text in ipairs({ "text/*", "a/b", "+json", "application/vnd.x+json" }) do
      assert.is_true(types.media_type_is_pattern(unit.slice(text)), text)
    end
    for _, text in ipairs({ "", "*", "*/*", "text", "text/", "/x", "+", "a b/c", "text/html; charset=x" }) do
      assert.is_false(types.media_type_is_pattern(unit.slice(text)), text)
    end
  end)
end)
