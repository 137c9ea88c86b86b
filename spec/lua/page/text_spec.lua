local text = require("page.text")

local UNKNOWN = "\239\191\189"

describe("text for a page", function()
  it("stays as it is when it is UTF-8 in one line", function()
    for _, good in ipairs({ "", "plain <b>", "Caf\195\169", "\224\160\128\226\130\172\239\191\189", "\240\144\128\128",
      "\244\143\191\191", "\237\159\191\238\128\128" }) do
      assert.equal(good, text.clean(good))
    end
  end)

  it("has spaces for control characters", function()
    assert.equal("a b   c ", text.clean("a\0b\r\n\tc\127"))
  end)

  it("has a sign for every byte that is no character", function()
    local cases = {
      ["\255"] = 1, ["a\128b"] = 1, ["\195"] = 1, ["\192\175"] = 2, ["\224\159\191"] = 3, ["\237\160\128"] = 3,
      ["\244\144\128\128"] = 4, ["\245\128\128\128"] = 4, ["\226\130"] = 2,
    }
    for bad, count in pairs(cases) do
      local clean = text.clean(bad)
      assert.equal(count, select(2, clean:gsub(UNKNOWN, "")), ("%q"):format(bad))
      assert.equal((bad:gsub("[\128-\255]", "")), (clean:gsub(UNKNOWN, "")))
    end
  end)

  it("mends what is broken and leaves what is beside it", function()
    assert.equal("\195\169" .. UNKNOWN .. "\226\130\172", text.clean("\195\169\195\226\130\172"))
  end)

  it("cannot hold the mark that pages use", function()
    assert.equal("a" .. UNKNOWN .. "b", text.clean("a\239\183\144b"))
  end)
end)
