--- Many routes in one line, all or nothing.

local json = require("json")
local reply = require("registry.reply")

local KNOWN = { domains = true, path = true, backend_url = true, priority = true }

local function whole(value)
  return type(value) == "number" and value % 1 == 0 and math.abs(value) < 1e15
end

local function domain_list(value)
  if type(value) ~= "table" or #value == 0 then
    return nil
  end
  for _, domain in ipairs(value) do
    if type(domain) ~= "string" then
      return nil
    end
  end
  return value
end

--- Checks the types of one object of the list; their contents are checked with the route.
-- @return route; or nil, reason
local function read_route(value)
  if type(value) ~= "table" then
    return nil, "must be an object"
  end
  for key in pairs(value) do
    if not KNOWN[key] then
      return nil, "unknown field: " .. tostring(key)
    end
  end
  for _, key in ipairs({ "domains", "path", "backend_url" }) do
    if value[key] == nil then
      return nil, "missing field: " .. key
    end
  end
  if not domain_list(value.domains) then
    return nil, "domains must be a list of at least one host name"
  elseif type(value.path) ~= "string" or type(value.backend_url) ~= "string" then
    return nil, "path and backend_url must be texts"
  elseif value.priority ~= nil and not whole(value.priority) then
    return nil, "priority must be a whole number"
  end
  return { domains = value.domains, path = value.path, backend_url = value.backend_url,
    priority = value.priority or 0 }
end

local function routes(text)
  local list = json.list(text)
  if not list then
    return nil, "invalid routes json: a list of objects is needed"
  end
  local result = {}
  for i, value in ipairs(list) do
    local route, err = read_route(value)
    if not route then
      return nil, ("index %d: %s"):format(i - 1, err)
    end
    result[i] = route
  end
  return result
end

return {
  {
    name = "ROUTE_ADD_BULK",
    summary = "Stage several routes, all or nothing.",
    args = {
      { "routes", routes, rest = true },
    },
    reply = [=[ROUTE_BULK_OK|[{"route_id":"r1","status":"ok"}]]=],
    since = "0.1",
    errors = { "invalid routes json: a list of objects is needed", "index 1: duplicate route: r1" },
    notes = "priority may be left out and is 0 then. A refusal names the position in the list, "
      .. "counted from 0.",
    example = {
      "ROUTE_ADD_BULK|<sid>|"
        .. [=[[{"domains":["a.example"],"path":"/","backend_url":"http://10.0.0.7"}]]=],
      [=[ROUTE_BULK_OK|[{"route_id":"r1","status":"ok"}]]=],
    },
    run = function(cmd)
      local ids, err, index = cmd.session:add_routes(cmd.routes)
      if not ids then
        return nil, index and ("index %d: %s"):format(index - 1, err) or err
      end
      local list = json.array({})
      for i, id in ipairs(ids) do
        list[i] = json.object("route_id", id, "status", "ok")
      end
      return reply.json("ROUTE_BULK_OK", list)
    end,
  },
}
