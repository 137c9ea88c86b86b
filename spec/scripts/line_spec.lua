local conversation = require("spec.scripts.conversation")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local start, refused = conversation.start, conversation.refused

describe("a registry line", function()
  it("ends with a newline, with or without a carriage return", function()
    local r = start()
    r:send("PING|" .. r.session .. "\r\nPING|" .. r.session .. "\n")
    assert.equal("PONG", r:receive())
    assert.equal("PONG", r:receive())
  end)

  it("is ignored when it is empty", function()
    local r = start()
    r:send("\n\r\n\nPING|" .. r.session .. "\n")
    assert.equal("PONG", r:receive())
  end)

  it("may come in pieces", function()
    local r = start()
    r:send("PI")
    require("spec.support.loop").delay(0.05)
    r:send("NG|" .. r.session .. "\n")
    assert.equal("PONG", r:receive())
  end)

  it("may be 16 KiB long", function()
    local r = start()
    local line = conversation.long_line("PING|" .. r.session .. "|", 16384)
    assert.is_truthy(r:ask(line):find("^ERROR|unexpected field: x"))
  end)

  it("is refused when it is longer, and the session goes on", function()
    local r = start()
    local line = conversation.long_line("PING|" .. r.session .. "|", 16385)
    refused("line too long", r:ask(line))
    refused("line too long", r:ask(("y"):rep(300000)))
    assert.equal("PONG", r:call("PING"))
  end)

  it("is refused when it is too long even before its end has come, once", function()
    local r = start()
    r:send(("y"):rep(40000))
    refused("line too long", r:receive())
    r:send("z|zz\nPING|" .. r.session .. "\n")
    assert.equal("PONG", r:receive())
  end)

  it("is refused for NUL and control bytes", function()
    local r = start()
    for _, byte in ipairs({ "\0", "\1", "\27", "\127", "\t" }) do
      refused("invalid character", r:ask("PING|" .. r.session .. byte))
    end
    assert.equal("PONG", r:call("PING"))
  end)

  it("is refused when it is not UTF-8", function()
    local r = start()
    refused("invalid utf-8", r:ask("REGISTER|\255|a|0"))
  end)

  it("keeps UTF-8 as it is", function()
    local p = proxy.start { workers = 1 }
    local r = p:registry()
    r:register("caf\195\169", "\226\130\172")
    assert.equal("caf\195\169", conversation.json(r:call("SESSION_INFO"), "SESSION_OK").service_name)
  end)
end)

describe("pipelined lines", function()
  it("are answered in order, one line each, also around an apply", function()
    local r = start()
    local lines, expected = {}, {}
    for i = 1, 200 do
      lines[#lines + 1] = ("PING|%s|txn-%d"):format(r.session, i)
      expected[#expected + 1] = "PONG|txn-" .. i
      if i % 50 == 0 then
        lines[#lines + 1] = ("CONFIG_APPLY|%s|txn-a%d"):format(r.session, i)
        expected[#expected + 1] = "OK|txn-a" .. i
      end
    end
    r:send(table.concat(lines, "\n") .. "\n")
    for _, answer in ipairs(expected) do
      assert.equal(answer, r:receive())
    end
  end)

  it("whose answers nobody reads end the connection, and the session lives on", function()
    local r, p = start()
    local session = r.session
    local line = ("ROUTE_ADD|%s|h%%d.example|/|http://127.0.0.1:1|0\n"):format(session)
    for i = 1, 300 do
      r:send(line:format(i))
      assert.equal("ROUTE_OK|r" .. i, r:receive())
    end
    sys.set_buffers(r.stream.fd, 4096, nil)
    for _ = 1, 400 do
      if not r.stream:write(("ROUTE_LIST|%s\n"):format(session):rep(10)) then
        break
      end
    end
    p:wait_log("(Session disconnected)")
    assert.equal("OK", p:registry():reconnect(session))
  end)
end)

describe("transaction ids", function()
  it("come back as the first field of the response", function()
    local r = start()
    assert.equal("PONG|txn-7", r:call("PING", "txn-7"))
    assert.equal("ROUTE_OK|txn_a|r1", r:call("ROUTE_ADD", "txn_a", "a.example", "/", "http://127.0.0.1:1", 0))
    assert.is_truthy(r:call("ROUTE_LIST", "txn:1"):find("^ROUTE_LIST_OK|txn:1|%[{"))
    assert.equal("OK|txn-8", r:call("CONFIG_APPLY", "txn-8"))
    assert.equal("OK|txn-9", r:call("CONFIG_APPLY_PARTIAL", "txn-9", "routes"))
  end)

  it("come back with refusals too", function()
    local r = start()
    refused("txn-7|route not found", r:call("ROUTE_REMOVE", "txn-7", "r9"))
    refused("txn-7|missing field: route", r:call("ROUTE_REMOVE", "txn-7"))
    refused("txn-7|unknown command: NOPE", r:call("NOPE", "txn-7"))
    refused("txn-7|invalid session", r:ask("PING|x|txn-7"))
  end)

  it("come back from commands whose answer takes time", function()
    local r = start()
    assert.is_truthy(r:call("BACKEND_TEST", "txn-7", "http://127.0.0.1:1"):find("^BACKEND_FAIL|txn%-7|{"))
  end)

  it("are only taken right behind the session id", function()
    local r = start()
    refused("route not found", r:call("ROUTE_UPDATE", "r1", "path", "txn-7"))
  end)
end)
