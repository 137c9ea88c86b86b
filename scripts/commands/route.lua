--- Routes, one at a time: which requests go to which backend. Staged until CONFIG_APPLY.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local PRIORITY_MAX = 2147483647

local KEYS = { "route_id", "id", "domains", "path", "backend", "priority", "status" }

local function describe(route)
  route.id = route.route_id
  return json.pick(route, KEYS)
end

return {
  {
    name = "ROUTE_ADD",
    summary = "Stage a route.",
    args = {
      { "domains", check.domains },
      { "path", check.text },
      { "backend_url", check.text },
      { "priority", check.whole(-PRIORITY_MAX, PRIORITY_MAX) },
    },
    reply = "ROUTE_OK|route_id",
    since = "0.1",
    errors = { "missing field: priority", "duplicate route: r1", "unauthorized: ...",
      "too many routes: limits.routes_per_session = 10000", "too much is staged: limits.staged_bytes = 16777216" },
    notes = "domains: comma separated host names, *.example.com (one level) or *. Higher "
      .. "priorities are tried first.",
    example = {
      "ROUTE_ADD|<sid>|shop.example,www.shop.example|/|http://10.0.0.7:8080|0",
      "ROUTE_OK|r1",
    },
    run = function(cmd)
      local ids, err = cmd.session:add_routes({
        {
          domains = cmd.domains, path = cmd.path,
          backend_url = cmd.backend_url, priority = cmd.priority,
        },
      })
      if not ids then
        return nil, err
      end
      return reply.ok("ROUTE_OK", ids[1])
    end,
  },
  {
    name = "ROUTE_UPDATE",
    summary = "Stage a change of one field of a route.",
    args = {
      { "route", check.route },
      { "field", check.one_of("backend_url", "priority", "domains", "path") },
      { "value", check.text },
    },
    reply = "ROUTE_OK",
    since = "0.1",
    errors = { "route not found", "duplicate route: r1", "unauthorized: ..." },
    example = { "ROUTE_UPDATE|<sid>|r1|priority|10", "ROUTE_OK" },
    run = function(cmd)
      local ok, err = cmd.session:update_route(cmd.route, cmd.field, cmd.value)
      if not ok then
        return nil, err
      end
      return reply.ok("ROUTE_OK")
    end,
  },
  {
    name = "ROUTE_REMOVE",
    summary = "Stage the removal of a route, with all settings that name it.",
    args = {
      { "route", check.route },
    },
    reply = "ROUTE_OK",
    since = "0.1",
    errors = { "route not found" },
    example = { "ROUTE_REMOVE|<sid>|r1", "ROUTE_OK" },
    run = function(cmd)
      local ok, err = cmd.session:remove_route(cmd.route)
      if not ok then
        return nil, err
      end
      return reply.ok("ROUTE_OK")
    end,
  },
  {
    name = "ROUTE_LIST",
    summary = "List the session's routes, live and staged.",
    args = {
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "ROUTE_LIST_OK|[...]",
    since = "0.1",
    errors = { "response too large, use compressed" },
    notes = "status is active, staged (new or changed, shown as it will be) or pending_removal.",
    run = function(cmd)
      local list = json.array({})
      for i, route in ipairs(cmd.session:routes()) do
        list[i] = describe(route)
      end
      return reply.json("ROUTE_LIST_OK", list, cmd.form)
    end,
  },
}
