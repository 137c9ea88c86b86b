local vm_script = require("spec.unit.script.vm_script")

--- All that a script can reach from its globals, as scripts/README.md lists it.
local ALLOWED = {
  _G = "assert error getmetatable ipairs next pairs pcall print rawequal rawget rawset require select setmetatable "
    .. "tonumber tostring type unpack xpcall bit math os string table",
  bit = "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex",
  math = "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min modf pi pow "
    .. "rad random sin sinh sqrt tan tanh",
  os = "clock date time",
  string = "byte char find format gmatch gsub len lower match rep reverse sub upper",
  table = "concat insert maxn remove sort",
}

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do
    list[#list + 1] = word
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function run(cases)
  local rows = {}
  for _, row in ipairs(vm_script.run(vm_script.text(cases), 1000)) do
    rows[row.name] = row
  end
  return rows
end

-- Lists all that hangs on the globals, however deep: paths of functions and values; tables end in "/".
local WALK = [[
  local found, seen = {}, {}
  local function walk(t, path)
    seen[t] = true
    for key, value in next, t do
      found[#found + 1] = path .. tostring(key)
      if type(value) == "table" and not seen[value] then
        walk(value, path .. tostring(key) .. ".")
      end
    end
  end
  walk(env, "")
  table.sort(found)
  return table.concat(found, " ")
]]

describe("a script", function()
  it("reaches what is documented from its globals, and nothing else", function()
    local expected = { ALLOWED._G }
    for name, list in pairs(ALLOWED) do
      if name ~= "_G" then
        expected[#expected + 1] = (list:gsub("%S+", name .. ".%0"))
      end
    end
    assert.equal(words(table.concat(expected, " ")), words(run({ { "walk", WALK } }).walk.result))
  end)

  local refused = {
    ["reads a global that is none"] = { "return colour", "undefined global: colour" },
    ["sets a global"] = { "colour = 5", "global may not be set: colour; use local" },
    ["looks for ffi"] = { "require('ffi')", "there is no library module ffi for scripts" },
    ["requires the dispatch"] = { "require('registry')", "there is no library module registry for scripts" },
    ["requires a file"] = { "require('../commands/session')", "there is no library module" },
    ["asks for the table behind texts"] = { "return getmetatable('').__index", "table expected, got string" },
    ["changes the metatable of its globals"] = { "setmetatable(env, {})", "cannot change a protected metatable" },
    ["gives a text a metatable"] = { "setmetatable('', {})", "table expected, got string" },
  }
  for what, case in pairs(refused) do
    it("fails when it " .. what, function()
      local row = run({ { "case", case[1] } }).case
      assert.is_false(row.ok)
      assert.truthy(row.result:find(case[2], 1, true), row.result)
    end)
  end

  it("finds the bounded functions as methods of texts too", function()
    local names = words(ALLOWED.string)
    local rows = run({
      { "same", ("for name in (%q):gmatch('%%S+') do assert(('')[name] == string[name], name) end "
        .. "return 'same'"):format(names) },
      { "none", "return type(('').dump)" },
    })
    assert.equal("same", rows.same.result)
    assert.equal("nil", rows.none.result)
  end)

  it("has the method functions that were, whatever it does to its own table", function()
    local rows = run({
      { "change", "string.upper = function() return 'changed' end return ('a'):upper()" },
      { "later", "return ('a'):upper()" },
    })
    assert.equal("A", rows.change.result)
    assert.equal("A", rows.later.result)
  end)
end)
