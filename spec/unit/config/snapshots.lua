--- Snapshots for specs, built and read the way control and workers do it.

local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "config/histogram.h",
  "guard/verdict.h", "guard/circuit_rules.h", "guard/circuit.h", "guard/failure_window.h", "guard/ratelimit.h",
  "config/options.h", "config/url.h", "config/route_state.h", "config/settings.h", "config/page.h",
  "config/router.h", "config/snapshot.h")

local snapshots = { lib = lib }

local function options_of(options)
  local values = ffi.new("union option_value[?]", lib.OPTION_IDS)
  local set = 0
  for key, value in pairs(options or {}) do
    local row = lib.option_find(unit.slice(key))
    local id = tonumber(row - lib.option_table)
    local err = ffi.new("struct error")
    assert(lib.option_parse(row, unit.slice(value), values[id], err), ffi.string(err.text))
    set = bit.bor(set, bit.lshift(1, id))
  end
  return values, set
end

--- A route state with one reference, dropped when it is collected: leave the control thread last.
function snapshots.state(id)
  return lib.route_state_new("session", id or "r1", "shop", "shop-1", 2)
end

--- A page with one reference, to be dropped by page_unref.
function snapshots.page(text)
  local bodies = ffi.new("struct slice[?]", lib.PAGE_FORMATS)
  for format = 0, lib.PAGE_FORMATS - 1 do
    bodies[format] = unit.slice(text)
  end
  return lib.page_new(bodies)
end

--- Puts a route into maintenance.
-- @param maintenance { page=, url=, state= }, url and state together or not at all
-- @return what has to stay alive until the route was added
local function set_maintenance(input, maintenance)
  input.maintenance = maintenance.page
  if not maintenance.url then
    return {}
  end
  local url, err = ffi.new("struct url"), ffi.new("struct error")
  local text = unit.slice(maintenance.url)
  assert(lib.url_parse(text, url, err), ffi.string(err.text))
  input.page_url, input.page_state = url, maintenance.state
  return { url, text }
end

--- Adds one route.
-- @param route { domains=, path=, priority=, url=, options=, state=, maintenance= }, all but domains
--   optional
function snapshots.add(snapshot, route)
  local slices = {} -- keeps the texts alive during the call
  local domains = ffi.new("struct slice[?]", #route.domains)
  for i, domain in ipairs(route.domains) do
    slices[i] = unit.slice(domain)
    domains[i - 1] = slices[i]
  end
  local url, err = ffi.new("struct url"), ffi.new("struct error")
  local url_text = unit.slice(route.url or "http://backend:8080")
  local path = unit.slice(route.path or "/")
  assert(lib.url_parse(url_text, url, err), ffi.string(err.text))
  local input = ffi.new("struct route_input")
  local options, set = options_of(route.options)
  input.domains, input.domain_count = domains, #route.domains
  input.path = path
  input.priority = route.priority or 0
  input.state = route.state
  input.url = url
  input.options, input.options_set = options, set
  local kept = set_maintenance(input, route.maintenance or {})
  lib.snapshot_add(snapshot, input)
  assert(#slices == #route.domains and kept)
end

--- The group for a host and path, or nil.
function snapshots.match(snapshot, host, path)
  local group = lib.router_match(snapshot.router, unit.slice(host), unit.slice(path))
  return group ~= nil and group or nil
end

return snapshots
