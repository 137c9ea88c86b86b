local cjson = require("cjson")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local TYPES = { html = "text/html; charset=utf-8", json = "application/json", text = "text/plain; charset=utf-8" }
local ACCEPT = { html = "text/html", json = "application/json", text = "text/plain" }

local ACCESS = { access_log = { format = "json" } }

--- A copy of the other scripts with a page script.
-- @param script text of maintenance/page.lua; nil: none
local function scripts_with(script)
  local dir = sys.temp_dir()
  os.execute(("cp -r scripts/commands scripts/hooks scripts/health %s && mkdir %s/maintenance"):format(dir, dir))
  if script then
    sys.write_file(dir .. "/maintenance/page.lua", script)
  end
  finally(function() os.execute("rm -rf " .. dir) end)
  return dir
end

local function start_with(script, options)
  options = options or {}
  options.scripts = scripts_with(script)
  return proxy.start(options)
end

--- A script whose pages have this body of Lua in every function.
local function page_script(body)
  return ("local function f(page)\n%s\nend\nreturn { summary = '', html = f, json = f, text = f }\n"):format(body)
end

local function get(p, format, request)
  request = request or {}
  request.headers = { Accept = ACCEPT[format] }
  return p:request(request)
end

describe("a page of the proxy's own", function()
  it("comes as the client accepts it, and says that this is why", function()
    local p = proxy.start()
    for format, kind in pairs(TYPES) do
      local r = get(p, format)
      assert.equal(404, r.status)
      assert.equal(kind, r.headers["Content-Type"])
      assert.equal("Accept", r.headers.Vary)
      assert.equal(tostring(#r.body), r.headers["Content-Length"])
    end
    assert.equal(TYPES.html, p:get("/").headers["Content-Type"])
    assert.equal(TYPES.html, p:get("/", { headers = { Accept = "*/*" } }).headers["Content-Type"])
    local two = { { "Accept", "image/png" }, { "accept", "application/*;q=0.1" } }
    assert.equal(TYPES.json, p:get("/", { headers = two }).headers["Content-Type"])
  end)

  it("says the same in all formats", function()
    local p = proxy.start { route = { to = origin.refusing_url() } }
    local html, json, text = get(p, "html"), get(p, "json"), get(p, "text")

    assert.equal(502, html.status)
    assert.truthy(html.body:find("<h1>Bad Gateway</h1>", 1, true))
    assert.truthy(html.body:find("The backend refused the connection.", 1, true))
    assert.same({ error = "connect_refused", status = 502, message = "The backend refused the connection.",
      detail = cjson.null }, cjson.decode(json.body))
    assert.equal("502 Bad Gateway\nThe backend refused the connection.\n", text.body)
    assert.is_nil(html.headers["Retry-After"])
  end)

  it("has the detail of a bad request in its place, and in Proxy-Status", function()
    local p = proxy.start()
    local function refused(accept)
      local c = p:connect()
      c:send("POST / HTTP/1.1\r\nAccept: " .. accept .. "\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
      return c:receive("POST")
    end
    local json = refused(ACCEPT.json)
    local detail = cjson.decode(json.body).detail

    assert.equal(400, json.status)
    assert.is_string(detail)
    assert.equal(('tidelock; error=http_request_error; details="bad_request: %s"'):format(detail),
      json.headers["Proxy-Status"])
    assert.truthy(refused(ACCEPT.html).body:find('<p class="detail">' .. detail .. "</p>", 1, true))
    assert.equal("400 Bad Request\nThe request could not be understood.\n" .. detail .. "\n", refused(ACCEPT.text).body)
  end)

  it("says when to come again where that helps", function()
    local r = proxy.start({ config = { unknown_host = 503 } }):get("/")
    assert.equal(503, r.status)
    assert.equal("5", r.headers["Retry-After"])
    assert.equal('tidelock; error=destination_not_found; details="no_route"', r.headers["Proxy-Status"])
  end)

  it("has no body for HEAD, but the length that GET would have", function()
    local c = proxy.start():connect()
    for format, kind in pairs(TYPES) do
      local headers = { Accept = ACCEPT[format] }
      local head = c:request { method = "HEAD", headers = headers }
      local get_response = c:request { headers = headers }
      assert.equal(404, head.status)
      assert.equal(kind, head.headers["Content-Type"])
      assert.equal(get_response.headers["Content-Length"], head.headers["Content-Length"])
      assert.equal(#get_response.body, tonumber(head.headers["Content-Length"]))
    end
  end)

  it("leaves the connection for what comes next", function()
    local o = origin.start { body = "served" }
    local p = proxy.start { config = ACCESS, route = { to = o.url, host = "a.example" } }
    local c = p:connect()
    for _ = 1, 3 do
      assert.equal(404, c:request({ host = "b.example" }).status)
      assert.equal("served", c:request({ host = "a.example" }).body)
    end
    local sent = {}
    proxy.eventually(function()
      sent = p:access_log()
      return #sent == 6
    end)
    assert.equal("no_route", sent[1].verdict)
    assert.equal(#p:get("/", { host = "b.example" }).body, tonumber(sent[1].sent))
  end)
end)

local LARGE = 200 * 1024
local LARGE_SCRIPT = page_script(("return ('0123456789abcdef'):rep(%d)"):format(LARGE / 16))

describe("a large page", function()
  it("arrives whole, also where the reader is slow and asks for several", function()
    local p = start_with(LARGE_SCRIPT, { workers = 1 })
    local expected = ("0123456789abcdef"):rep(LARGE / 16)
    local c = p:connect { receive_buffer = 4096 }
    for _ = 1, 8 do
      c:send_request { host = "a.example" }
    end
    for i = 1, 8 do
      local r = c:receive()
      assert.equal(404, r.status)
      assert.is_true(expected == r.body, ("body %d has %d bytes"):format(i, #r.body))
    end
  end)

  it("holds up nobody else, and is cut off where nobody reads it", function()
    local p = start_with(LARGE_SCRIPT, { workers = 1,
      config = { access_log = ACCESS.access_log, timeouts = { send = "300ms" } } })
    local stuck = p:connect { receive_buffer = 4096 }
    for _ = 1, 40 do
      stuck:send_request { host = "a.example" }
    end
    assert.equal(LARGE, #p:get("/").body)

    local cut
    proxy.eventually(function()
      for _, line in ipairs(p:access_log()) do
        cut = cut or (tonumber(line.sent) < LARGE and line)
      end
      return cut
    end)
    assert.is_true(#p:access_log() < 41)
    assert.equal(LARGE, #p:get("/").body)
  end)
end)

describe("the script of pages", function()
  it("is written as scripts/README.md says", function()
    local example = sys.read_file("scripts/README.md"):match("## Pages.-```lua\n(.-)```")
    local p = start_with(example)
    assert.truthy(get(p, "html").body:find("<h1>404 Not Found</h1>\n<p>Nothing is served under this address. <em></em>",
      1, true))
    assert.same({ error = "no_route", status = 404, detail = cjson.null }, cjson.decode(get(p, "json").body))
    assert.equal("Nothing is served under this address.\n", get(p, "text").body)
  end)

  it("may be missing: the pages are the built-in ones", function()
    local p = start_with(nil)
    assert.truthy(get(p, "html").body:find("<h1>404 Not Found</h1>", 1, true))
    assert.equal("no_route", cjson.decode(get(p, "json").body).error)
    assert.equal("404 Not Found\nNothing is served under this address.\n", get(p, "text").body)
    assert.is_nil(p:log():find("built-in", 1, true))
  end)

  it("that fails for one page leaves that one built-in, with a line in the log", function()
    local p = start_with(page_script('if page.status == 404 then error("no ink") end return "mine"'),
      { route = { to = origin.refusing_url(), host = "a.example" } })
    assert.truthy(p:get("/", { host = "b.example" }).body:find("<h1>404 Not Found</h1>", 1, true))
    assert.equal("mine", p:get("/").body)
    p:wait_log("(level=error[^\n]*built%-in pages[^\n]*maintenance/page.lua:2: no ink)")
  end)

  local BROKEN = {
    ["return {\n} }"] = "maintenance/page.lua:2: ",
    ["local x = ioo"] = "maintenance/page.lua:1: undefined global: ioo",
    ["return 5"] = "maintenance/page.lua: must return a table",
    ["return { summary = '', html = print, json = print }"] = "maintenance/page.lua: text must be a function",
  }
  for text, message in pairs(BROKEN) do
    it("that is broken refuses the start: " .. text:gsub("%c", " "), function()
      local code, _, err = proxy.run { "--http", "127.0.0.1:0", "--registry", "127.0.0.1:0", "--scripts",
        scripts_with(text) }
      assert.equal(1, code)
      assert.truthy(err:find(message, 1, true), err)
    end)
  end

  local FAILING = {
    ["error('no ink')"] = "maintenance/page.lua:2: no ink",
    ["return ('x'):rep(262145)"] = "html returned 262145 bytes, at most 262144 are allowed",
    ["while true do end"] = "took longer than its 100 ms",
    ["return 5"] = "html returned a number instead of a text",
  }
  for body, message in pairs(FAILING) do
    it("that loads and makes no page starts with built-in ones; --check tells: " .. body, function()
      local dir = scripts_with(page_script(body))
      local code, _, err = proxy.run { "--check", "--scripts", dir }
      assert.equal(1, code)
      assert.truthy(err:find(message, 1, true), err)
      local p = proxy.start { scripts = dir }
      assert.equal("404 Not Found\nNothing is served under this address.\n", get(p, "text").body)
      proxy.eventually(function() return p:log():find(message, 1, true) end)
    end)
  end
end)
