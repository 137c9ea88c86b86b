local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

-- What a request is made of, above the codecs: it meets any client and any backend (src/worker/codec.h). What it needs
-- to know of TLS or a version comes by a codec, a client or an origin.
local ABOVE_CODECS = {
  "request", "response", "attempt", "admit", "limit", "outcome", "bypass", "pick", "policy", "forward", "reply",
  "page_server", "relay", "tunnel*", "compress*",
}

-- What names a version of HTTP, in code without its comments.
local NAMES = {
  "%f[%w]h[123]%f[%W]", "%f[%w]h[123]_", "[Hh][Tt][Tt][Pp]/?_?[123]", "%f[%w]minor%f[%W]", "%f[%w]1%.[01]%f[%D]",
  "%f[%w]2%.0%f[%D]", "slice_eq[%w_]*%([%w>.-]+version",
}

-- Lines that name one by right, each with its reason.
local ALLOWED = {
  ['starts_nocase(protocol, SLICE("h2")) || starts_nocase(protocol, SLICE("h3"))'] = "Upgrade may not name them",
}

local function files()
  local list = {}
  for _, path in ipairs(tree.c_files()) do
    local name = path:match("^src/worker/([%w_]+)%.c$")
    for _, pattern in ipairs(name and ABOVE_CODECS or {}) do
      if name:find("^" .. pattern:gsub("%*", ".*") .. "$") then
        list[#list + 1] = path
        break
      end
    end
  end
  return list
end

--- The lines of a source, comments left out.
local function code_lines(path)
  local text = sys.read_file(path):gsub("/%*.-%*/", function(comment)
    return (comment:gsub("[^\n]", ""))
  end)
  local lines = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

local function is_allowed(line)
  for part in pairs(ALLOWED) do
    if line:find(part, 1, true) then
      return true
    end
  end
  return false
end

local function version_in(line)
  for _, pattern in ipairs(NAMES) do
    local found = line:match(pattern)
    if found then
      return found
    end
  end
  return nil
end

describe("what is above the codecs", function()
  it("is found", function()
    assert.is_true(#files() > #ABOVE_CODECS)
  end)

  it("includes no header of one version of HTTP, nor of TLS", function()
    local problems = {}
    for _, path in ipairs(files()) do
      for _, include in ipairs(tree.includes(path)) do
        local name = include.path:match("([^/]+)$")
        if name:find("^h%d_") or name:find("tls") or name == "carrier.h" or name == "client_session.h"
          or include.path:find("^tls/") or include.path:find("^openssl/") or include.path:find("^nghttp2/") then
          problems[#problems + 1] = ("%s:%d: %s belongs below a codec"):format(path, include.line, include.path)
        end
      end
    end
    tree.report(problems)
  end)

  it("names no version of HTTP", function()
    local problems = {}
    for _, path in ipairs(files()) do
      for number, line in ipairs(code_lines(path)) do
        local found = not is_allowed(line) and version_in(line)
        if found then
          problems[#problems + 1] = ("%s:%d: '%s' names a version of HTTP"):format(path, number, found)
        end
      end
    end
    tree.report(problems)
  end)

  it("would be seen to name one", function()
    for _, line in ipairs { "if (rq->head.http2)", "x = head->minor ? 1 : 0;", 'SLICE("1.1 tidelock")', "if (m->http2)",
      "VERDICT_NO_HTTP2", "pool->http2", "h2_origin_open(pool)", 'slice_eq(head->version, SLICE("x"))' } do
      assert.is_truthy(version_in(line), line)
    end
    assert.is_nil(version_in("http_head_find(&rq->head, FIELD_VIA); h = 2.5;"))
  end)
end)
