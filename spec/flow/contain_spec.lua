local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

local SANITIZED = proxy.binary:find("asan") or proxy.binary:find("tsan")
local NOBODY = "65534"

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local ROOT = output_of("id -u"):match("%d+") == "0"

--- it(), for what needs root to start with, or the sandbox to be there.
local function as_root(name, test)
  if ROOT then
    it(name, test)
  end
end
local function in_sandbox(name, test)
  if not SANITIZED then
    it(name, test)
  end
end

--- The text as a pattern.
local function plain(text)
  return (text:gsub("%p", "%%%0"))
end

--- What the kernel says of each thread: list of tables by field.
local function threads(p)
  local list = {}
  for tid in output_of(("ls /proc/%d/task"):format(p.pid)):gmatch("%d+") do
    local fields = {}
    local status = sys.read_file(("/proc/%d/task/%s/status"):format(p.pid, tid)) or ""
    for name, value in status:gmatch("(%a[%w_]*):%s*([^\n]*)") do
      fields[name] = value
    end
    list[#list + 1] = fields
  end
  return list
end

--- A proxy that has become nobody, in a directory that nobody can read.
local function as_nobody(config, options)
  local own = { user = "nobody" }
  for key, value in pairs(config or {}) do
    own[key] = value
  end
  local start = { config = own }
  for key, value in pairs(options or {}) do
    start[key] = value
  end
  local p = proxy.start(start)
  os.execute("chmod 755 " .. p.dir)
  return p
end

describe("a proxy with a user", function()
  as_root("is that user on every thread, without capabilities, and serves", function()
    local o = origin.start(function() return { body = "fine" } end)
    local p = as_nobody(nil, { route = { to = o.url } })
    local list = threads(p)
    assert.is_true(#list >= 4)
    for _, t in ipairs(list) do
      assert.equal(NOBODY .. "\t" .. NOBODY .. "\t" .. NOBODY .. "\t" .. NOBODY, t.Uid)
      assert.equal(NOBODY .. "\t" .. NOBODY .. "\t" .. NOBODY .. "\t" .. NOBODY, t.Gid)
      assert.equal(NOBODY, (t.Groups:gsub("%s+$", "")))
      for _, set in ipairs({ "CapInh", "CapPrm", "CapEff", "CapAmb" }) do
        assert.equal("0000000000000000", t[set], set)
      end
      assert.equal("1", t.NoNewPrivs)
    end
    assert.equal("fine", p:get("/").body)
  end)

  as_root("takes a group, and names by number", function()
    local group = output_of("getent group daemon"):match(":(%d+):")
    local p = proxy.start { config = { user = NOBODY, group = "daemon" } }
    for _, t in ipairs(threads(p)) do
      assert.equal(NOBODY, t.Uid:match("%d+"))
      assert.equal(group, t.Gid:match("%d+"))
    end
  end)

  as_root("binds the ports that need root before", function()
    local p = proxy.start { config = { user = "nobody" }, http = "127.0.0.81:81" }
    assert.equal(404, p:request({ host = "x.example" }).status)
  end)

  as_root("reads configuration and scripts again", function()
    local p = as_nobody { unknown_host = 404 }
    assert.equal(404, p:get("/").status)
    p:write_config { user = "nobody", unknown_host = 503 }
    p:reload()
    p.eventually(function() return p:get("/").status == 503 end)
  end)

  as_root("says what it will not be able to read again, with owner and mode", function()
    local p = proxy.start { config = { user = "nobody" } } -- its directory is root's alone
    p:wait_log('level=warn msg="cannot be read again, as HUP asks for" file="' .. plain(p.config_path) ..
      '" reason="Permission denied %(a directory on the way is closed to user 65534%)"')
  end)

  as_root("keeps its certificate when the next one's key is closed to it, and says so", function()
    local first, second = pki.certificate { names = { "a.example" } }, pki.certificate { names = { "a.example" } }
    local p
    local function config(c)
      local dir = p and p.dir or sys.temp_dir()
      os.execute(("chmod 755 %s; cp %s %s/c.pem; cp %s %s/c.key; chmod 644 %s/c.*"):format(
        dir, c.certificate, dir, c.key, dir, dir))
      return dir
    end
    local dir = config(first)
    local settings = {
      user = "nobody", tls = { certificates = { { certificate = dir .. "/c.pem", key = dir .. "/c.key" } } },
    }
    p = as_nobody(settings, { https = true })
    os.execute(("cp %s %s/new.key && chmod 600 %s/new.key && mv %s/new.key %s/c.key"):format(
      second.key, dir, dir, dir, dir))
    p:reload()
    p:wait_log("c.key: Permission denied %(owner 0:0, mode 0600; this process is 65534:65534%)")
    assert.is_truthy(tls.connect(p, "a.example"))
    os.execute("rm -rf " .. dir)
  end)

  as_root("opens its log anew, which has become the user's", function()
    local dir = sys.temp_dir()
    os.execute(("mkdir %s/log && chmod 755 %s && chown nobody %s/log"):format(dir, dir, dir))
    local file = dir .. "/log/access.log"
    local p = as_nobody { access_log = { format = "text", file = file } }
    assert.equal("nobody", output_of("stat -c %U " .. file):match("%w+"))
    p:get("/one")
    loop.soon(function() assert.is_truthy((sys.read_file(file) or ""):find("/one")) end)
    os.rename(file, file .. ".1")
    p:signal("USR1")
    loop.soon(function() assert.is_truthy(sys.read_file(file)) end)
    p:get("/two")
    loop.soon(function() assert.is_truthy((sys.read_file(file) or ""):find("/two")) end)
    os.execute("rm -rf " .. dir)
  end)

  as_root("warns when it could not make its log anew, and writes on", function()
    local dir = sys.temp_dir()
    local file = dir .. "/access.log"
    local p = as_nobody { access_log = { format = "text", file = file } }
    p:wait_log('msg="cannot be opened anew, as USR1 asks for" file="' .. plain(file))
    p:signal("USR1")
    p:wait_log("cannot open the access log, the old file stays")
    p:get("/on")
    loop.soon(function() assert.is_truthy((sys.read_file(file) or ""):find("/on")) end)
    os.execute("rm -rf " .. dir)
  end)

  it("does not start as somebody who is not there", function()
    for _, case in ipairs({
      { { user = "no-such-user" }, "user: there is no user no-such-user" },
      { { user = "nobody", group = "no-such-group" }, "group: there is no group no-such-group" },
      { { group = "daemon" }, "group: needs user" },
      { { user = "4000000" }, "user: 4000000 is nobody's number, so a group has to be given, too" },
    }) do
      local p = proxy.start()
      p:write_config(case[1])
      for _, args in ipairs({ { "--check" }, { "--http", "127.0.0.1:0", "--registry", "127.0.0.1:0" } }) do
        args[#args + 1], args[#args + 2] = "--config", p.config_path
        local code, _, err = proxy.run(args)
        assert.equal(1, code)
        assert.is_truthy(err:find(case[2], 1, true), err)
      end
    end
  end)

  as_root("that was not started as root can be that user only", function()
    local p = proxy.start()
    os.execute("chmod 755 " .. p.dir)
    local function run_as_nobody(user)
      p:write_config { user = user }
      os.execute("chmod 644 " .. p.config_path)
      local run = process.start({
        "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", proxy.binary, "--check", "--config",
        p.config_path,
      })
      local code = run:wait_exit(60)
      return code, sys.read_file(run.stderr)
    end
    assert.equal(0, (run_as_nobody("nobody")))
    local code, err = run_as_nobody("daemon")
    assert.equal(1, code)
    assert.is_truthy(err:find("user: only root can become another user; start as root or as daemon", 1, true), err)
  end)

  as_root("is asked for when there is none, loudly", function()
    proxy.start():wait_log('level=warn msg="runs as root')
    assert.is_falsy(as_nobody():log():find("runs as root", 1, true))
  end)
end)

describe("the sandbox", function()
  in_sandbox("is on by itself, for every thread", function()
    local p = proxy.start()
    p:wait_log('level=info msg="in the sandbox" files="[^"]+" system_calls="on"')
    local list = threads(p)
    assert.is_true(#list >= 4)
    for _, t in ipairs(list) do
      assert.equal("2", t.Seccomp)
      assert.equal("1", t.NoNewPrivs)
    end
  end)

  in_sandbox("can be left off, which is said", function()
    local p = proxy.start { config = { sandbox = false } }
    p:wait_log('level=warn msg="not in a sandbox" reason="sandbox = false"')
    for _, t in ipairs(threads(p)) do
      assert.equal("0", t.Seccomp)
    end
  end)

  it("and what was given up stay as they are until a restart", function()
    local p = proxy.start()
    p:write_config {
      user = "nobody", group = "daemon", sandbox = false, sandbox_paths = { "/usr" }, core_dumps = true,
    }
    p:reload()
    for _, setting in ipairs({ "user", "group", "sandbox", "sandbox_paths", "core_dumps" }) do
      p:wait_log("setting changes with a restart only\" setting=" .. setting .. "\n")
    end
    p:wait_log("configuration reloaded")
  end)

  --- Starts a proxy whose kernel has Landlock and calls test(p, dir): dir was not named at the start.
  local function with_files_limited(config, test)
    local dir = sys.temp_dir()
    os.execute("mkdir " .. dir .. "/new")
    local p = proxy.start { config = config(dir), https = true }
    if p:log():find('files="on"', 1, true) then
      test(p, dir)
    end
    os.execute("rm -rf " .. dir)
  end

  local function with_pair(certificate, dir, more)
    local settings = more or { sandbox_paths = { "/srv" } }
    if dir then
      os.execute(("cp %s %s/c.pem; cp %s %s/c.key"):format(certificate.certificate, dir, certificate.key, dir))
      settings.tls = { certificates = { { certificate = dir .. "/c.pem", key = dir .. "/c.key" } } }
    else
      settings.tls = { certificates = { pki.pair(certificate) } }
    end
    return settings
  end

  in_sandbox("keeps files from being read that were not named, and says what to do", function()
    local c = pki.certificate { names = { "a.example" } }
    with_files_limited(function() return with_pair(c) end, function(p, dir)
      p:write_config(with_pair(c, dir .. "/new"))
      p:reload()
      p:wait_log("configuration refused, nothing changed.-c.pem: Permission denied %(.-see sandbox_paths%)")
    end)
  end)

  in_sandbox("lets those of sandbox_paths be read, too", function()
    local c = pki.certificate { names = { "a.example" } }
    with_files_limited(function(dir) return with_pair(c, nil, { sandbox_paths = { dir } }) end, function(p, dir)
      p:write_config(with_pair(c, dir .. "/new", { sandbox_paths = { dir } }))
      p:reload()
      p:wait_log("configuration reloaded")
    end)
  end)

  in_sandbox("keeps logs from being made elsewhere", function()
    local c = pki.certificate { names = { "a.example" } }
    with_files_limited(function() return with_pair(c) end, function(p, dir)
      p:write_config(with_pair(c, nil, {
        sandbox_paths = { "/srv" }, access_log = { format = "text", file = dir .. "/new/access.log" },
      }))
      p:reload()
      p:wait_log("configuration refused, nothing changed.-access_log.file " ..
        ".-: Permission denied %(its directory.-sandbox")
      assert.is_nil(sys.read_file(dir .. "/new/access.log"))
    end)
  end)
end)
