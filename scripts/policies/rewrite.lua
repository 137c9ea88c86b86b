--- Changes the path that the backend gets.
--
--   policy_args   strip=/shop add=/v2
--
-- strip  taken from the front of the path
-- add    put before what is left
--
-- The route is chosen by the path as the client sent it.

return {
  summary = "Path rewrite.",
  on_request = function(req)
    local path, strip = req:path(), req:arg("strip", "")
    local after = path:sub(#strip + 1, #strip + 1)
    if path == "*" then
      return
    end
    if path:sub(1, #strip) == strip and (after == "" or after == "/" or strip:sub(-1) == "/") then
      path = path:sub(#strip + 1)
    end
    path = req:arg("add", "") .. path
    req:set_path(path:sub(1, 1) == "/" and path or "/" .. path)
  end,
  examples = {
    { "takes the front of the path away and leaves the query",
      given = { args = "strip=/shop", path = "/shop/cart?a=1" },
      expect = { target = "/cart?a=1" } },
    { "puts something before what is left",
      given = { args = "strip=/shop add=/v2", path = "/shop" },
      expect = { path = "/v2" } },
    { "strips whole steps of a path only",
      given = { args = "strip=/shop", path = "/shopping" },
      expect = { path = "/shopping" } },
    { "leaves OPTIONS * alone",
      given = { args = "add=/v2", method = "OPTIONS", path = "*" },
      expect = { target = "*" } },
  },
}
