-- Run in a sandbox by pattern_spec.lua: compares find, match, gmatch and gsub with Lua's own, which
-- come as the argument. Each function returns "same" or says what differs.

local native = ...

local random = 7

local function dice(n)
  random = (random * 1103515245 + 12345) % 2147483648
  return math.floor(random / 65536) % n + 1
end

local function shown(ok, ...)
  local parts = { ok and "" or "raises" }
  for i = 1, ok and select("#", ...) or 0 do
    parts[#parts + 1] = tostring((select(i, ...)))
  end
  return table.concat(parts, ",")
end

local function all(gmatch, text, pattern)
  local found = {}
  for a, b in gmatch(text, pattern) do
    found[#found + 1] = tostring(a) .. ":" .. tostring(b)
    if #found > 50 then
      break
    end
  end
  return table.concat(found, ";")
end

-- What is compared, for a library.
local function results(lib, text, pattern, init, replacement)
  return {
    shown(pcall(lib.find, text, pattern, init)),
    shown(pcall(lib.match, text, pattern, init)),
    shown(pcall(all, lib.gmatch, text, pattern)),
    shown(pcall(lib.gsub, text, pattern, replacement)),
    shown(pcall(lib.gsub, text, pattern, { a = "A", ab = 5, [1] = "one", b = false })),
    shown(pcall(lib.gsub, text, pattern, function(a, b) return b and a or nil end, 3)),
    shown(pcall(lib.find, text, pattern, init, true)),
  }
end

-- Lua's own reads no further in a malformed pattern than it gets, so it may find something where the other
-- raises: only for a pattern that may be malformed.
local function compare(text, pattern, init, replacement, malformed)
  local mine = results(string, text, pattern, init, replacement)
  for i, want in ipairs(results(native, text, pattern, init, replacement)) do
    if mine[i] ~= want and not (malformed and mine[i] == "raises") then
      return ("%d: (%q):(%q, %s, %q): %s, not %s"):format(i, text, pattern, tostring(init), replacement, mine[i],
        want)
    end
  end
  return nil
end

local function pick(from)
  return from[dice(#from)]
end

local PIECES = {
  "a", "b", "ab", ".", "%a", "%d", "%s", "%w", "%p", "%x", "%A", "%D", "%.", "%%", "[ab]", "[^a]", "[a-c]", "[%a_]",
  "[]]", "[^]]", "[a-]", "[%a-z]", "(a)", "(.)", "(.-)", "(b*)", "()", "(a(b))", "(a*)%1", "%bab", "%b()", "%f[a]",
  "%f[%W]", "-", "$", "^", " ",
}
local BROKEN = { "%1", "%2", "(", ")", "[", "%", "(a", "a)", "%f", "[^" }
local REPEATS = { "", "", "", "*", "+", "-", "?" }
local LETTERS = { "a", "b", "c", "ab", "1", " ", ".", "(", ")", "]", "-", "_", "%", "Z", "\n" }
local REPLACEMENTS = { "x", "%0", "<%1>", "%%", "%2", "%1%1", "" }

local function joined(from, count, repeats)
  local parts = {}
  for i = 1, dice(count + 1) - 1 do
    parts[i] = pick(from) .. (repeats and pick(repeats) or "")
  end
  return table.concat(parts)
end

local function anything()
  for _ = 1, 6000 do
    local pattern = (dice(5) == 1 and "^" or "") .. joined(PIECES, 5, REPEATS) .. (dice(6) == 1 and "$" or "")
    local init = pick { 1, 1, 2, -1, -3, 0, 5, 100, -100 }
    local text, replacement = joined(LETTERS, 12), pick(REPLACEMENTS)
    local wrong = compare(text, pattern, init, replacement)
      or compare(text, pattern .. pick(BROKEN) .. joined(PIECES, 2), init, replacement, true)
    if wrong then
      return wrong
    end
  end
  return "same"
end

local function classes()
  for code = 1, 255 do
    local class = "%" .. string.char(code)
    for byte = 0, 255 do
      local text = string.char(byte)
      for _, pattern in ipairs { "^" .. class .. "$", "^[" .. class .. "]$", "^[^" .. class .. "]$" } do
        local ok, want = pcall(native.find, text, pattern)
        local fine, mine = pcall(string.find, text, pattern)
        if (ok ~= fine or want ~= mine) and fine then
          return ("%q in %q"):format(text, pattern)
        end
      end
    end
  end
  return "same"
end

local EXACT = {
  { "", "" }, { "abc", "" }, { "abc", "", 10 }, { "abc", "", 4 }, { "abc", "^b", 2 }, { "aaa", "a-", 2 },
  { "abc", "b", -2 }, { "aXbXc", "X" }, { "THE (quick) fox", "%f[%a]%a+%f[%A]" }, { "x(y(z))w", "%b()" },
  { "hello world", "(o)(.)" }, { "a.b-c", "[.-]" }, { "key = value", "^(%w+)%s*=%s*(%w+)$" },
  { "a\0b", "%z" }, { "\255\254", "[\250-\255]+" }, { "abab", "(ab)%1" }, { "[[x]]", "%[%[(.-)%]%]" },
  { "a]b", "[]]" }, { "a^b", "[b^]" }, { "5%", "%%" }, { "aa", "a?a?a" }, { "aaa", "^a" }, { "abc", "$" },
}

local function exact()
  for _, case in ipairs(EXACT) do
    for _, replacement in ipairs(REPLACEMENTS) do
      local wrong = compare(case[1], case[2], case[3], replacement)
      if wrong then
        return wrong
      end
    end
  end
  return "same"
end

local MALFORMED = {
  "%", "[", "[a", "[^", "[%", "(", "a(b", ".)", "%1", "(%1)", "%b", "%ba", "%f", "%fa", ("()"):rep(33),
}

local function malformed()
  for _, pattern in ipairs(MALFORMED) do
    local ok, wrong = pcall(string.find, "aaaa(b", pattern)
    local _, want = pcall(native.find, "aaaa(b", pattern)
    if ok then
      return pattern .. " is taken"
    elseif type(want) == "string" and wrong:gsub("^.-:%d+: ", "") ~= want:gsub("^.-:%d+: ", "") then
      return ("%s: %s, not %s"):format(pattern, wrong, want)
    end
  end
  return "same"
end

local function other()
  local cases = {
    { "ab", 3 }, { "ab", 0 }, { "ab", -1 }, { "", 5 }, { "a", 4, "," }, { "", 3, ", " }, { "x", 1, "y" },
  }
  for _, case in ipairs(cases) do
    if string.rep(unpack(case)) ~= native.rep(unpack(case)) then
      return ("rep of %q"):format(case[1])
    end
  end
  return "same"
end

return {
  { "anything", anything }, { "classes", classes }, { "exact", exact }, { "malformed", malformed }, { "rep", other },
}
