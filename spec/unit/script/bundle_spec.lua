local sys = require("spec.support.sys")
local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("base/error.h", "script/bundle.h")

--- A directory with these scripts; a health policy comes along.
local function directory(files)
  local dir = sys.temp_dir()
  finally(function() os.execute("rm -rf " .. dir) end)
  os.execute(("mkdir -p %s/commands %s/health"):format(dir, dir))
  for path, text in pairs(files) do
    os.execute(("mkdir -p %s/%s"):format(dir, path:match("^(.*)/")))
    sys.write_file(dir .. "/" .. path, text)
  end
  return dir
end

--- Reads a directory; nil and the reason when it is refused.
local function read(dir)
  local err = ffi.new("struct error")
  local bundle = lib.bundle_read(dir, err)
  if bundle == nil then
    return nil, ffi.string(err.text)
  end
  return ffi.gc(bundle, lib.bundle_unref)
end

local function paths(bundle)
  local list = {}
  for i = 0, bundle.count - 1 do
    list[i + 1] = ffi.string(bundle.files[i].path)
  end
  return list
end

local SCRIPTS = {
  ["commands/b.lua"] = "b", ["commands/a.lua"] = "a", ["health/default.lua"] = "", ["hooks/authorize.lua"] = "h",
  ["maintenance/page.lua"] = "m", ["policies/p.lua"] = "p",
}

describe("a bundle", function()
  it("has all scripts, sorted, and nothing else", function()
    local dir = directory(SCRIPTS)
    for _, other in ipairs({ "commands/c.txt", "commands/.hidden.lua", "hooks/other.lua", "maintenance/x.lua" }) do
      sys.write_file(dir .. "/" .. other, "x")
    end
    assert.same({ "commands/a.lua", "commands/b.lua", "health/default.lua", "hooks/authorize.lua",
      "maintenance/page.lua", "policies/p.lua" }, paths(read(dir)))
  end)

  it("finds a script by its path", function()
    local bundle = read(directory(SCRIPTS))
    local file = lib.bundle_find(bundle, "policies/p.lua")
    assert.equal("p", ffi.string(file.text, file.len))
    assert.is_true(lib.bundle_find(bundle, "policies/q.lua") == nil)
  end)

  it("keeps its texts whatever becomes of the files", function()
    local dir = directory(SCRIPTS)
    local bundle = read(dir)
    sys.write_file(dir .. "/commands/a.lua", "changed")
    local file = lib.bundle_find(bundle, "commands/a.lua")
    assert.equal("a", ffi.string(file.text, file.len))
  end)

  it("is equal to another exactly when files and texts are", function()
    local one = read(directory(SCRIPTS))
    local changes = {
      { "commands/a.lua", "A" }, { "commands/a.lua", "aa" }, { "commands/c.lua", "" }, { "commands/a.lua", "a\0" },
    }
    assert.is_true(lib.bundle_equal(one, read(directory(SCRIPTS))))
    for _, change in ipairs(changes) do
      local dir = directory(SCRIPTS)
      sys.write_file(dir .. "/" .. change[1], change[2])
      assert.is_false(lib.bundle_equal(one, read(dir)))
    end
    local dir = directory(SCRIPTS)
    os.remove(dir .. "/commands/a.lua")
    sys.write_file(dir .. "/commands/z.lua", "a")
    assert.is_false(lib.bundle_equal(one, read(dir)))
  end)

  it("needs commands and health policies, each with a script", function()
    local dir = directory { ["commands/a.lua"] = "" }
    assert.same({ nil, "health: there are no scripts in it" }, { read(dir) })
    os.execute("rmdir " .. dir .. "/health")
    assert.same({ nil, "health: No such file or directory" }, { read(dir) })
    assert.same({ nil, "commands: No such file or directory" }, { read(dir .. "/nothing") })
  end)

  it("lives until its last reference is given back", function()
    local bundle = lib.bundle_read(directory(SCRIPTS), ffi.new("struct error"))
    assert.equal(2, lib.bundle_ref(bundle).refs)
    lib.bundle_unref(bundle)
    assert.equal(1, bundle.refs)
    lib.bundle_unref(bundle)
  end)
end)

describe("an error of a script", function()
  local function named(text)
    local err = ffi.new("struct error")
    ffi.copy(err.text, text)
    lib.bundle_name_error("commands/a.lua", err)
    return ffi.string(err.text)
  end

  it("begins with the path once", function()
    assert.equal("commands/a.lua:3: no", named("commands/a.lua:3: no"))
    assert.equal("commands/a.lua: not enough memory", named("not enough memory"))
    assert.equal("commands/a.lua: commands/a.luax", named("commands/a.luax"))
  end)

  it("is cut when it gets too long", function()
    assert.equal(255, #named(("x"):rep(255)))
  end)
end)
