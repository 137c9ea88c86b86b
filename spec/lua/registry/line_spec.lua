require("spec.lua.host")
local line = require("registry.line")
local txn = require("registry.txn")

describe("line.take", function()
  it("gives a field and where the next one starts", function()
    assert.same({ "a", 3 }, { line.take("a|b", 1) })
    assert.same({ "b" }, { line.take("a|b", 3) })
    assert.same({ "", 2 }, { line.take("|b", 1) })
  end)

  it("gives an empty last field after a bar, and none after the end", function()
    assert.same({ "" }, { line.take("a|", 3) })
    assert.is_nil(line.take("a", nil))
  end)
end)

describe("line.split", function()
  it("splits at bars", function()
    assert.same({ "b", "", "c" }, line.split("a|b||c", 3, math.huge))
  end)

  it("leaves the rest to the last field", function()
    assert.same({ "b", "c|d|" }, line.split("a|b|c|d|", 3, 2))
    assert.same({ "b|c" }, line.split("b|c", 1, 1))
  end)

  it("gives nothing where nothing starts", function()
    assert.same({}, line.split("a", nil, 3))
  end)
end)

describe("txn.is", function()
  it("knows transaction ids by their start", function()
    for _, text in ipairs({ "txn-7", "txn_a", "txn:", "txn-" }) do
      assert.is_true(txn.is(text), text)
    end
  end)

  it("takes nothing else for one", function()
    for _, text in ipairs({ "txn", "txn7", "TXN-7", "atxn-7", "" }) do
      assert.is_false(txn.is(text), text)
    end
    assert.is_false(txn.is(nil))
  end)
end)
