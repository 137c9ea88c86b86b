--- What scripts say about themselves: runs the function check that a script may have.

local selfcheck = {}

--- Runs a check. It fails when it raises, returns false, or nil and why; then this raises with the file.
-- @param path string: the script's file
-- @param what string: what of it is checked, "command PING: "; may be empty
-- @param check function() -> nothing or true | nil, why; nil: there is none
function selfcheck.run(path, what, check)
  if not check then
    return
  end
  local ok, passed, why = pcall(check)
  if ok and (passed or passed == nil and why == nil) then
    return
  end
  local reason = tostring(not ok and passed or why or "failed")
  local place, rest = reason:match("^(" .. path:gsub("%p", "%%%0") .. ":%d+: )(.*)$")
  error(("%s%scheck: %s"):format(place or path .. ": ", what, rest or reason), 0)
end

return selfcheck
