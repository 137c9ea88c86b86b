--- Snapshots for specs, built and read the way control and workers do it.

local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "base/sock.h", "config/histogram.h",
  "guard/verdict.h", "guard/circuit_rules.h", "guard/circuit.h", "guard/failure_window.h", "guard/ratelimit.h",
  "config/options.h", "config/url.h", "config/route_state.h", "config/settings.h", "config/page.h",
  "config/member.h", "config/router.h", "config/snapshot.h", "config/atlas.h")

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

local drafts = {}
drafts.__index = drafts

--- An atlas and its snapshots; close it before the settings go.
function snapshots.open(settings)
  return setmetatable({ atlas = lib.atlas_new(), settings = settings, states = {}, taken = {}, order = 0 }, drafts)
end

local function slices_of(texts)
  local slices, list = {}, ffi.new("struct slice[?]", #texts)
  for i, text in ipairs(texts) do
    slices[i] = unit.slice(text)
    list[i - 1] = slices[i]
  end
  return list, slices
end

function drafts:new_state()
  self.states[#self.states + 1] = snapshots.state()
  return self.states[#self.states]
end

--- Adds one route, or replaces the one of its state.
-- @param route { domains=, path=, priority=, url=, options=, state=, order=, maintenance= }, all but domains
--   optional; without a state it gets one that goes with the draft
-- @return its state
function drafts:put(route)
  local domains, kept_domains = slices_of(route.domains)
  local url, err = ffi.new("struct url"), ffi.new("struct error")
  local url_text = unit.slice(route.url or "http://backend:8080")
  assert(lib.url_parse(url_text, url, err), ffi.string(err.text))
  local input = ffi.new("struct route_input")
  local options, set = options_of(route.options)
  local path = unit.slice(route.path or "/")
  self.order = self.order + 1
  input.domains, input.domain_count = domains, #route.domains
  input.settings, input.order = self.settings, route.order or self.order
  input.path, input.priority, input.url = path, route.priority or 0, url
  input.state = route.state or self:new_state()
  input.options, input.options_set = options, set
  local kept = set_maintenance(input, route.maintenance or {})
  lib.atlas_put(self.atlas, input)
  assert(kept_domains and kept) -- alive during the call
  return input.state
end

function drafts:drop(state)
  lib.atlas_drop(self.atlas, state)
end

--- The next snapshot, freed at the end or by free.
function drafts:commit()
  local snapshot = lib.atlas_commit(self.atlas, self.settings, nil)
  self.taken[#self.taken + 1] = snapshot
  return snapshot
end

function drafts:free(snapshot)
  for i, taken in ipairs(self.taken) do
    if taken == snapshot then
      table.remove(self.taken, i)
    end
  end
  lib.snapshot_free(snapshot)
end

--- Frees all snapshots and the atlas.
function drafts:close()
  for _, snapshot in ipairs(self.taken) do
    lib.snapshot_free(snapshot)
  end
  lib.atlas_free(self.atlas)
  for _, state in ipairs(self.states) do
    lib.route_state_unref(state)
  end
end

--- The group for a host and path, or nil.
function snapshots.match(snapshot, host, path)
  local router = ffi.cast("const struct router *", snapshot.router)
  local group = lib.router_match(router, unit.slice(host), unit.slice(path), 0)
  return group ~= nil and group or nil
end

return snapshots
