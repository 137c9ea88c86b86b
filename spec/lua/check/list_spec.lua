local list = dofile("lua/check/list.lua")

describe("a comma separated list", function()
  for text, parts in pairs {
    ["a"] = { "a" }, ["a,b"] = { "a", "b" }, [" a , b\t"] = { "a", "b" }, [""] = { "" }, ["a,"] = { "a", "" },
    [",a"] = { "", "a" }, [" , "] = { "", "" }, ["a b,c"] = { "a b", "c" },
  } do
    it(("of %q has its parts, trimmed"):format(text), function()
      assert.same(parts, list.split(text))
    end)
  end

  it("takes no longer for white space in the middle", function()
    local from = os.clock()
    local text = "a" .. (" "):rep(16000) .. "b"
    assert.same({ text }, list.split(text))
    assert.is_true(os.clock() - from < 0.1) -- the square of its length took 0.6 s
  end)
end)
