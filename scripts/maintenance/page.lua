--- The pages that the proxy answers with itself: under maintenance, and for every error.
--
-- Rendered when the proxy starts and when something enters maintenance, never for a request. What a function
-- gets is described in scripts/README.md, section "Pages".

local html = require("page.html")
local json = require("json")

local TOP = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{title}}</title>
<style>
:root {
  color-scheme: light dark;
  --sky: #eef3f5; --ink: #10242e; --soft: #47606c; --line: #c3d1d8; --accent: #0a6375;
  --moon: #fff; --far: #c9dde3; --near: #a5c5cf; --sea: #7fabb9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --sky: #0a141b; --ink: #e9f0f3; --soft: #a3b6c0; --line: #2b3e49; --accent: #7fd3e0;
    --moon: #f0e9d2; --far: #10232d; --near: #15303d; --sea: #1b4050;
  }
}
* { box-sizing: border-box; margin: 0; }
html { height: 100%; background: var(--sky); }
body {
  min-height: 100%; display: flex; flex-direction: column; overflow-x: hidden;
  color: var(--ink); font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { flex: 1; width: 100%; max-width: 46rem; margin: 0 auto; padding: clamp(3rem, 13vh, 9rem) 1.5rem 2rem; }
.over { color: var(--accent); font-weight: 600; overflow-wrap: anywhere; }
h1 {
  margin: .4rem 0 1rem; font-size: clamp(2.1rem, 1.3rem + 4vw, 3.6rem); line-height: 1.08;
  letter-spacing: -.025em; font-weight: 700; text-wrap: balance;
}
p { max-width: 36rem; }
.lead { font-size: 1.25rem; line-height: 1.5; overflow-wrap: anywhere; }
.more { margin-top: .75rem; color: var(--soft); }
.detail:empty { display: none; }
.detail { margin-top: 1rem; padding-left: 1rem; border-left: 3px solid var(--accent); }
dl { margin-top: 2rem; max-width: 36rem; border-top: 1px solid var(--line); }
dl div { display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: .7rem 0; border-bottom: 1px solid var(--line); }
dt { flex: 0 0 9rem; color: var(--soft); }
dd { flex: 1 1 14rem; overflow-wrap: anywhere; }
.sea { position: relative; flex: none; height: clamp(9rem, 30vh, 18rem); }
.sea svg {
  position: absolute; bottom: 0; left: 50%; width: max(100%, 60rem); height: 100%; transform: translateX(-50%);
}
.sea::before {
  content: ""; position: absolute; left: 58%; bottom: 44%; width: clamp(5.5rem, 16vh, 9rem); aspect-ratio: 1;
  border-radius: 50%; background: var(--moon); box-shadow: 0 0 0 1px var(--line);
}
.far { fill: var(--far); }
.near { fill: var(--near); }
.front { fill: var(--sea); }
@media (prefers-reduced-motion: no-preference) {
  .tide::before { animation: rise 5s ease-out; }
  .tide .far { animation: swell 5s ease-out; }
  .tide .near { animation: swell 4s ease-out; }
  .tide .front { animation: swell 3s ease-out; }
}
@keyframes swell { from { transform: translate(-60px, 8px); } }
@keyframes rise { from { transform: translateY(45%); } }
@media print {
  :root { --sky: #fff; --ink: #000; --soft: #333; --line: #999; --accent: #000; }
  .sea { display: none; }
}
</style>
</head>
<body>
<main>
]]

local BOTTOM = [[
</main>
<div class="{{class}}" aria-hidden="true">
<svg viewBox="0 0 1440 300" preserveAspectRatio="none" focusable="false">
<path class="far" d="M-120 170c140-46 280-46 420 0s280 46 420 0 280-46 420 0 280 46 420 0v180h-1680z"/>
<path class="near" d="M-120 214c112-38 224-38 336 0s224 38 336 0 224-38 336 0 224 38 336 0 224-38 336 0v120h-1680z"/>
<path class="front" d="M-120 256c140-30 280-30 420 0s280 30 420 0 280-30 420 0 280 30 420 0v90h-1680z"/>
</svg>
</div>
</body>
</html>
]]

