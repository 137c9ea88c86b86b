--- Makes the specs' thread the control thread, as functions with ASSERT_CONTROL want it.

local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/check.h")

-- Declarations outlive the modules that busted drops between files.
if not pcall(function() return lib.check_control_token end) then
  ffi.cdef("extern const char check_control_token[1];")
end

local control_thread = {}

function control_thread.enter()
  lib.check_own_thread(lib.check_control_token)
end

function control_thread.leave()
  lib.check_own_thread(nil)
end

return control_thread
