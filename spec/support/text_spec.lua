local log_line = require("spec.support.log_line")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local registry = require("spec.support.registry")

describe("a log line", function()
  it("is read as its pairs", function()
    assert.same({ status = "200", path = "/a b", why = "-", q = 'say "x"' },
      log_line.parse([[access status=200 path="/a b" why=- q="say \"x\""]]))
  end)

  it("of the access log stands between others, as text or JSON", function()
    local text = "listening http 127.0.0.1:1\nready workers=2\nstatus=200 route=r1\n{\"status\":404}\nunended=1"
    assert.same({ { status = "200", route = "r1" }, { status = 404 } }, log_line.access(text))
  end)
end)

describe("a configuration file", function()
  it("is written from a table", function()
    local text = proxy.config_text {
      health_checks = true, workers = 3, timeouts = { grace = "1s" }, trusted = { "a\"b", true },
    }
    local env = {}
    setfenv(assert(loadstring(text)), env)()
    assert.same({
      sandbox_paths = { os.getenv("TMPDIR") or "/tmp" }, health_checks = true, workers = 3, timeouts = { grace = "1s" }, trusted = { "a\"b", true },
    }, env)
  end)

  it("switches health checks off and lets the proxy read what specs write, unless it says otherwise", function()
    assert.equal(('health_checks = false\nsandbox_paths = { "%s" }\n'):format(os.getenv("TMPDIR") or "/tmp"),
      proxy.config_text {})
    assert.equal("health_checks = true\nsandbox_paths = {\n\n}\n",
      proxy.config_text { health_checks = true, sandbox_paths = {} })
    assert.equal("workers = 1", proxy.config_text("workers = 1"))
  end)
end)

describe("the registry client", function()
  local function answering(...)
    local answers = { ... }
    local lines = {}
    local o = origin.raw(function(stream)
      for _, answer in ipairs(answers) do
        lines[#lines + 1] = stream:read_line()
        stream:write(answer)
      end
    end)
    return registry.connect(o.authority), lines
  end

  it("puts the session id in its place", function()
    local r, lines = answering("ACK|sid7\n", "ROUTE_OK|r1\n", "PONG\r\n")
    assert.equal("sid7", r:register("shop", "a"))
    assert.equal("r1", r:ok("ROUTE_ADD", "a.example", "/", "http://b:1", 0))
    assert.equal("PONG", r:call("PING"))
    assert.same({ "REGISTER|shop|a||", "ROUTE_ADD|sid7|a.example|/|http://b:1|0", "PING|sid7" }, lines)
  end)

  it("keeps events apart from responses", function()
    local r = answering("EVENT|circuit_changed|{}\nOK\nMAINT_OK|ALL\n")
    assert.equal("OK", r:ask("X"))
    assert.equal("EVENT|circuit_changed|{}", r:next_event())
    assert.equal("MAINT_OK|ALL", r:next_event())
    assert.equal("closed", r:wait_closed())
  end)

  it("raises a refusal where none is expected", function()
    local r = answering("ERROR|route not found\n")
    local ok, err = pcall(r.ok, r, "ROUTE_REMOVE", "r9")
    assert.is_false(ok)
    assert.matches("route not found", err)
  end)
end)
