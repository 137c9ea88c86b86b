local ffi = require("ffi")
local http = require("spec.support.http")
local origin = require("spec.support.origin")
local pki = require("spec.support.pki")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")
local tls = require("spec.support.tls_client")

-- Nothing but what is secret contains these.
local S = {
  token = "tokenA7f3c9d1", token_wrong = "tokenB81e6f20", bypass = "bypassC4d2e8a7", bypass_wrong = "bypassD9b3a6f1",
  cookie = "cookieE5c7d2b4", set_cookie = "cookieF1a8e3c6", basic = "basicG6d4f9b2", bearer = "bearerH2e7a5c8",
  proxy_auth = "proxyI8c1b6d3", userinfo = "userinfoJ3f5e9a1", malformed = "brokenK7d2c4b8",
  header_value = "headerL4a6f1e9",
  body = "bodyM9e3d7c5", metadata = "metaN5b8a2f6", config = "configO1c9e4d7", answer = "answerP6f2b8a3",
  trailer = "trailerQ3d7a1e5",
}

local function base64(text)
  return (require("mime").b64(text))
end

--- Everything that must not be found, by name.
local function needles(key_file, ids)
  local all = {}
  for name, text in pairs(S) do
    all[name] = text
  end
  all.basic_encoded = base64("joe:" .. S.basic)
  local line = 0
  for text in sys.read_file(key_file):gmatch("[^\n]+") do
    if not text:find("^%-") then
      line = line + 1
      all["line " .. line .. " of the key"] = text
    end
  end
  for i, id in ipairs(ids) do
    all["session id " .. i] = id
    all["more of session id " .. i .. " than its beginning"] = id:sub(9, 20)
  end
  return all
end

