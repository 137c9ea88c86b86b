--- Gives every request an id: for the backend, in the response, in the access log (tag_request_id).
--
--   policy_args   header=X-Request-Id trust=true
--
-- header  its name, X-Request-Id without it
-- trust   "true": an id of at most 64 harmless characters that the client sent is kept

local function is_good(id)
  return id and #id <= 64 and id:find("^[%w._-]+$") ~= nil
end

local function new_id(req)
  local parts = {}
  for i = 1, 4 do
    parts[i] = ("%08x"):format(req:random() * 0x100000000)
  end
  return table.concat(parts)
end

return {
  summary = "Request ids.",
  on_request = function(req)
    local header = req:arg("header", "X-Request-Id")
    local id = req:arg("trust") == "true" and req:header(header)
    id = is_good(id) and id or new_id(req)
    req:set_header(header, id)
    req:tag("request_id", id)
    req:keep(id)
  end,
  on_response = function(res, req)
    res:set_header(req:arg("header", "X-Request-Id"), res:kept())
  end,
}
