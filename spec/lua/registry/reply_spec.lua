require("spec.lua.host")
local reply = require("registry.reply")

describe("reply.line", function()
  it("joins word and fields", function()
    assert.equal("OK", reply.line(reply.ok("OK")))
    assert.equal("ROUTE_OK|r1", reply.line(reply.ok("ROUTE_OK", "r1")))
  end)

  it("puts the transaction id first", function()
    assert.equal("OK|txn-7", reply.line(reply.ok("OK"), "txn-7"))
    assert.equal("ROUTE_OK|txn-7|r1", reply.line(reply.ok("ROUTE_OK", "r1"), "txn-7"))
  end)

  it("writes JSON as the last field", function()
    assert.equal('LIST_OK|["a"]', reply.line(reply.json("LIST_OK", { "a" })))
  end)

  it("takes lines of 64 KiB with their newline, and no longer ones", function()
    local answer = reply.ok("X", ("a"):rep(65535 - 2))
    assert.equal(65535, #assert(reply.line(answer)))
    answer = reply.ok("X", ("a"):rep(65535 - 1))
    assert.same({ [2] = "response too large" }, { reply.line(answer) })
  end)

  it("advises to compress what can be compressed", function()
    local answer = reply.json("X", { ("a"):rep(70000) })
    assert.same({ [2] = "response too large, use compressed" }, { reply.line(answer) })
  end)

  it("counts the transaction id in", function()
    local answer = reply.ok("X", ("a"):rep(65535 - 2))
    assert.is_nil(reply.line(answer, "txn-7"))
  end)

  it("takes compressed answers up to 1 MiB", function()
    local answer = reply.ok("X", ("a"):rep(1048575 - 2))
    answer.compressed = true
    assert.equal(1048575, #assert(reply.line(answer)))
    answer = reply.ok("X", ("a"):rep(1048575 - 1))
    answer.compressed = true
    assert.same({ [2] = "response too large" }, { reply.line(answer) })
  end)
end)

describe("reply.error", function()
  it("says the reason, behind the transaction id", function()
    assert.equal("ERROR|no", reply.error("no"))
    assert.equal("ERROR|txn-7|no", reply.error("no", "txn-7"))
  end)

  it("stays one line", function()
    assert.equal("ERROR|a b", reply.error("a\nb"))
  end)

  it("cuts long reasons between characters", function()
    local text = reply.error("x" .. ("\195\188"):rep(2000))
    assert.is_true(#text < 1100)
    assert.is_truthy(text:find("\195\188%.%.%.$"))
  end)
end)
