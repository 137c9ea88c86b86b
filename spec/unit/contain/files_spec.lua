local child = require("spec.support.child")
local sys = require("spec.support.sys")

local START = [[
local lib = unit.load("contain/files.h")
ffi.cdef [=[
void identity_close(bool core);
int open(const char *path, int flags, ...);
int truncate(const char *path, long size);
int mkdir(const char *path, unsigned mode);
int unlink(const char *path);
int execv(const char *path, char *const argv[]);
]=]
local set = lib.files_open()
if set < 0 then
  say("none", set)
  os.exit(0)
end
local READ, WRITE, CREATE = 0, 1, 0x40 + 1
local function enforce()
  lib.identity_close(false)
  say("enforced", lib.files_enforce(set))
end
local function try(name, path, flags)
  tried(name, ffi.C.open(path, flags or READ, ffi.cast("int", 384)))
end
]]

--- Runs the text in a directory with allowed/, log/, other/, each with a file; what it said, or nil without Landlock.
local function contained(text, prepare)
  local dir = sys.temp_dir()
  os.execute(("cd %s && mkdir allowed log other && for d in allowed log other; do echo x > $d/file; done"):format(dir))
  if prepare then
    os.execute(("cd %s && %s"):format(dir, prepare))
  end
  local output, code, signal, errors = child.run(START .. ("local dir = %q\n"):format(dir) .. text)
  os.execute("rm -rf " .. dir)
  assert.equal(0, code, ("%s %s %s"):format(signal, output, errors))
  local found = {}
  for name, result in output:gmatch("(%S+) (%S+)\n") do
    found[name] = result
  end
  if found.none then
    assert.is_truthy(found.none == "-38" or found.none == "-95", found.none)
    return nil
  end
  assert.equal("0", found.enforced)
  return found
end

describe("the rules for files", child.available and function()
  it("let what is allowed be read, also what comes later, and nothing else", function()
    local found = contained([[
      assert(lib.files_allow(set, dir .. "/allowed", lib.FILES_READ) == 0)
      enforce()
      try("inside", dir .. "/allowed/file")
      try("listed", dir .. "/allowed", 0x10000)
      try("outside", dir .. "/other/file")
      try("above", dir, 0x10000)
      try("around", dir .. "/allowed/../other/file")
      try("system", "/etc/passwd")
      try("made", dir .. "/allowed/new", CREATE)
      try("written", dir .. "/allowed/file", WRITE)
      tried("mkdir", ffi.C.mkdir(dir .. "/allowed/d", 448))
      tried("unlink", ffi.C.unlink(dir .. "/allowed/file"))]])
    if found then
      assert.equal("ok", found.inside)
      assert.equal("ok", found.listed)
      for _, name in ipairs({ "outside", "above", "around", "system", "made", "written", "mkdir", "unlink" }) do
        assert.equal("13", found[name], name) -- EACCES
      end
    end
  end)

  it("let a log be made and written anew, and nothing be deleted", function()
    local found = contained([[
      assert(lib.files_allow(set, dir .. "/log", lib.FILES_WRITE) == 0)
      enforce()
      try("made", dir .. "/log/new", CREATE)
      try("appended", dir .. "/log/file", 0x401)
      try("elsewhere", dir .. "/other/new", CREATE)
      tried("unlink", ffi.C.unlink(dir .. "/log/file"))]])
    if found then
      assert.equal("ok", found.made)
      assert.equal("ok", found.appended)
      assert.equal("13", found.elsewhere)
      assert.equal("13", found.unlink)
    end
  end)

  it("let a file be replaced, where it is and where its link leads", function()
    local found = contained([[
      assert(lib.files_allow_around(set, dir .. "/allowed/link", lib.FILES_READ) == 0)
      enforce()
      try("here", dir .. "/allowed/file")
      try("link", dir .. "/allowed/link")
      try("there", dir .. "/other/file")
      try("neither", dir .. "/log/file")]], "ln -s ../other/real allowed/link && echo y > other/real")
    if found then
      assert.equal("ok", found.here)
      assert.equal("ok", found.link)
      assert.equal("ok", found.there)
      assert.equal("13", found.neither)
    end
  end)

  it("pass over what is not there", function()
    local found = contained([[
      assert(lib.files_allow(set, dir .. "/nowhere/at/all", lib.FILES_READ) == 0)
      assert(lib.files_allow(set, dir .. "/allowed/file/below", lib.FILES_READ) == 0)
      enforce()
      try("inside", dir .. "/allowed/file")]])
    if found then
      assert.equal("13", found.inside)
    end
  end)

  it("let a single file be allowed without its neighbours", function()
    local found = contained([[
      assert(lib.files_allow(set, dir .. "/allowed/file", lib.FILES_READ) == 0)
      enforce()
      try("file", dir .. "/allowed/file")
      try("directory", dir .. "/allowed", 0x10000)]])
    if found then
      assert.equal("ok", found.file)
      assert.equal("13", found.directory)
    end
  end)

  it("let nothing be run, wherever it is", function()
    local found = contained([[
      assert(lib.files_allow(set, "/", lib.FILES_WRITE) == 0)
      enforce()
      tried("run", ffi.C.execv("/bin/true", ffi.new("char *[1]")))]])
    if found then
      assert.equal("13", found.run)
    end
  end)
end or function() end)
