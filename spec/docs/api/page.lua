--- What a page is told: the fields of page. See request.lua.

return {
  title = "A page (`page`)",
  kind = "page",
  owner = "page.",
  text = [[
What `html(page)`, `json(page)` and `text(page)` of `maintenance/page.lua` get: a table of their own. Each returns a
text of at most 256 KiB.]],
  entries = {
    {
      "page.kind", "\"maintenance\" or \"error\"", "What the page is about.",
      body = [[return page.kind .. "\n"]], given = [[{ verdict = "no_route" }]], expect = [[{ text = "error\n" }]],
    },
    {
      "page.status", "number", "The status of the answer.",
      body = [[return page.status .. "\n"]], given = [[{ verdict = "no_route" }]], expect = [[{ text = "404\n" }]],
    },
    {
      "page.title", "text", "The status in words.",
      body = [[return page.title .. "\n"]], given = [[{ verdict = "no_route" }]],
      expect = [[{ text = "Not Found\n" }]],
    },
    {
      "page.name", "text", "What happened, as in the access log and Proxy-Status; `src/guard/verdict.h` has all.",
      body = [[return page.name .. "\n"]], given = [[{ verdict = "circuit_open" }]],
      expect = [[{ text = "circuit_open\n" }]],
    },
    {
      "page.message", "text", "A sentence that says so.",
      body = [[return page.message .. "\n"]], given = [[{ verdict = "no_route" }]],
      expect = [[{ text = "Nothing is served under this address.\n" }]],
    },
    {
      "page.detail", "text", "Stands for what is known at the request only. Write it at most once: in JSON as "
        .. "a value of its own, in "
        .. "text followed by a line end, which goes with it where there is no detail.",
      errors = "a page that uses it otherwise is refused",
      body = [[return page.message .. "\n" .. page.detail .. "\n"]], given = [[{ verdict = "bad_request" }]],
      expect = [[{ text = "The request could not be understood.\n" }]],
    },
    {
      "page.retry_after", "number or nil", "Seconds, as in Retry-After; nil: the answer has none.",
      body = [[return "Again in " .. (page.retry_after or "?") .. " s\n"]], given = [[{ verdict = "no_route" }]],
      expect = [[{ text = "Again in ? s\n" }]],
    },
    {
      "page.service", "text or nil", "Whose maintenance it is.",
      body = [[return (page.service or "This") .. " is away.\n"]], given = [[{ service = "shop" }]],
      expect = [[{ text = "shop is away.\n" }]],
    },
    {
      "page.reason", "text or nil", "Why, as the service gave it: any text, on one line. Escape it in HTML.",
      body = [[return "Why: " .. (page.reason or "unknown") .. "\n"]], given = [[{ reason = "disks" }]],
      expect = [[{ text = "Why: disks\n" }]],
    },
    {
      "page.expected_end", "text or nil", "When it will be over, RFC 3339, UTC.",
      body = [[return "Until " .. page.expected_end .. "\n"]], given = [[{ expected_end = "2026-03-03T14:30:00Z" }]],
      expect = [[{ text = "Until 2026-03-03T14:30:00Z\n" }]],
    },
    {
      "page.expected_end_ms", "number or nil", "The same in milliseconds since 1970.",
      body = [[return os.date("!%H:%M\n", page.expected_end_ms / 1000)]],
      given = [[{ expected_end = "2026-03-03T14:30:00Z" }]],
      expect = [[{ text = "14:30\n" }]],
    },
    {
      "html.escape(text)", "text", "A text as it is written in HTML, between tags or in a quoted attribute. "
        .. "`local html = require(\"page.html\")`, in every script.",
      takes = "text: text or number",
      body = [[return html.escape("a < b & c") .. "\n"]], given = "{}", expect = [[{ text = "a &lt; b &amp; c\n" }]],
    },
    {
      "html.fill(template, values)", "text", "A template with every `{{name}}` replaced by the escaped value "
        .. "of that name.",
      takes = "template: text; values: table of texts and numbers", errors = "raises when a value is missing",
      body = [[return html.fill("<b>{{service}}</b>\n", page)]], given = [[{ service = "<shop>" }]],
      expect = [[{ text = "<b>&lt;shop&gt;</b>\n" }]],
    },
  },
}
