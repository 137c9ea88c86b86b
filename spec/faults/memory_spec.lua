-- What control does when there is no memory (base/need.h), each case with the one call that fails for it.

local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local build = os.getenv("TIDELOCK_FAULTS") or os.getenv("TIDELOCK_BUILD") or "build"

local function start(fail)
  return proxy.start { binary = build .. "/tidelock", env = { TIDELOCK_FAIL = fail } }
end

local REFUSED = "ERROR|out of memory"

describe("a command", function()
  it("is refused while the reserve is not whole, and so is the next; what was begun ends", function()
    -- The program's own session is the first; the reserve takes eight maps.
    local p = start("control/session.c:session_new:need_zeroed:2,base/need.c:new_pages:mmap:9+2")
    local r = p:registry()
    r:register("spec", "one")
    assert.equal(REFUSED, r:call("PING"))
    assert.equal(REFUSED, r:call("PING"))
    assert.truthy(r:call("PING"):find("^PONG"))
    p:wait_log('msg="out of memory, the reserve is used" blocks_left=7')
    p:wait_log('msg="the reserve of memory is whole again"')
  end)

  it("that stages is refused when there is no room for a draft, which is then not there", function()
    local p = start("control/config_set.c:config_set_copy:need_room:1")
    local r = p:registry()
    r:register("spec", "one")
    assert.equal(REFUSED, r:call("ROUTE_ADD", "a.example", "/", "http://127.0.0.1:1", 0))
    assert.equal("ROUTE_OK|r1", r:call("ROUTE_ADD", "a.example", "/", "http://127.0.0.1:1", 0))
  end)

  it("that applies is refused before anything has changed, and can be sent again", function()
    local o = origin.start()
    local p = start("control/apply.c:model_apply:need_room:1")
    local r = p:registry()
    r:register("spec", "one")
    r:ok("ROUTE_ADD", "a.example", "/", o.url, 0)
    assert.equal(REFUSED, r:call("CONFIG_APPLY"))
    assert.equal(404, p:get("/", { host = "a.example" }).status)
    assert.truthy(r:call("CONFIG_DIFF"):find('"added":%["r1"'))
    assert.equal("OK", r:call("CONFIG_APPLY"))
    assert.equal(200, p:get("/", { host = "a.example" }).status)
  end)
end)

describe("a publication", function()
  it("without memory for its snapshot comes when there is, and then the apply is answered", function()
    local o = origin.start()
    local p = start("control/publish.c:on_prepare:need_room:1+3")
    local r = p:registry()
    r:register("spec", "one")
    r:route { to = o.url, host = "a.example" }
    assert.equal(200, p:get("/", { host = "a.example" }).status)
    p:wait_log("it is published later")
  end)
end)

describe("a reload of scripts", function()
  it("without memory for one of them leaves those in service, and says so", function()
    local pipe = assert(io.popen("find scripts -name '*.lua' | wc -l"))
    local count = tonumber(pipe:read("*l")) -- read at the start
    pipe:close()
    local p = start(("script/bundle.c:read_text:malloc:%d+"):format(count + 3))
    local r = p:registry()
    r:register("spec", "one")
    local answer = r:call("SCRIPTS_RELOAD")
    assert.truthy(answer:find("^ERROR|.*out of memory"), answer)
    assert.truthy(r:call("PING"):find("^PONG"))
  end)
end)

describe("TIDELOCK_FAIL", function()
  it("that cannot be read is refused at the start", function()
    for _, rule in ipairs { "nonsense", "a:b:c:0", "a:b:c:1:EWHAT", "a:b:c:x" } do
      local ended = select(2, proxy.try { binary = build .. "/tidelock", env = { TIDELOCK_FAIL = rule } })
      assert.equal(2, ended.exit_code, rule)
      assert.truthy(ended:output():find("TIDELOCK_FAIL: cannot read " .. rule, 1, true))
    end
  end)

  it("is nothing to a release", function()
    if not (os.getenv("TIDELOCK_BUILD") or "build"):find("build$") then
      return -- a release is tested by make test
    end
    local file = assert(io.open(proxy.binary, "rb"))
    local text = file:read("*a")
    file:close()
    assert.is_nil(text:find("TIDELOCK_FAIL", 1, true))
    assert.is_nil(text:find("fault_malloc", 1, true))
  end)
end)
