local heads = require("spec.unit.http.heads")

describe("a trailer section", function()
  it("is its fields", function()
    local fields = heads.trailers("Digest: a=b\r\nX-Time:  5 \r\n\r\n")
    assert.equal(2, #fields)
    assert.equal("Digest", fields[1].name)
    assert.equal("a=b", fields[1].value)
    assert.equal("5", fields[2].value)
    assert.is_false(fields[1].hop_by_hop)
  end)

  it("may be empty", function()
    assert.same({}, heads.trailers("\r\n"))
  end)

  it("marks what may not be a trailer, and takes no sense from it", function()
    local fields = heads.trailers("Host: a b\r\nTransfer-Encoding: gzip\r\nContent-Type: c\r\n"
      .. "Authorization: d\r\nConnection: close\r\nDigest: e\r\n\r\n")
    local marked = {}
    for i, field in ipairs(fields) do
      marked[i] = field.hop_by_hop
    end
    assert.same({ true, true, true, true, true, false }, marked)
  end)

  it("leaves the rest of the head alone", function()
    local unit = require("spec.support.unit")
    local ffi, lib = unit.ffi, heads.lib
    local head, err = ffi.new("struct http_head"), ffi.new("const char *[1]")
    local limits = ffi.new("struct http_limits", { 1000, 10, 1000 })
    head.status, head.minor, head.content_length, head.field_count = 200, 1, 7, 5
    assert.equal(lib.PARSE_DONE, lib.http_parse_trailers(head, unit.slice("A: b\r\n\r\n"), limits, err))
    assert.equal(200, head.status)
    assert.equal(1, head.minor)
    assert.equal(7, tonumber(head.content_length))
    assert.equal(1, head.field_count)
  end)

  for name, text in pairs({
    ["bytes behind the empty line"] = "A: b\r\n\r\nC",
    ["a missing empty line"] = "A: b\r\n",
    ["nothing at all"] = "",
    ["a bare LF"] = "A: b\n\r\n",
    ["white space before a colon"] = "A : b\r\n\r\n",
    ["a folded line"] = "A: b\r\n c\r\n\r\n",
    ["a control byte"] = "A: b\1\r\n\r\n",
    ["no colon"] = "A\r\n\r\n",
  }) do
    it("is refused for " .. name, function()
      local fields, result, sentence = heads.trailers(text)
      assert.is_nil(fields)
      assert.equal("bad", result)
      assert.is_true(#sentence > 0)
    end)
  end

  it("is held to the limits of a head", function()
    local _, result = heads.trailers("A: b\r\nC: d\r\n\r\n", { field_count = 1 })
    assert.equal("head too big", result)
    _, result = heads.trailers("A: b\r\nC: d\r\n\r\n", { head_size = 10 })
    assert.equal("head too big", result)
  end)
end)
