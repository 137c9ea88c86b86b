local sys = require("spec.support.sys")

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"
local SANITIZERS = { asan = "-fsanitize=address,undefined -fno-sanitize-recover=all", tsan = "-fsanitize=thread" }
local FLAGS = "-std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror"

local seed = tonumber(os.getenv("TIDELOCK_SEED")) or os.time()

-- Builds the program against the library under test and runs it; freed memory is written over, so that who still uses
-- it finds nothing there. Returns its key=value lines as a table.
local function run(takes)
  local dir = sys.temp_dir()
  local sanitizer = SANITIZERS[BUILD:match("build%-(%a+)$") or ""] or ""
  local build = ("cc %s %s $(pkg-config --cflags luajit) -o %s/stress spec/unit/config/lease_stress.c -L%s -ltidelock "
    .. "-Wl,-rpath,$(realpath %s) -lev $(pkg-config --libs luajit) -pthread"):format(FLAGS, sanitizer, dir, BUILD, BUILD)
  local status = os.execute(("env -u LD_PRELOAD MALLOC_PERTURB_=165 ASAN_OPTIONS=detect_leaks=1 "
    .. "LSAN_OPTIONS=suppressions=spec/lsan.supp:print_suppressions=0 "
    .. "TSAN_OPTIONS=exitcode=99:suppressions=spec/tsan.supp sh -c '%s && timeout 120 %s/stress %d %d' >%s/out 2>&1")
    :format(build, dir, seed, takes, dir))
  local text, result = sys.read_file(dir .. "/out"), {}
  os.execute("rm -rf " .. dir)
  assert.equal(0, status, ("TIDELOCK_SEED=%d\n%s"):format(seed, text:sub(1, 4000)))
  for key, value in text:gmatch("([%w_]+)=(%d+)\n") do
    result[key] = tonumber(value)
  end
  return result
end

describe("snapshots, published while four workers take and give back holds", function()
  local result

  setup(function()
    result = run(20000)
  end)

  it("are as they were for whoever holds them, also when a newer one has come", function()
    -- The program checks it at every hold; here, that there were such.
    assert.is_true(result.takes >= 20000)
    assert.is_true(result.outlived > 100, "outlived: " .. result.outlived)
    assert.is_true(result.generation > 20, "generation: " .. result.generation)
  end)

  it("are told of to everybody who asked for one", function()
    assert.is_true(result.asked > 1000)
    assert.equal(result.asked, result.told)
  end)

  it("are all given back in the end but for the newest, which each worker has", function()
    assert.equal(4 + 1, result.leases)
  end)
end)
