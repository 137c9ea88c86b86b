--- Requests that can be checked: drawn, sent by a client in its way, and recorded as the oracle judges them.

local bytes = require("spec.chaos.bytes")
local loop = require("spec.support.loop")

local requests = {}

local STREAMED = 12000 -- bytes

-- By kind: method, bytes sent, bytes received (nil: what was sent comes back).
local KINDS = {
  small = function(rng) return { method = "GET", size = rng:int(0, 400) } end,
  large = function(rng) return { method = "GET", size = rng:int(20000, 400000) } end,
  head = function(rng) return { method = "HEAD", size = rng:int(0, 400) } end,
  post = function(rng) return { method = "POST", upload = rng:int(1, 2000) } end,
  put = function(rng) return { method = "PUT", upload = rng:int(1, 2000) } end,
  upload = function(rng) return { method = rng:chance(0.5) and "POST" or "PUT", upload = rng:int(20000, 300000) } end,
}

requests.MIXED = { { "small", 10 }, { "large", 1 }, { "head", 1 }, { "post", 4 }, { "put", 2 }, { "upload", 1 } }
requests.LARGE = { { "small", 1 }, { "large", 3 }, { "upload", 4 } }

--- Draws the next request of a client.
-- @param client name, rng, run, count
-- @param kinds one of the lists above
-- @param host nil: any service's
function requests.draw(client, kinds, service)
  local rng, run = client.rng, client.run
  client.count = client.count + 1
  local request = KINDS[rng:weighted(kinds)](rng)
  request.id = client.name .. "-" .. client.count
  request.service = service or rng:pick(run.services)
  request.host = request.service .. ".chaos.test"
  request.path = rng:chance(0.3) and "/deep" or "/"
  request.target = (request.path == "/" and "" or request.path) .. "/x?" .. request.id
  request.idempotent = request.method ~= "POST"
  -- A body that does not fit into the proxy's buffer with its head streams, and is not there to be sent again.
  request.repeatable = request.idempotent and (request.upload or 0) <= STREAMED
  request.body = request.upload and bytes.body(request.id, request.upload)
  request.headers = { { "X-Chaos-Id", request.id } }
  if request.size then
    table.insert(request.headers, { "X-Chaos-Size", tostring(request.size) })
  end
  if rng:chance(0.35) then -- so that there is something under way whenever something happens
    table.insert(request.headers, { "X-Chaos-Delay", tostring(rng:int(1, 100)) })
  end
  return request
end

--- It is about to be sent.
function requests.sent(client, request)
  request.sent = loop.now()
  table.insert(client.run.requests, request)
end

local function refusal_of(headers)
  if headers["X-Maintenance-Mode"] then
    return "maintenance"
  end
  local status = headers["Proxy-Status"] or ""
  if status:find("destination_not_found", 1, true) then
    return "no_route"
  end
  return status:match('details="([^"]*)"') or status:match("error=([%w_]+)") or "unknown"
end

--- What is wrong with a body; of one that was cut the part that came has to be right.
local function check_body(request, body, complete)
  local expected = request.size and bytes.body(request.id, request.size) or request.body or ""
  if request.method == "HEAD" then
    expected = ""
  end
  if not complete and #body <= #expected then
    expected = expected:sub(1, #body)
  end
  return bytes.difference(expected, body)
end

--- Its answer, or what came of it.
-- @param got status, headers (any case), body, complete, failure
function requests.ended(request, got)
  request.done = loop.now()
  request.status, request.complete, request.failure = got.status, got.complete, got.failure
  request.received = #(got.body or "")
  if got.status then
    request.backend = got.headers["X-Chaos-Backend"]
    request.config = request.backend and tonumber(got.headers["X-Chaos-Config"])
    request.refusal = not request.backend and refusal_of(got.headers) or nil
    if request.backend and not request.upgrade then
      request.body_wrong = check_body(request, got.body or "", got.complete)
    end
  end
  request.body = nil -- a long run keeps many
end

--- Its connection was ended, as had been announced, before it was its turn.
function requests.skipped(request)
  request.done, request.skipped, request.body = loop.now(), true, nil
end

return requests
