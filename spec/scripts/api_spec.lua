local api = require("spec.docs.api")
local api_examples = require("spec.scripts.api_examples")

describe("the examples of scripts/API.md", function()
  for _, section in ipairs(api.sections()) do
    it("all run: " .. section.title, function()
      local code, out, err = api_examples.run(section)
      local passed = tonumber(out:match("(%d+) passed, 0 failed"))
      assert.equal("0 " .. #section.entries, code .. " " .. tostring(passed), out .. err)
    end)
  end
end)
