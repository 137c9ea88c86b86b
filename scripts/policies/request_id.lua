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
  examples = {
    { "makes an id, for backend, client and access log",
      given = {},
      expect = {
        headers = { ["X-Request-Id"] = { matches = "^%x+$" } }, tags = { request_id = { matches = "^%x+$" } },
        response = { headers = { ["X-Request-Id"] = { matches = "^%x+$" } } },
      } },
    { "keeps a client's harmless id with trust=true",
      given = { args = "trust=true header=X-Id", headers = { ["X-Id"] = "abc-1" } },
      expect = { headers = { ["X-Id"] = "abc-1" }, response = { headers = { ["X-Id"] = "abc-1" } } } },
    { "trusts nobody else",
      given = { headers = { ["X-Request-Id"] = "abc-1" } },
      expect = { headers = { ["X-Request-Id"] = { lacks = "abc-1" } } } },
    { "replaces an id that is not harmless",
      given = { args = "trust=true", headers = { ["X-Request-Id"] = "a b" } },
      expect = { headers = { ["X-Request-Id"] = { matches = "^%x+$" } } } },
  },
}
