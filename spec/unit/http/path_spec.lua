local model = require("spec.support.path_model")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/path.h")

--- @return form, separators; or nil, error
local function normalise(path)
  local out, result = ffi.new("char[?]", #path), ffi.new("struct path_result")
  local form = lib.path_normalise(unit.slice(path), out, result)
  if form == lib.PATH_REFUSED then
    return nil, ffi.string(result.error)
  end
  return form == lib.PATH_MADE and ffi.string(out, result.len) or path, result.separators
end

local FORMS = {
  -- nothing to do
  { "/", "/" }, { "/a", "/a" }, { "/a/b.c/", "/a/b.c/" }, { "/.well-known/x", "/.well-known/x" }, { "/...", "/..." },
  { "/a/..b", "/a/..b" }, { "/~user;v=1/x", "/~user;v=1/x" }, { "/;.", "/;." }, { "/a/;../b", "/a/;../b" },
  { "/a=b&c,d:e@f!$'()*+", "/a=b&c,d:e@f!$'()*+" },
  -- slashes
  { "//", "/" }, { "//a", "/a" }, { "/a//b", "/a/b" }, { "///a////b///", "/a/b/" },
  -- dots
  { "/.", "/" }, { "/./", "/" }, { "/a/.", "/a/" }, { "/a/./b", "/a/b" }, { "/a/..", "/" }, { "/a/../", "/" },
  { "/a/../b", "/b" }, { "/a/b/../../c", "/c" }, { "/a/b/..", "/a/" }, { "/a//../b", "/b" }, { "/a/.//.././b", "/b" },
  { "/a/b/c/./../../g", "/a/g" }, { "/mid/content=5/../6", "/mid/6" },
  -- escapes
  { "/%41%62%7a%30%2d%2e%5f%7E", "/Abz0-._~" }, { "/%2e", "/" }, { "/a/%2E%2e/b", "/b" }, { "/a/.%2e", "/" },
  { "/%e4%b8%ad", "/%E4%B8%AD" }, { "/%3a%3A", "/%3A%3A" }, { "/%25", "/%25" }, { "/%252e%252e/", "/%252e%252e/" },
  { "/%20x", "/%20x" }, { "/a%3f", "/a%3F" }, { "/a%23b", "/a%23b" }, { "/%80", "/%80" },
  { "/%c0%ae%c0%ae/", "/%C0%AE%C0%AE/" },
}

local SEPARATED = {
  { "/a%2fb", "/a%2Fb" }, { "/a%2Fb", "/a%2Fb" }, { "/a%5cb", "/a%5Cb" }, { "/%2F", "/%2F" },
  { "/a/%2f/b", "/a/%2F/b" },
  { "/@scope%2fname", "/@scope%2Fname" }, { "/a%2f..b", "/a%2F..b" },
  { "/a/b;..%2fc", "/a/b;..%2Fc" }, { "/a/%3b..%2f", "/a/%3B..%2F" },
}

local REFUSED = {
  ["path with a percent sign that begins no escape"] = { "/%", "/a%", "/%4", "/%4/", "/%zz", "/%4g", "/%%41", "/% 41",
    "/a/%u0041" },
  ["path with an escaped control byte"] = { "/%00", "/a%00.txt", "/%0d%0a", "/%0A", "/%1f", "/%7f", "/%09" },
  ["path with a backslash"] = { "/\\", "/a\\b", "/..\\", "/a/..\\..\\b" },
  ["path that leads above its root"] = { "/..", "/../", "/../a", "/a/../..", "/./..", "//..", "/%2e%2e", "/a/../../a",
    "/.%2E/" },
  ["path with a hidden dot segment"] = {
    "/a/..;/b", "/a/..;x=1/b", "/a/.;/b", "/..;/", "/%2e%2e;/", "/a/..%2fb", "/a/..%2Fb", "/a/%2e%2e%2fb",
    "/a/b%2f..%2fc",
    "/a/b%2f..", "/a/..%5cb", "/a%5c..", "/a/%2f..", "/a/.%2f", "/a/b%2f..;x%2fc", "/a/..;%2fb",
    "/a/..%3b", "/a/%2e%3Bx/b", "/a/b%2f..%3bc", "/a/b;c%2f..", "/a/b;c%5C..;d",
  },
}

describe("a path", function()
  it("comes into one form", function()
    for _, case in ipairs(FORMS) do
      assert.same({ case[2], false }, { normalise(case[1]) }, case[1])
    end
  end)

  it("keeps escaped separators, and says so", function()
    for _, case in ipairs(SEPARATED) do
      assert.same({ case[2], true }, { normalise(case[1]) }, case[1])
    end
  end)

  for error, paths in pairs(REFUSED) do
    it("is refused as " .. error, function()
      for _, path in ipairs(paths) do
        assert.same({ nil, error }, { normalise(path) }, path)
      end
    end)
  end

  it("is as a model that knows nothing of bytes and buffers says, stays so, and gets no longer", function()
    local seed = os.time()
    math.randomseed(seed)
    local pieces = { "/", "/", "/", ".", ".", "..", "%2e", "%2E", "%2f", "%5C", ";", "\\", "a", "b", "%41", "%c3",
      "%3b", "%", "%00", "%25", "%2" }
    for _ = 1, 20000 do
      local parts = { "/" }
      for i = 1, math.random(0, 10) do
        parts[i + 1] = pieces[math.random(#pieces)]
      end
      local path = table.concat(parts)
      local form, separators = normalise(path)
      local expected, expected_separators = model.normalise(path)
      local where = ("seed %d: %s"):format(seed, path)
      assert.equal(expected, form, where)
      if form then
        assert.equal(expected_separators, separators, where)
        assert.is_true(#form <= #path, where)
        assert.same({ form, separators }, { normalise(form) }, where)
        assert.is_nil(form:find("//", 1, true), where)
        assert.is_nil((form .. "/"):find("/%.%.?/"), where)
      end
    end
  end)

  it("that is simple is in its form, without separators", function()
    for _, path in ipairs({ "/", "/a", "/a/b", "/a.b/c", "/a;b", "/a/b/" }) do
      assert.is_true(lib.path_is_simple(unit.slice(path)), path)
      assert.same({ path, false }, { normalise(path) })
    end
    for _, path in ipairs({ "//", "/.", "/a%41", "/a\\", "/a/.b", "/a//" }) do
      assert.is_false(lib.path_is_simple(unit.slice(path)), path)
    end
  end)
end)