--- "14:30 UTC on 3 March 2026"
local function say_time(ms)
  local text = os.date("!%H:%M UTC on %d %B %Y", math.floor(ms / 1000))
  return (text:gsub(" 0(%d) ", " %1 "))
end

local function sentence(page)
  return page.service and page.service .. " is under maintenance." or page.message
end

local function row(name, value)
  return ("<div><dt>%s</dt><dd>%s</dd></div>\n"):format(name, value)
end

local function facts(page)
  local rows = {}
  if page.expected_end then
    local when = { iso = page.expected_end, text = say_time(page.expected_end_ms) }
    rows[1] = row("Expected back", html.fill('<time datetime="{{iso}}">{{text}}</time>', when))
  end
  if page.reason then
    rows[#rows + 1] = row("Reason", html.fill("<bdi>{{reason}}</bdi>", page))
  end
  return rows[1] and "<dl>\n" .. table.concat(rows) .. "</dl>\n" or ""
end

local function maintenance_html(page)
  return table.concat({
    html.fill(TOP, { title = page.service and page.service .. ": maintenance" or "Maintenance" }),
    page.service and html.fill('<p class="over"><bdi>{{service}}</bdi></p>\n', page) or "",
    "<h1>Down for maintenance</h1>\n",
    '<p class="lead">We are working on it and will be back as soon as we can.</p>\n',
    '<p class="more">Nothing is wrong with your device or your connection. Please come back a little later.</p>\n',
    facts(page),
    html.fill(BOTTOM, { class = "sea tide" }),
  })
end

local function error_html(page)
  return table.concat({
    html.fill(TOP, { title = page.status .. " " .. page.title }),
    html.fill('<p class="over">Error {{status}}</p>\n<h1>{{title}}</h1>\n<p class="lead">{{message}}</p>\n', page),
    html.fill('<p class="detail">{{detail}}</p>\n', page),
    "<dl>\n", row("Code", html.escape(page.name)), "</dl>\n",
    html.fill(BOTTOM, { class = "sea" }),
  })
end

return {
  summary = "One look for maintenance and errors: text on top, sea below, light and dark.",

  html = function(page)
    return page.kind == "maintenance" and maintenance_html(page) or error_html(page)
  end,

  json = function(page)
    local fields = { "error", page.name, "status", page.status, "message", page.message, "detail", page.detail }
    if page.kind == "maintenance" then
      fields[6] = sentence(page)
      for _, key in ipairs({ "service", "reason", "expected_end" }) do
        fields[#fields + 1] = key
        fields[#fields + 1] = page[key] or json.null
      end
    end
    return json.encode(json.object(unpack(fields))) .. "\n"
  end,

  text = function(page)
    if page.kind ~= "maintenance" then
      return ("%d %s\n%s\n%s\n"):format(page.status, page.title, page.message, page.detail)
    end
    local lines = { sentence(page) }
    if page.reason then
      lines[#lines + 1] = "Reason: " .. page.reason
    end
    if page.expected_end then
      lines[#lines + 1] = "Expected back: " .. page.expected_end
    end
    return table.concat(lines, "\n") .. "\n"
  end,
  examples = {
    { "says what is under maintenance, why and until when",
      given = { service = "shop", reason = "new <disks>", expected_end = "2026-03-03T14:30:00Z" },
      expect = {
        html = { contains = { "shop: maintenance", "new &lt;disks&gt;", "14:30 UTC on 3 March 2026" } },
        values = { error = "maintenance", status = 503, reason = "new <disks>", expected_end = "2026-03-03T14:30:00Z" },
        text = "shop is under maintenance.\nReason: new <disks>\nExpected back: 2026-03-03T14:30:00Z\n",
      } },
    { "says no more than it knows",
      given = {},
      expect = {
        html = { contains = "Down for maintenance", lacks = { "Reason", "Expected back" } },
        text = "This service is under maintenance.\n",
      } },
    { "says what went wrong otherwise",
      given = { verdict = "connect_refused" },
      expect = {
        html = { contains = { "Error 502", "Bad Gateway", "connect_refused" } },
        values = { error = "connect_refused", status = 502 },
        text = "502 Bad Gateway\nThe backend refused the connection.\n",
      } },
  },
}
