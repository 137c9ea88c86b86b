--- Unit specs of C code: the product's library and its headers, through LuaJIT's FFI.
--
--   local unit = require("spec.support.unit")
--   local lib = unit.load("base/slice.h", "http/head.h", "http/parse.h")
--   assert.equal(lib.PARSE_DONE, tonumber(lib.http_parse_request(...)))
--
-- A header is read as the preprocessor leaves it with FFI_CDEF defined, each once for the whole
-- run of busted, in the order given (so name what a header builds on before it).

local ffi = require("ffi")

local unit = { ffi = ffi }

local BUILD = os.getenv("TIDELOCK_BUILD") or "build"

-- busted drops modules between files but declarations stay, so what is declared is remembered
-- outside.
local loaded = rawget(_G, "tidelock_ffi_loaded") or { headers = {} }
rawset(_G, "tidelock_ffi_loaded", loaded)

local function read_header(header)
  -- A sanitizer preloaded for the library has no business in the preprocessor.
  local command = ("env -u LD_PRELOAD cc -E -P -w %s -Isrc src/%s 2>&1 || echo FAILED"):format(
    "-DFFI_CDEF -DMUST_USE= '-DPRINTF_LIKE(fmt,args)=' -DINT32_MAX=2147483647 "
      .. "'-DINT32_MIN=(-2147483647-1)' -DUINT32_MAX=4294967295", header)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  if text:find("FAILED%s*$") then
    error(("src/%s does not preprocess:\n%s"):format(header, text), 0)
  end
  return text
end

local function declare(header)
  if loaded.headers[header] then
    return
  end
  local text = read_header(header)
  local ok, err = pcall(ffi.cdef, text)
  if not ok then
    error(("src/%s is not FFI-clean: %s\n%s"):format(header, err, text), 0)
  end
  loaded.headers[header] = true
end

--- Declares headers and opens the library.
-- @param ... paths of headers below src/
-- @return the library; functions and enum constants are its fields
function unit.load(...)
  for _, header in ipairs({ ... }) do
    declare(header)
  end
  if not loaded.handle then
    local path = BUILD .. "/libtidelock.so"
    loaded.handle = ffi.load(path:find("^/") and path or "./" .. path)
  end
  return loaded.handle
end

local anchors = setmetatable({}, { __mode = "k" })

--- A struct slice of a Lua string, which stays alive as long as the slice does.
-- @param text string, or nil for an absent slice
function unit.slice(text)
  local slice = ffi.new("struct slice")
  if text then
    slice.data, slice.len = text, #text
    anchors[slice] = text
  end
  return slice
end

--- The text of a struct slice as a string; nil for an absent one.
function unit.text(slice)
  if slice.data == nil then
    return nil
  end
  return ffi.string(slice.data, slice.len)
end

return unit
