local child = require("spec.support.child")

-- The numbers are x86-64's.
local START = [[
local lib = unit.load("contain/syscalls.h")
ffi.cdef [=[
typedef unsigned uid_t; typedef unsigned gid_t;
struct error { char text[256]; };
void identity_close(bool core);
int socket(int family, int type, int protocol);
void *mmap(void *at, size_t size, int protection, int flags, int fd, long offset);
int mprotect(void *at, size_t size, int protection);
int execv(const char *path, char *const argv[]);
int pthread_create(unsigned long *thread, void *attributes, void *(*run)(void *), void *arg);
int pthread_join(unsigned long thread, void **result);
int getpid(void); int getppid(void);
]=]
lib.identity_close(false)
say("filter", lib.syscalls_restrict())
]]

local function lines(text)
  local found = {}
  for name, result in text:gmatch("(%S+) (%S+)\n") do
    found[name] = result
  end
  return found
end

--- Does the call end the process as hostile?
local function is_fatal(call)
  local output, code, signal = child.run(START .. call .. "\nsay('alive', 1)")
  return lines(output).filter == "0" and code == nil and signal == "SYS" and not output:find("alive")
end

describe("the filter of system calls", child.available and function()
  it("lets sockets of IPv4 and IPv6 be made, and no others", function()
    local found = lines((child.run(START .. [[
      for _, family in ipairs({ 0, 1, 2, 3, 10, 16, 17, 38, 40, 44 }) do
        tried("family" .. family, ffi.C.socket(family, 1, 0))
      end]])))
    assert.equal("0", found.filter)
    assert.equal("ok", found.family2)
    assert.equal("ok", found.family10)
    for _, family in ipairs({ 0, 1, 3, 16, 17, 38, 40, 44 }) do
      assert.equal("97", found["family" .. family], "family " .. family) -- EAFNOSUPPORT
    end
  end)

  it("lets nothing become executable", function()
    local found = lines((child.run(START .. [[
      local at = ffi.C.mmap(nil, 4096, 3, 0x22, -1, 0)
      tried("data", ffi.cast("intptr_t", at))
      tried("code", ffi.cast("intptr_t", ffi.C.mmap(nil, 4096, 7, 0x22, -1, 0)))
      tried("later", ffi.C.mprotect(at, 4096, 5))]])))
    assert.equal("ok", found.data)
    assert.equal("13", found.code) -- EACCES
    assert.equal("13", found.later)
  end)

  it("answers calls it does not know as a kernel that does not have them", function()
    local found = lines((child.run(START .. [[
      tried("mkdir", ffi.C.syscall(83, "/tmp/never", ffi.cast("int", 448)))
      tried("unlink", ffi.C.syscall(87, "/tmp/never"))
      tried("rename", ffi.C.syscall(82, "/tmp/never", "/tmp/ever"))
      tried("socketpair", ffi.C.syscall(53, ffi.cast("int", 1), ffi.cast("int", 1), ffi.cast("int", 0), nil))
      tried("newest", ffi.C.syscall(9999))]])))
    for _, name in ipairs({ "mkdir", "unlink", "rename", "socketpair", "newest" }) do
      assert.equal("38", found[name], name) -- ENOSYS
    end
  end)

  it("lets it signal itself, and nobody else", function()
    local found = lines((child.run(START .. [[
      tried("self", ffi.C.syscall(62, ffi.cast("long", ffi.C.getpid()), ffi.cast("long", 0)))
      tried("parent", ffi.C.syscall(62, ffi.cast("long", ffi.C.getppid()), ffi.cast("long", 0)))]])))
    assert.equal("ok", found.self)
    assert.equal("38", found.parent)
  end)

  it("lets limits be looked at, not raised", function()
    local found = lines((child.run(START .. [[
      local limit = ffi.new("unsigned long[2]")
      tried("look", ffi.C.syscall(302, ffi.cast("long", 0), ffi.cast("long", 7), nil, limit))
      tried("raise", ffi.C.syscall(302, ffi.cast("long", 0), ffi.cast("long", 7), limit, nil))]])))
    assert.equal("ok", found.look)
    assert.equal("38", found.raise)
  end)

  it("ends a process that runs a program", function()
    assert.is_true(is_fatal([[ffi.C.execv("/bin/true", ffi.new("char *[1]"))]]))
  end)

  it("ends a process that makes another", function()
    assert.is_true(is_fatal([[ffi.C.syscall(57)]]), "fork")
    assert.is_true(is_fatal([[ffi.C.syscall(56, ffi.cast("long", 17), nil, nil, nil, nil)]]), "clone without a thread")
  end)

  it("ends a process that does what only an intruder would", function()
    local calls = {
      ptrace = 101, mount = 165, setuid = 105, init_module = 175, bpf = 321, unshare = 272, process_vm_readv = 310,
      memfd_create = 319, io_uring_setup = 425, chmod = 90, keyctl = 250, bind = 49, listen = 50, chroot = 161,
      execveat = 322, seccomp = 317, symlink = 88, perf_event_open = 298, userfaultfd = 323, capset = 126,
    }
    for name, number in pairs(calls) do
      assert.is_true(is_fatal(("ffi.C.syscall(%d, nil, nil, nil, nil, nil)"):format(number)), name)
    end
  end)
end or function() end)
