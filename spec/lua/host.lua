--- The module host for specs of lua/ that run without the program: the product's own C functions through
-- FFI where there are such, JSON by lua-cjson.
--
--   require("spec.lua.host")       -- first; then require modules of lua/ as usual

local cjson = require("cjson")
local ffi = require("ffi")
local unit = require("spec.support.unit")

package.path = "./lua/?/init.lua;" .. package.path

local lib = unit.load("base/check.h", "base/slice.h", "base/error.h", "base/sock.h", "http/head.h", "http/media_type.h",
  "config/options.h", "config/url.h", "control/config_set.h", "control/config_check.h")

local host = { null = cjson.null }

function host.duration(text)
  local ms = ffi.new("uint64_t[1]")
  return lib.duration_parse(unit.slice(text), ms) and tonumber(ms[0]) or nil
end

function host.is_address(text)
  return lib.address_parse(unit.slice(text), ffi.new("struct address")) == 0
end

function host.is_directory(path)
  return os.execute(("test -d '%s'"):format(path)) == 0
end

function host.is_token(text)
  return lib.http_is_token(unit.slice(text))
end

function host.is_ip(text)
  return lib.address_parse_ip(unit.slice(text), 0, ffi.new("struct address")) == 0
end

function host.is_cidr(text)
  return lib.cidr_parse(unit.slice(text), ffi.new("struct cidr")) == 0
end

function host.setting_check(scope, key, value)
  local err = ffi.new("struct error")
  local number = lib["SCOPE_" .. scope:upper()]
  if lib.config_check_setting(number, unit.slice(key), unit.slice(value), err) then
    return true
  end
  return nil, ffi.string(err.text)
end

function host.is_type_pattern(text)
  return lib.media_type_is_pattern(unit.slice(text))
end

function host.run(text, env)
  local chunk, err = load(text, "=config", "t", env)
  if not chunk then
    return nil, err
  end
  local ok, result = pcall(chunk)
  if ok then
    return true, result
  end
  return nil, result
end

function host.json_encode(value)
  local ok, text = pcall(cjson.encode, value)
  if ok then
    return text
  end
  return nil, text
end

function host.json_decode(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then
    return value
  end
  return nil, value
end

function host.json_array(list)
  return list
end

function host.json_text(fields)
  return assert(cjson.decode(fields[1]))
end

function host.json_object(fields)
  local object = {}
  for i = 1, #fields, 2 do
    object[fields[i]] = fields[i + 1]
  end
  return object
end

package.loaded.host = host

return host