local function registry_noise(p, ids)
  local stranger = p:registry()
  stranger:ask("AUTH|" .. S.token_wrong)
  stranger:ask("REGISTER|shop|one||{}")
  local s = p:registry()
  assert.is_truthy(s:ask("AUTH|" .. S.token):find("^OK"))
  ids[#ids + 1] = s:register("shop", "one", "", ('{"note":"%s"}'):format(S.metadata))
  local other = p:registry()
  other:ask("AUTH|" .. S.token)
  ids[#ids + 1] = other:register("cart", "one")
  -- Lines that are wrong in every way, with what should not be there.
  other:ask("ROUTE_LIST|" .. ids[1])
  other:ask("NO_SUCH_COMMAND|" .. ids[1] .. "|" .. S.token)
  other:ask("DRAIN_START|" .. ids[1] .. "|" .. S.token)
  s:call("ROUTE_ADD", "x.example", "/", "http://joe:" .. S.userinfo .. "@127.0.0.1:1", "0")
  s:call("BACKEND_TEST", "http://joe:" .. S.userinfo .. "@127.0.0.1:1/")
  s:call("MAINT_ENTER", "ALL", "http://joe:" .. S.userinfo .. "@127.0.0.1:1/")
  s:call("HEADERS_SET", "ALL", "Set-Cookie", "session=" .. S.set_cookie)
  s:call("HEADERS_SET", "ALL", "bad name", S.header_value)
  s:call("BOOM", S.token)
  other:call("CLIENT_SHUTDOWN")
  local again = p:registry()
  again:ask("AUTH|" .. S.token)
  again:ask("RECONNECT|" .. ids[2]) -- gone
  assert.equal("OK", again:reconnect(ids[1])) -- takes the session over
  return again
end

local function http_noise(p)
  local headers = {
    Cookie = "id=" .. S.cookie, Authorization = "Basic " .. base64("joe:" .. S.basic),
    ["Proxy-Authorization"] = "Bearer " .. S.proxy_auth, ["X-Operator"] = S.bypass_wrong, ["X-Own"] = S.header_value,
  }
  p:request { method = "POST", path = "/", host = "a.example", headers = headers, body = S.body }
  headers["X-Operator"], headers.Authorization = S.bypass, "Bearer " .. S.bearer
  p:request { path = "/", host = "a.example", headers = headers }
  p:request { path = "/", host = "down.example", headers = headers }
  p:request { path = "/", host = "nobody.example", headers = headers }
  p:request { path = "/", host = "cut.example", headers = headers }
  for _, bytes in ipairs({
    "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\0" .. S.malformed .. "\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: joe:" .. S.userinfo .. "@a.example\r\n\r\n",
    "GET http://joe:" .. S.userinfo .. "@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.example\r\n" .. S.malformed .. "\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n" .. S.malformed .. "\r\n",
    "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: " .. S.trailer .. "\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.example\r\nCookie: " .. S.cookie, -- and goes
  }) do
    local c = http.connect(p.url)
    c:send(bytes)
    c:close()
  end
  tls.connect(p, "a.example"):get("/", { headers = headers })
  local c = http.connect("http://" .. p.https_address)
  c:send("GET / HTTP/1.1\r\nHost: a.example\r\nCookie: " .. S.cookie .. "\r\n\r\n")
  c:close()
end

local function scripts_with_boom()
  local dir = sys.temp_dir()
  os.execute(("cp -r scripts/. %s"):format(dir))
  sys.write_file(dir .. "/commands/boom.lua", [[
local check = require("check")
return { { name = "BOOM", summary = "Fails.", since = "0.1", args = { { "value", check.text } }, reply = "OK",
  run = function(cmd) return cmd.nothing.here end } }
]])
  return dir
end

describe("what is secret", function()
  for _, format in ipairs({ "text", "json" }) do
    it("is in no line that the proxy writes, with everything logged and an access log in " .. format, function()
      local good = origin.start(function()
        return { headers = { ["Set-Cookie"] = S.set_cookie }, body = S.answer }
      end)
      local cut = origin.raw(function(c)
        c:read_until("\r\n\r\n")
        c:write("HTTP/1.1 200 OK\r\nSet-Cookie: " .. S.set_cookie .. "\r\nX: a\0b\r\n\r\n" .. S.answer)
      end)
      local pair = pki.certificate { names = { "a.example" }, own_key = true }
      local scripts = scripts_with_boom()
      local config = {
        registry_token = S.token, maintenance = { bypass_header = "X-Operator", bypass_secret = S.bypass },
        access_log = { format = format }, tls = { certificates = { pki.pair(pair) } }, health_checks = true,
      }
      local p = proxy.start { config = config, https = true, log_level = "debug", scripts = scripts }
      local ids = {}
      local s = registry_noise(p, ids)
      for host, url in pairs({
        ["a.example"] = good.url, ["down.example"] = origin.refusing_url(), ["cut.example"] = cut.url,
      }) do
        s:ok("ROUTE_ADD", host, "/", url, 0)
      end
      s:ok("CONFIG_APPLY")
      http_noise(p)
      s:ok("MAINT_ENTER", "ALL")
      http_noise(p)
      s:ok("DRAIN_START", "1s")
      -- A configuration that cannot be read, and the old one again.
      for _, text in ipairs({
        'registry_token = "' .. S.config, 'registry_token "' .. S.config .. '" = 1',
        "registry_token = '" .. S.config .. "' '",
        "registry_token = [[" .. S.config .. "]] [[" .. S.config .. "]]", "registry_token = {'" .. S.config .. "'}",
        "maintenance = { bypass_secret = { '" .. S.config .. "' } }",
      }) do
        local before = select(2, p:log():gsub("configuration refused", ""))
        p:write_config(text)
        p:reload()
        p.eventually(function() return select(2, p:log():gsub("configuration refused", "")) > before end)
      end
      p:write_config(config)
      p:reload()
      p:wait_log("configuration reloaded")
      s:call("SESSION_INFO")
      p:wait_log("script failed")
      assert.equal(0, tonumber(ffi.C.kill(p.pid, 6)))
      p:wait_exit()
      local written = p:log() .. sys.read_file(p.process.stdout)
      assert.is_truthy(written:find("a.example", 1, true)) -- it did write of all this
      for name, needle in pairs(needles(pair.key, ids)) do
        local at = written:find(needle, 1, true)
        assert.is_nil(at, ("%s is in the output: %s"):format(name, at and written:sub(at - 200, at + 60)))
      end
      assert.is_truthy(written:find("session=" .. ids[1]:sub(1, 8) .. " ", 1, true)) -- enough to tell sessions apart
      os.execute("rm -rf " .. scripts)
    end)
  end
end)
