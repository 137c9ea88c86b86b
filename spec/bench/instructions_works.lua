--- The works of instructions.lua: what the proxy is set up with, and one request.
--
-- A work: name, requests (counted after a warm-up of 50), client (of a proxy: returns a function that makes one
-- request); config, args, options, circuit, ratelimit (of the route), scripts (true: those with the policy "bench").

local h2 = require("spec.support.h2")
local http = require("spec.support.http")

local HOST = "bench.example"
-- What a browser sends.
local HEADERS = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  ["Accept-Language"] = "en-US,en;q=0.5",
  ["Accept-Encoding"] = "gzip, deflate, br",
  ["Cookie"] = "session=0123456789abcdef0123456789abcdef; theme=dark",
}

local function expect(response)
  assert(response.status == 200, response.status)
end

local function kept(request)
  return function(p)
    local c = http.connect(p.url)
    c.authority = HOST
    return function() expect(c:request(request)) end
  end
end

return {
  HOST = HOST,
  { name = "get", requests = 400, client = kept { path = "/" } },
  { name = "browser", requests = 400,
    client = kept { path = "/some/path/of/a/page?with=a&query=1", headers = HEADERS } },
  { name = "post", requests = 400, client = kept { method = "POST", path = "/", body = ("x"):rep(1024) } },
  {
    name = "connection",
    requests = 200,
    client = function(p)
      return function() expect(http.request(p.url, { path = "/", host = HOST })) end
    end,
  },
  {
    name = "guarded",
    requests = 400,
    circuit = { threshold = 5, cooldown = "10s", half_open = 1 },
    ratelimit = { 1000000, "1s" },
    client = kept { path = "/" },
  },
  {
    name = "policy", requests = 400, scripts = true, options = { policy = "bench" },
    client = kept { path = "/", headers = { ["User-Agent"] = "bench" } },
  },
  {
    name = "http2",
    requests = 400,
    client = function(p)
      local c = h2.connect(p.url)
      return function() expect(c:request { path = "/", authority = HOST }) end
    end,
  },
}
