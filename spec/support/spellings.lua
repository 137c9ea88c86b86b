--- Spellings of /admin/x, and of ways around it, by which routes and policies of other servers were got around.

local spellings = {}

--- Those that are /admin/x.
spellings.same = {
  "/admin/x", "//admin/x", "///admin///x", "/./admin/x", "/././admin/./x", "/admin/./x", "/admin//x", "/admin/y/../x",
  "/a/../admin/x", "/a/b/../../admin/x", "/a//../admin/x", "/a/..//admin/x", "/admin/../admin/x",
  "/%61dmin/x", "/adm%69n/x", "/%61%64%6d%69%6e/x", "/%61%64%6D%69%6E/%78", "/admin/%78", "/%2e/admin/x",
  "/%2E/admin/x",
  "/a/%2e%2e/admin/x", "/a/%2E%2E/admin/x", "/a/.%2e/admin/x", "/a/%2e./admin/x", "/a/.%2E//admin/x", "/a/./../admin/x",
  "/admin/.//x", "/admin/%2e/x", "/admin/y/%2e%2e/x", "/;/../admin/x", "/a;b/../admin/x", "/.../../admin/x",
  "/%41/../admin/x", "/public/../%61dmin/x", "/public/%2e%2e/%61dmin//x",
}

--- Those that some server takes for it, and that are refused.
spellings.refused = {
  "/../admin/x", "/a/../../admin/x", "/%2e%2e/admin/x", "/..;/admin/x", "/a/..;/admin/x", "/a/..;p=1/admin/x",
  "/.;/admin/x",
  "/%2e%2e;/admin/x", "/a/%2e%2e;/admin/x", "/a/..%3b/admin/x", "/a/..%3Bx/admin/x", "/a/.%2e;/admin/x",
  "/a/..%2fadmin/x", "/a/..%2Fadmin/x",
  "/a/%2e%2e%2fadmin/x", "/a%2f../admin/x", "/a%2f..%2fadmin/x", "/a/..%5cadmin/x", "/a%5c..%5cadmin%5cx",
  "/a/.%2fadmin/x", "/.%2fadmin/x",
  "/a/..\\admin/x", "/a\\..\\admin\\x", "/\\admin/x", "/admin\\x", "/a/..%00/admin/x", "/admin%00/x", "/%00/admin/x",
  "/a/..%0d/admin/x", "/a/%0a../admin/x", "/a/..%09/admin/x", "/%7f/../admin/x", "/%u0061dmin/x", "/%/../admin/x",
  "/%6/admin/x",
  "/%6gdmin/x", "/%%361dmin/x", "/admin/x%", "/admin/x%2", "/a/%2e%2e%5cadmin/x", "/admin/x/y/..%2f/../../x",
}

--- Those with escaped separators: data of a segment, for whoever takes them.
spellings.separated = {
  "/admin%2fx", "/admin%2Fx", "/admin%5cx", "/admin%5Cx", "/%2fadmin/x", "/%2Fadmin%2Fx", "/%5cadmin/x",
  "/a%2fb/../%2fadmin/x",
  "/%61dmin%2fx", "/b/..//%2f%2fadmin/x",
}

return spellings
