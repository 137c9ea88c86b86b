--- Configuration sets through FFI, with Lua's conventions: true, or nil and the reason.

local unit = require("spec.support.unit")

local ffi = unit.ffi
local lib = unit.load("base/error.h", "base/slice.h", "config/url.h", "control/config_set.h")
local slice, err = unit.slice, ffi.new("struct error")

local sets = {}

local function result(ok)
  if ok then
    return true
  end
  return nil, ffi.string(err.text)
end

function sets.new()
  return ffi.gc(lib.config_set_new(), lib.config_set_free)
end

--- A set with r1: a.example, "/", http://10.0.0.1:80.
function sets.one_route()
  local set = sets.new()
  assert(sets.add(set, "r1", "a.example", "/", "http://10.0.0.1:80"))
  return set
end

function sets.copy(set)
  return ffi.gc(lib.config_set_copy(set, ffi.new("struct error")), lib.config_set_free)
end

--- @param domains string: comma separated
function sets.add(set, id, domains, path, url, priority)
  local list = {}
  for domain in domains:gmatch("[^,]+") do
    list[#list + 1] = slice(domain)
  end
  local array = ffi.new("struct slice[?]", #list + 1)
  for i, domain in ipairs(list) do
    array[i - 1] = domain
  end
  local fields = ffi.new("struct route_fields", {
    domains = array, domain_count = #list, path = slice(path), backend_url = slice(url),
    priority = priority or 0,
  })
  return result(lib.config_set_add_route(set, id, fields, err))
end

function sets.update(set, id, field, value)
  return result(lib.config_set_update_route(set, slice(id), slice(field), slice(value), err))
end

function sets.remove(set, id)
  return result(lib.config_set_remove_route(set, slice(id), err))
end

function sets.put(set, scope, target, key, value)
  return result(lib.config_set_put(set, scope, slice(target), slice(key), slice(value), err))
end

function sets.drop(set, scope, target, key)
  return result(lib.config_set_drop(set, scope, slice(target), slice(key), err))
end

--- The value that holds for a route, or nil.
function sets.value(set, scope, route, key)
  local text = lib.config_set_value(set, scope, route, key)
  return text ~= nil and ffi.string(text) or nil
end

--- @param ... the scopes to take from draft
function sets.merge(live, draft, ...)
  local mask = 0
  for _, scope in ipairs({ ... }) do
    mask = mask + 2 ^ tonumber(scope)
  end
  local set = lib.config_set_merge(live, draft, mask, err)
  if set == nil then
    return result(false)
  end
  return ffi.gc(set, lib.config_set_free)
end

--- @return { added, removed, modified }
function sets.diff(live, draft, scope)
  local d = lib.config_set_diff(live, draft, scope)
  return { d.added, d.removed, d.modified }
end

function sets.validate(set)
  return result(lib.config_set_validate(set, err))
end

sets.lib = lib

return sets
