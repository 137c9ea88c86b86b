--- May this session do this? Asked before each command runs, once its arguments are checked.
--
-- The rule: a domain and path that is live under one service name cannot be taken by another service
-- name; "/api" and "/api/" are one path, as are all spellings of it. It is asked when a route is
-- staged and again when it is applied, since it may have been taken meanwhile.

local check = require("check")

--- @return true; or nil, why
local function free(session, domain, path)
  domain = domain:lower():gsub("%.$", "")
  local owner = session:owner(domain, path)
  if owner then
    return nil, ("%s%s belongs to service %s"):format(domain, path, owner)
  end
  return true
end

local function all_free(session, domains, path)
  for _, domain in ipairs(domains) do
    local ok, why = free(session, domain, path)
    if not ok then
      return nil, why
    end
  end
  return true
end

local rules = {}

function rules.ROUTE_ADD(cmd)
  return all_free(cmd.session, cmd.domains, cmd.path)
end

function rules.ROUTE_ADD_BULK(cmd)
  for _, route in ipairs(cmd.routes) do
    local ok, why = all_free(cmd.session, route.domains, route.path)
    if not ok then
      return nil, why
    end
  end
  return true
end

function rules.ROUTE_UPDATE(cmd)
  if cmd.field ~= "domains" and cmd.field ~= "path" then
    return true
  end
  local new = cmd.field == "domains" and check.domains(cmd.value, "domains")
  for _, place in ipairs(cmd.session:staged_places()) do
    if place.route_id == cmd.route then
      local path = cmd.field == "path" and cmd.value or place.path
      local ok, why = all_free(cmd.session, new or { place.domain }, path)
      if not ok then
        return nil, why
      end
    end
  end
  return true
end

function rules.CONFIG_APPLY(cmd)
  local place = cmd.session:taken()
  if place then
    return nil, ("%s%s belongs to service %s"):format(place.domain, place.path, place.owner)
  end
  return true
end

rules.CONFIG_APPLY_PARTIAL = rules.CONFIG_APPLY

return {
  run = function(cmd)
    local rule = rules[cmd.name]
    if not rule then
      return true
    end
    return rule(cmd)
  end,
  examples = {
    { "keeps a place that is live from services of another name",
      "> ROUTE_ADD|<sid>|shop.example|/api|http://127.0.0.1:9000|0",
      "< ROUTE_OK|r1",
      "> CONFIG_APPLY|<sid>",
      "< OK",
      "thief> ROUTE_ADD|<sid>|Shop.Example.|/api/|http://127.0.0.1:9001|0",
      "thief< ERROR|unauthorized: shop.example/api/ belongs to service shop",
      "thief> ROUTE_ADD|<sid>|shop.example|//%61p%69/.|http://127.0.0.1:9001|0",
      "thief< ERROR|unauthorized: shop.example//%61p%69/. belongs to service shop" },
    { "leaves other paths free",
      "> ROUTE_ADD|<sid>|shop.example|/api|http://127.0.0.1:9000|0",
      "< ROUTE_OK|r1",
      "> CONFIG_APPLY|<sid>",
      "< OK",
      "blog> ROUTE_ADD|<sid>|shop.example|/blog|http://127.0.0.1:9001|0",
      "blog< ROUTE_OK|r1" },
    { "asks again at the apply, as the place may have been taken meanwhile",
      "> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9000|0",
      "< ROUTE_OK|r1",
      "thief> ROUTE_ADD|<sid>|shop.example|/|http://127.0.0.1:9001|0",
      "thief< ROUTE_OK|r1",
      "> CONFIG_APPLY|<sid>",
      "< OK",
      "thief> CONFIG_APPLY|<sid>",
      "thief< ERROR|unauthorized: shop.example/ belongs to service shop" },
  },
}
