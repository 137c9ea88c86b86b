local tree = require("spec.support.tree")

local COMPARISONS = { "slice_eq%f[%W_]", "slice_starts", "memcmp", "strn?cmp", "strcasecmp" }
local SECRET = { "registry_token", "bypass_secret", "%f[%w_]secret%f[^%w_]", "password" }

local function finds(line, patterns)
  for _, pattern in ipairs(patterns) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

describe("secrets", function()
  it("are compared by secret_equal alone, and freed by secret_free", function()
    local problems, equal, freed = {}, 0, 0
    for _, path in ipairs(tree.find("src -name '*.c'")) do
      tree.each_line(path, function(line, number)
        local secret = finds(line, SECRET)
        equal = equal + (line:find("secret_equal%(") and 1 or 0)
        freed = freed + (line:find("secret_free%(s%->") and 1 or 0)
        if path ~= "src/base/secret.c" and secret and (finds(line, COMPARISONS) or line:find("%f[%w_]free%(")) then
          problems[#problems + 1] = ("%s:%d: %s"):format(path, number, line)
        end
      end)
    end
    tree.report(problems)
    assert.is_true(equal >= 3 and freed >= 2, "nothing compares or frees a secret any more?")
  end)

  it("are in no line that is logged", function()
    local problems = {}
    for _, path in ipairs(tree.find("src -name '*.c'")) do
      tree.each_line(path, function(line, number)
        if line:find("session=%%s") or line:find("log_write") and finds(line, SECRET) then
          problems[#problems + 1] = ("%s:%d: %s"):format(path, number, line)
        end
      end)
    end
    tree.report(problems)
  end)
end)
