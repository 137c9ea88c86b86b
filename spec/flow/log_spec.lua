local cjson = require("cjson")
local load = require("spec.support.load")
local loop = require("spec.support.loop")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local function lines_of(path)
  local lines = {}
  for line in (sys.read_file(path) or ""):gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

describe("the access log", function()
  it("has a line of key=value for each request", function()
    local o = origin.start { body = "hello" }
    local p = proxy.start { config = { access_log = { format = "text", file = "-" } },
      route = { to = o.url, host = "a.example" } }
    p:request { method = "POST", path = "/x?y", body = "abc" }
    loop.eventually(function()
      return #p:access_log() == 1
    end)
    local line = p:access_log()[1]

    assert.equal("POST", line.method)
    assert.equal("a.example", line.host)
    assert.equal("/x?y", line.path)
    assert.equal("r1", line.route)
    assert.equal("spec", line.service)
    assert.equal(o.authority, line.member)
    assert.equal("200", line.status)
    assert.equal("5", line.sent)
    assert.equal("3", line.received)
    assert.truthy(line.total:find("^%d+%.%d%d%d$"))
    assert.truthy(line.client:find("^127.0.0.1:%d+$"))
  end)

  it("is JSON when it is asked to be, and says why the proxy answered itself", function()
    local dir = sys.temp_dir()
    local p = proxy.start { config = { access_log = { format = "json", file = dir .. "/access.log" } } }
    p:get('/"quoted"?\\', { host = "nobody.example" })
    loop.eventually(function()
      return #lines_of(dir .. "/access.log") == 1
    end)
    local line = cjson.decode(lines_of(dir .. "/access.log")[1])

    assert.equal('/"quoted"?\\', line.path)
    assert.equal(404, line.status)
    assert.equal("no_route", line.verdict)
    assert.equal(cjson.null, line.member)
    assert.equal(cjson.null, line.connect)
  end)

  it("is opened anew at SIGUSR1, for rotation", function()
    local dir = sys.temp_dir()
    local p = proxy.start { config = { access_log = { format = "text", file = dir .. "/access.log" } } }
    p:get("/one")
    loop.eventually(function()
      return #lines_of(dir .. "/access.log") == 1
    end)
    assert(os.rename(dir .. "/access.log", dir .. "/old.log"))
    p:signal("USR1")

    loop.eventually(function()
      p:get("/two")
      return #lines_of(dir .. "/access.log") > 0
    end)
  end)
end)

describe("a reader that stalls", function()
  it("holds up neither requests nor the end of the program; lines are dropped", function()
    local dir = sys.temp_dir()
    local path = dir .. "/pipe"
    os.execute("mkfifo " .. path)
    local reader = sys.open_fifo(path)
    local o = origin.process { body = "ok" }
    local p = proxy.start { config = { access_log = { format = "text", file = path } }, route = { to = o.url } }
    local l = load.start { url = p.url, connections = 8 }
    -- More lines than fit into the pipe and what the proxy keeps for it.
    loop.eventually(function()
      return cjson.decode((p.session:ok("STATS_GET", p.route_id))).requests > 5000
    end, 60)
    local result = l:stop()

    assert.equal(0, result.failed)
    local before = sys.now()
    p:stop()
    assert.is_true(sys.now() - before < 5)
    reader:close()
    assert.truthy(p:log():find('msg="log lines were dropped" lines=', 1, true))
  end)
end)

describe("the log", function()
  it("tells of sessions in the protocol's terms, one line each", function()
    local o = origin.start()
    local p = proxy.start { route = { to = o.url } }
    p.session:call("CLIENT_SHUTDOWN")

    p:wait_log('msg="%[registry%-v2%] .-registered.-"')
    for line in p:log():gmatch("[^\n]+") do
      assert.truthy(line:find('^time=%S+ level=%l+ msg="'), line)
    end
  end)

  it("never has a session id in it", function()
    local o = origin.start()
    local p = proxy.start { log_level = "debug", route = { to = o.url } }
    p.session:call("NO_SUCH_COMMAND")
    p.session:call("CLIENT_SHUTDOWN")

    p:wait_log("registered")
    assert.is_nil(p:log():find(p.session.session, 1, true))
  end)
end)
