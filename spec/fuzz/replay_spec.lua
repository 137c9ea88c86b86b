local sys = require("spec.support.sys")

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"
local HERE = "spec/fuzz/"

local function files(target)
  return sys.lines(("ls %scorpus/%s/* %sregressions/%s/* 2>/dev/null"):format(HERE, target, HERE, target))
end

local targets = sys.lines(("%s/fuzz-replay"):format(BUILD))

describe("what fuzzing starts from and has found", function()
  for _, target in ipairs(targets) do
    it("holds for " .. target, function()
      local inputs, out = files(target), sys.temp_dir() .. "/out"
      assert.is_true(#inputs >= 4, "hardly any inputs")
      local status = os.execute(("env -u LD_PRELOAD %s/fuzz-replay %s %s >%s 2>&1"):format(
        BUILD, target, table.concat(inputs, " "), out))
      local said = sys.read_file(out)
      os.execute("rm -rf " .. out:match("^(.*)/out$"))
      assert.equal(0, status, said:sub(-2000))
      -- Each file was run, and nothing else was said.
      assert.equal(table.concat(inputs, "\n") .. "\n", said)
    end)
  end

  it("belongs to a target that there is", function()
    local known = {}
    for _, target in ipairs(targets) do
      known[target] = true
    end
    assert.is_true(#targets > 0)
    for _, dir in ipairs(sys.lines(("ls -d %scorpus/* %sregressions/*"):format(HERE, HERE))) do
      assert.is_true(known[dir:match("[^/]+$")], dir)
    end
  end)

  it("is noticed when it does not hold", function()
    local status = os.execute(("env -u LD_PRELOAD %s/fuzz-replay no_such_target x >/dev/null 2>&1"):format(BUILD))
    assert.are_not.equal(0, status)
  end)
end)
