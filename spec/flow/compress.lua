--- For the specs of compression: a route with the option, in front of an origin; clients that say what they take.

local corpus = require("spec.support.corpus")
local decode = require("spec.support.decode")
local origin = require("spec.support.origin")
local proxy = require("spec.support.proxy")

local compress = {}

--- The codings that the program under test was built with.
compress.CODINGS = { "gzip", "br" }
if os.execute(("ldd %s | grep -q libzstd"):format(proxy.binary)) == 0 then
  table.insert(compress.CODINGS, "zstd")
end

--- 10 MiB of pages, of what cannot be compressed, and of JSON.
function compress.large()
  local mib = 1024 * 1024
  return (corpus.html(mib, 3) .. corpus.noise(mib, 5) .. corpus.json(2 * mib, 9)):rep(3):sub(1, 10 * mib)
end

--- Sends a GET over a connection.
function compress.send(c, coding, path)
  c:send_request { path = path or "/", headers = { ["Accept-Encoding"] = coding } }
end

--- The data of the next chunk of a response whose head was read; nil at the end.
function compress.read_chunk(c)
  local size = tonumber(c.stream:read_line(), 16)
  local data = size > 0 and c.stream:read(size)
  if data then
    c.stream:read_line()
  end
  return data or nil
end

--- A proxy with one route that compresses, whatever the time it takes.
-- @param handler of the origin
-- @param settings table: the group compression of the configuration, over defaults without a bound on time
-- @param options further ones of the route; further options of proxy.start in options.start
function compress.start(handler, settings, options)
  options = options or {}
  local group, config = { cpu = 100 }, options.config or {}
  for key, value in pairs(settings or {}) do
    group[key] = value
  end
  config.compression = group
  local o = origin.start(handler)
  local route = { compression = "true", retries = "0" }
  for key, value in pairs(options.route or {}) do
    route[key] = value
  end
  return proxy.start {
    workers = 1, config = config, scripts = options.scripts, route = { to = o.url, options = route },
  }, o
end

--- A GET of a client that takes a coding (default: gzip; false: it does not say).
function compress.get(p, coding, request)
  request = request or {}
  local own = { path = "/", headers = { ["Accept-Encoding"] = coding ~= false and (coding or "gzip") or nil } }
  for key, value in pairs(request) do
    if key ~= "headers" then
      own[key] = value
    end
  end
  for key, value in pairs(request.headers or {}) do
    own.headers[key] = value
  end
  return p:request(own)
end

--- The decoded body of a compressed response.
function compress.body(response)
  local coding = response.headers["Content-Encoding"]
  assert(coding, "the response is not compressed")
  return decode.all(coding, response.body)
end

--- What the proxy counted for the route, once so many of its requests have been counted.
function compress.stats(p, requests)
  local cjson, stats = require("cjson"), nil
  p.eventually(function()
    stats = cjson.decode((p.session:ok("STATS_GET", p.route_id)))
    return stats.requests >= (requests or 1)
  end)
  return stats.compression, stats
end

return compress
