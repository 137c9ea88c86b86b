--- The request of a policy: what scripts/API.md says about req, and what its specs run.
--
-- An entry: { call, what it returns, what it does; takes =, errors =, the example (see spec/docs/api.lua) }.

local METHOD = "called outside of a hook or without the colon"

return {
  title = "The request (`req`)",
  kind = "policy",
  owner = "req",
  text = [[
`on_request(req)` and `on_response(res, req)` get it. What only decides (the second half) raises within
`on_response`, but for `tag`. All methods raise when they are]] .. METHOD .. [[, or get an argument of another type.]],
  entries = {
    {
      "req:header(name)", "text or nil", "The first header of that name, with what the policy has set so far.",
      takes = "name: text, in capital or small letters",
      on_request = [[req:tag("agent", req:header("user-agent") or "none")]],
      given = [[{ headers = { ["User-Agent"] = "curl/8" } }]], expect = [[{ tags = { agent = "curl/8" } }]],
    },
    {
      "req:headers()", "table: lower case name to text",
      "All headers, with what the policy has set so far; several of one name are joined by `, `.",
      on_request = [[req:tag("accept", req:headers()["accept"])]],
      given = [[{ headers = { Accept = { "text/html", "text/plain" } } }]],
      expect = [[{ tags = { accept = "text/html, text/plain" } }]],
    },
    {
      "req:method()", "text", "The method, as the client wrote it.",
      on_request = [[if req:method() == "DELETE" then req:answer(405) end]],
      given = [[{ method = "DELETE" }]], expect = [[{ answer = 405 }]],
    },
    {
      "req:path()", "text", "The path without the query, as the policy has left it; `*` for `OPTIONS *`.",
      on_request = [[req:tag("path", req:path())]], given = [[{ path = "/a/b?c=d" }]],
      expect = [[{ tags = { path = "/a/b" } }]],
    },
    {
      "req:query()", "text or nil", "What is behind the `?`, as it was sent; nil without one.",
      on_request = [[req:tag("query", req:query())]], given = [[{ path = "/a?b=%20" }]],
      expect = [[{ tags = { query = "b=%20" } }]],
    },
    {
      "req:target()", "text", "Path and query together.",
      on_request = [[req:answer(308, { Location = "https://new.example" .. req:target() })]],
      given = [[{ path = "/a?b" }]], expect = [[{ answer = { headers = { Location = "https://new.example/a?b" } } }]],
    },
    {
      "req:host()", "text", "The host that the request is for, without port; empty where HTTP/1.0 names none.",
      on_request = [[req:tag("host", req:host())]], given = [[{ host = "shop.example:8080" }]],
      expect = [[{ tags = { host = "shop.example" } }]],
    },
    {
      "req:authority()", "text", "Host and port as the client wrote them.",
      on_request = [[req:tag("authority", req:authority())]], given = [[{ host = "shop.example:8080" }]],
      expect = [[{ tags = { authority = "shop.example:8080" } }]],
    },
    {
      "req:scheme()", "\"http\" or \"https\"",
      "What a trusted proxy says in X-Forwarded-Proto; else `https` when the client speaks TLS to this one.",
      on_request = [[req:tag("scheme", req:scheme())]],
      given = [[{ secure = true }]], expect = [[{ tags = { scheme = "https" } }]],
    },
    {
      "req:source()", "text", "The client's address without port; behind trusted proxies the one that they name.",
      on_request = [[req:tag("source", req:source())]], given = [[{ source = "2001:db8::7" }]],
      expect = [[{ tags = { source = "2001:db8::7" } }]],
    },
    {
      "req:source_in(range, ...)", "boolean", "Is the client's address in one of the ranges?",
      takes = "range: text, `10.0.0.0/8` or a single address", errors = "raises for what is no range",
      on_request = [[if not req:source_in("10.0.0.0/8", "::1") then req:answer(403) end]],
      given = [[{ source = "192.0.2.1" }]], expect = [[{ answer = 403 }]],
    },
    {
      "req:cookie(name)", "text or nil", "The value of a cookie, as it was sent.",
      takes = "name: text, capital and small letters differ",
      on_request = [[req:tag("theme", req:cookie("theme"))]],
      given = [[{ headers = { Cookie = "id=7; theme=dark" } }]], expect = [[{ tags = { theme = "dark" } }]],
    },
    {
      "req:query_arg(name)", "text or nil",
      "The first parameter of that name in the query, `%20` and `+` resolved; empty without a value.",
      takes = "name: text, as it stands in the query",
      on_request = [[req:tag("q", req:query_arg("q"))]], given = [[{ path = "/find?q=sea+side%21" }]],
      expect = [[{ tags = { q = "sea side!" } }]],
    },
    {
      "req:arg(key, default)", "text; default, else nil, when it is not there",
      "What the route's option `policy_args` says: `key=value key='a b'`.",
      takes = "key: text; default: anything",
      on_request = [[req:answer(tonumber(req:arg("status", "404")), nil, req:arg("says"))]],
      given = [[{ args = "says='not here'" }]], expect = [[{ answer = { status = 404, body = "not here" } }]],
    },
    {
      "req:random()", "number, from 0 on, below 1", "A new one at every call; not for secrets.",
      on_request = [[if req:random() < 0.25 then req:tag("sampled", "yes") end]],
      given = [[{ random = 0.2 }]], expect = [[{ tags = { sampled = "yes" } }]],
    },
    {
      "req:kept()", "text or nil", "What `req:keep` was given.",
      on_request = [[req:keep("a") req:tag("kept", req:kept())]], given = "{}",
      expect = [[{ tags = { kept = "a" } }]],
    },
    {
      "req:set_header(name, value)", "nothing",
      "Sets a header for the backend; nil takes it away. A trailer of that name goes, too.",
      takes = "name: text; value: text or nil",
      errors = "raises for what is no header name or value, for headers that say where a message ends or what a "
        .. "connection is for (Host, Content-Length, Connection, Transfer-Encoding, Expect, Via, ...), and "
        .. "beyond 32 of them",
      on_request = [[req:set_header("X-Tenant", "red") req:set_header("Cookie", nil)]],
      given = [[{ headers = { Cookie = "a=b" } }]],
      expect = [[{ headers = { ["X-Tenant"] = "red", Cookie = false } }]],
    },
    {
      "req:set_path(path)", "nothing",
      "The path that the backend gets, in the one form that paths of requests have. The query stays, the route "
        .. "too; the member's base path is put in front.",
      takes = "path: text that begins with `/`, without `?`",
      errors = "raises for what is no path, or has no such form (`/..`, `/a/..;b`, `/%00`)",
      on_request = [[req:set_path("/v2" .. req:path())]], given = [[{ path = "/a?b" }]],
      expect = [[{ target = "/v2/a?b" }]],
    },
    {
      "req:set_query(query)", "nothing", "The query that the backend gets; nil takes it away.",
      takes = "query: text without `?`, or nil", errors = "raises for what is no query",
      on_request = [[req:set_query(nil)]], given = [[{ path = "/a?b" }]],
      expect = [[{ target = "/a", query = false }]],
    },
    {
      "req:set_host(host)", "nothing", "The Host that the backend gets.",
      takes = "host: text, with a port or without", errors = "raises for what is no host",
      on_request = [[req:set_host("inner.example:81")]], given = "{}", expect = [[{ host = "inner.example:81" }]],
    },
    {
      "req:answer(status, headers, body)", "nothing",
      "The proxy answers and sends nothing on. The last call holds. A body without Content-Type is plain text.",
      takes = "status: whole number, 200 to 599; headers: table of name to text, or nil; body: text of at most "
        .. "64 KiB, or nil",
      errors = "raises for another status, for a body where the status has none (204, 304), and as set_header does",
      on_request = [[req:answer(410, { ["X-Since"] = "2024" }, "Gone for good.\n")]], given = "{}",
      expect = [[{ answer = { status = 410, headers = { ["X-Since"] = "2024" }, body = "Gone for good.\n" } }]],
    },
    {
      "req:use(who)", "nothing", "Rather these members than others, who take over when they cannot. At most 8 "
        .. "choices in all.",
      takes = "who: text: an instance, a service, a route id, or what res:member() gave",
      errors = "raises beyond 8 choices",
      on_request = [[req:use("v2")]], given = [[{ members = { "v1", "v2" } }]], expect = [[{ members = { "v2" } }]],
    },
    {
      "req:avoid(who)", "nothing", "Rather not these members.", takes = "as use", errors = "as use",
      on_request = [[req:avoid("v2")]], given = [[{ members = { "v1", "v2" } }]], expect = [[{ members = { "v1" } }]],
    },
    {
      "req:only(who)", "nothing", "No members but these: with none left the client gets 503, `policy_excluded`.",
      takes = "as use", errors = "as use",
      on_request = [[req:only("v3")]], given = [[{ members = { "v1", "v2" } }]], expect = [[{ members = {} }]],
    },
    {
      "req:exclude(who)", "nothing", "Never these members.", takes = "as use", errors = "as use",
      on_request = [[req:exclude("blog")]],
      given = [[{ members = { { instance = "a", service = "blog" }, { instance = "b", service = "shop" } } }]],
      expect = [[{ members = { "b" } }]],
    },
    {
      "req:rate_key(text)", "nothing", "Whom the route's rate limit counts, in place of the client's address.",
      takes = "text: text",
      on_request = [[req:rate_key(req:header("X-Key") or req:source())]],
      given = [[{ headers = { ["X-Key"] = "k7" } }]], expect = [[{ rate_key = "k7" }]],
    },
    {
      "req:keep(text)", "nothing", "Keeps a text for `on_response` of the same request; the last one.",
      takes = "text: text",
      on_request = [[req:keep(req:path())]],
      on_response = [[res:set_header("X-Path", res:kept())]],
      given = [[{ path = "/a" }]], expect = [[{ kept = "/a", response = { headers = { ["X-Path"] = "/a" } } }]],
    },
    {
      "req:tag(key, value)", "nothing", "A field of the access log, `tag_KEY`; in both hooks. At most 8.",
      takes = "key: text of a-z, 0-9 and _, at most 32; value: text or number",
      errors = "raises for another key and beyond 8",
      on_request = [[req:tag("tenant", "red")]], given = "{}", expect = [[{ tags = { tenant = "red" } }]],
    },
  },
}
