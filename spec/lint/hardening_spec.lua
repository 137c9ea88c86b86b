-- What the compiler and the linker were told to put in an attacker's way, read off the release build.

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"

local function output(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD LC_ALL=C " .. command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function readelf(options, name)
  local text = output(("readelf -W %s %s/%s"):format(options, BUILD, name or "libtidelock.so"))
  assert.is_falsy(text:find("readelf: Error"), text)
  return text
end

-- `make lint` builds the library alone; both are linked from the same objects by one rule.
local function there(name)
  local file = io.open(("%s/%s"):format(BUILD, name))
  return file and file:close()
end

local function each(check)
  for _, name in ipairs({ "libtidelock.so", "tidelock" }) do
    if there(name) then
      check(name)
    end
  end
end

describe("the program", function()
  it("may be loaded anywhere (PIE)", function()
    each(function(name)
      assert.is_truthy(readelf("-h", name):find("Type:%s+DYN"), name .. " has a fixed address")
    end)
    if there("tidelock") then
      assert.is_truthy(readelf("-d", "tidelock"):find("FLAGS_1.-PIE"))
    end
  end)

  it("has no table of functions that can be written to once it runs (full RELRO)", function()
    each(function(name)
      assert.is_truthy(readelf("-l", name):find("GNU_RELRO"), name .. ": no RELRO")
      assert.is_truthy(readelf("-d", name):find("BIND_NOW"), name .. ": resolves functions late")
    end)
  end)

  it("has a stack that is not executable, and no memory that is both written and executed", function()
    each(function(name)
      local segments = readelf("-l", name)
      assert.is_truthy(segments:find("GNU_STACK%s+%S+%s+%S+%s+%S+%s+%S+%s+%S+%s+RW%s"), name .. segments)
      for kind, flags in segments:gmatch("\n%s+(%u[%u%d_]+)%s+0x%x+%s+0x%x+%s+0x%x+%s+0x%x+%s+0x%x+%s+([RWE ]+)") do
        assert.is_falsy(flags:find("W") and flags:find("E"), ("%s: %s is %s"):format(name, kind, flags))
      end
      assert.is_falsy(readelf("-d", name):find("TEXTREL"), name .. ": code is relocated in place")
    end)
  end)

  it("can be told from every other build", function()
    each(function(name)
      assert.is_truthy(readelf("-n", name):find("Build ID: %x%x%x%x%x%x%x%x"), name .. " has no build id")
    end)
  end)

  it("names no directory in which its libraries would be looked for", function()
    each(function(name)
      assert.is_falsy(readelf("-d", name):find("R[UN]*PATH"), name)
    end)
  end)
end)

describe("the code", function()
  it("of every source was compiled with guarded and probed stacks, fit for a shadow stack", function()
    local flags = { "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=return" }
    local compilers = 0
    for producer in readelf("--string-dump=.debug_str"):gmatch("(GNU C%d+ [^\n]+)") do
      compilers = compilers + 1
      for _, flag in ipairs(flags) do
        assert.is_truthy(producer:find(flag, 1, true), ("no %s: %s"):format(flag, producer))
      end
    end
    assert.is_true(compilers > 0, "the build says nothing about how it was compiled")
  end)

  it("checks canaries, and the bounds of what libc writes", function()
    local symbols = readelf("--dyn-syms")
    assert.is_truthy(symbols:find("__stack_chk_fail"), "no stack protector")
    local checked = {}
    for name in symbols:gmatch("__([%l_]+)_chk") do
      checked[#checked + 1] = name
    end
    assert.is_true(#checked >= 4, "FORTIFY checks: " .. table.concat(checked, " "))
  end)
end)
