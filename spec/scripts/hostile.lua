-- Scripts that try to hold the proxy up or to take its memory: name and body of a function. Each has
-- to end as its caller's failure, with its time or before. The specs beside this file run them.

return {
  -- time
  { "an endless loop", "while true do end" },
  { "an endless loop that swallows errors", "while true do pcall(function() while true do end end) end" },
  { "xpcall with a handler that loops", "while true do xpcall(error, function() while true do end end) end" },
  { "tail recursion", "local function f() return f() end return f()" },
  { "pcall as its own argument, for ever", "while true do pcall(pcall, pcall, pcall, error) end" },
  { "pcall around every level of a recursion", "local function f() pcall(f) pcall(f) end f() f()" },
  { "a chain of __index functions", "local t = {} setmetatable(t, { __index = function(_, k) return t[k + 1] end }) "
    .. "while true do pcall(function() return t[1] end) end" },
  { "__concat that joins for ever", "local t = {} setmetatable(t, { __concat = function(a, b) return a .. b end }) "
    .. "while true do pcall(function() return t .. t end) end" },
  { "__tostring that loops", "tostring(setmetatable({}, { __tostring = function() while true do end end }))" },
  { "errors that are tables with a loop inside", "error(setmetatable({}, { __tostring = function() while true do end "
    .. "end }))" },
  { "errors of a mebibyte", "local s = ('x'):rep(1e6) while true do pcall(error, s) end" },
  -- what C functions do
  { "string.rep of 1e9", "return #('x'):rep(1e9)" },
  { "string.rep over and over", "while true do local s = ('x'):rep(1e6) end" },
  { "string.rep of one byte more each time", "for i = 1, 1e9 do local s = ('xy'):rep(5e5 - i % 1000) end" },
  { "joining long texts that exist", "local a, b = ('a'):rep(5e5), ('b'):rep(5e5) local c = a .. b "
    .. "while true do local d = a .. b end" },
  { "comparing long texts",
    "local s = ('a'):rep(1e6) local a, b = s .. 'a', s .. 'b' while true do local c = a < b end" },
  { "numbers of a hundred thousand digits", "local s = ('1'):rep(1e5) while true do local c = s + s end" },
  { "tonumber of a hundred thousand digits", "local s = ('1'):rep(1e5) while true do tonumber(s) end" },
  { "nested quantifiers", "return ('a'):rep(3000):find('.-.-.-.-.-.-b')" },
  { "nested greedy quantifiers", "return ('a'):rep(3000):match('a*a*a*a*a*a*b')" },
  { "a pattern of optionals", "return ('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(31))" },
  { "a pattern that looks at every rest", "return ('a'):rep(1e6):find('a-b')" },
  { "balanced pieces", "return ('('):rep(1e6):find('%b()')" },
  { "back references", "return ('a'):rep(1e5):find('(.*)(.*)%1%2b')" },
  { "gsub with nothing to find", "return ('a'):rep(1e6):gsub('.-b', '')" },
  { "gsub that makes much of little", "return (('a'):rep(1e5):gsub('a', ('x'):rep(100)))" },
  { "gsub over and over", "local s = ('a'):rep(1e6) while true do s:gsub('a', 'b') end" },
  { "gsub by a function that gsubs", "local function f() ('x'):gsub('x', f) end f()" },
  { "gsub by a function that loops", "('x'):gsub('x', function() while true do end end)" },
  { "gmatch that never moves", "while true do for _ in ('aaaa'):gmatch('b*') do end end" },
  { "plain find in long texts",
    "local s = ('a'):rep(1e6) while true do s:find(('a'):rep(1000) .. 'b', 1, true) end" },
  { "upper, lower and reverse of long texts",
    "local s = ('a'):rep(1e6) while true do s:upper():lower():reverse() end" },
  { "format of many values", "local t = {} for i = 1, 7000 do t[i] = 1e308 / 3 end "
    .. "while true do string.format(('%.99f'):rep(7000), unpack(t)) end" },
  { "format that calls itself",
    "local t = {} setmetatable(t, { __tostring = function() return ('%s'):format(t) end }) "
    .. "return ('%s'):format(t)" },
  { "tostring that calls itself", "local t = {} setmetatable(t, { __tostring = function() return tostring(t) end }) "
    .. "return tostring(t)" },
  { "os.date of a long format", "while true do os.date(('%c'):rep(50000)) end" },
  { "concat of a long list",
    "local t = {} for i = 1, 1e5 do t[i] = i + .5 end while true do pcall(table.concat, t) end" },
  { "concat of long texts", "local t = {} for i = 1, 1e4 do t[i] = ('x'):rep(1e6) end return table.concat(t)" },
  { "sort of a long list", "local t = {} for i = 1, 1.3e5 do t[i] = i * 7919 % 130003 end "
    .. "while true do table.sort(t, function(a, b) return a < b end) table.sort(t) end" },
  { "sort without a function", "local t = {} for i = 1, 1.3e5 do t[i] = i * 7919 % 130003 end table.sort(t) "
    .. "while true do table.sort(t) end" },
  { "sort by a C function",
    "local t = {} for i = 1, 1.3e5 do t[i] = i end while true do pcall(table.sort, t, rawequal) end" },
  { "sort of long texts", "local s, t = ('a'):rep(5e5), {} for i = 1, 80 do t[i] = s .. i * 7 % 80 end "
    .. "while true do table.sort(t) end" },
  { "sort by a function that is never content", "local t = {} for i = 1, 1e5 do t[i] = i end "
    .. "while true do pcall(table.sort, t, function() return true end) end" },
  { "sort that sorts", "local t = { 1, 2, 3 } local function f() table.sort(t, f) end f()" },
  { "insert far before the list", "table.insert({}, -2147483648, 1) while true do end" },
  { "insert in front",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t) end" },
  { "remove in front",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do t[#t + 1] = table.remove(t, 1) end" },
  { "unpack of everything", "while true do pcall(unpack, {}, 1, 1e8) pcall(unpack, {}, 1, 7000) end" },
  { "select over many values", "local t = {} for i = 1, 7000 do t[i] = i end "
    .. "local function f(...) while true do select(-1, ...) select('#', ...) end end f(unpack(t))" },
  { "byte and char of long texts", "local s = ('a'):rep(1e6) while true do string.char(s:byte(1, 7000)) end" },
  { "next through an empty table", "local t = {} for i = 1, 40000 do t['k' .. i] = i end "
    .. "for k in pairs(t) do t[k] = nil end while true do next(t) end" },
  { "print for ever", "while true do print(('x'):rep(1e5)) end" },
  -- depth
  { "deep recursion", "local function f() return 1 + f() end return f()" },
  { "deep recursion over and over", "local function f() return 1 + f() end while true do pcall(f) end" },
  { "a message handler that fails", "local function h() error('again') end xpcall(error, h) while true do end" },
  { "a source of deep brackets", "local s = ('('):rep(1e5) return load(s)" },
  -- memory
  { "a list without end", "local t = {} for i = 1, 1e9 do t[i] = { i } end" },
  { "a list of texts without end", "local t = {} for i = 1, 1e9 do t[i] = 'text ' .. i end" },
  { "a list of long texts", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e5) .. i end" },
  { "a text that doubles", "local s = 'x' while true do s = s .. s end" },
  { "a text that doubles and a pcall", "local s = 'x' while true do pcall(function() s = s .. s end) end" },
  { "keys without end", "local t = {} for i = 1, 1e9 do t['k' .. i] = true end" },
  { "closures without end",
    "local t = {} for i = 1, 1e9 do t[#t % 1000 + 1] = function() return t, i end t = { t } end" },
  { "garbage without end", "while true do local t = { {}, {}, {} } end" },
  { "garbage of long texts", "local i = 0 while true do i = i + 1 local s = ('x'):rep(1e5) .. i end" },
  { "tables that are written while they are collected", "local all = {} for i = 1, 400 do local t = {} "
    .. "for j = 1, 1e4 do t[j] = j end all[i] = t end while true do for i = 1, #all do all[i][1] = {} end end" },
  { "weak tables", "local all = {} for i = 1, 1e9 do all[i] = setmetatable({ {}, {} }, { __mode = 'kv' }) end" },
}
