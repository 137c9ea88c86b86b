local tree = require("spec.support.tree")

-- What a folder's files may include besides their own folder: folders, or single headers of one.
local MAY_INCLUDE = {
  base = {},
  http = { "base" },
  guard = { "base" },
  encode = { "base" },
  contain = { "base" },
  tls = { "base" },
  config = { "base", "http", "guard", "tls" },
  worker = { "base", "http", "guard", "encode", "tls", "config", "script/hook.h" },
  script = { "base", "http", "guard", "config", "control", "tls/registry_context.h" },
  control = {
    "base", "http", "guard", "contain", "tls", "config", "script/vm.h", "script/vm_page.h", "script/vm_health.h",
    "script/engine.h", "script/bundle.h", "script/hook.h",
    "script/settings_load.h",
    "script/examples.h", "script/script_bench.h",
    "script/print.h", "worker/worker.h", "worker/stats.h",
  },
}

local FAULTS = "src/base/fault_libs.c" -- sets the allocators of libraries in builds for finding faults

-- Which files may include a library's headers. A path that ends with a slash is a folder, one that ends with "_" the
-- beginning of names.
local ONLY_IN = {
  { "^lua", { "src/script/" } },
  { "^lauxlib%.h", { "src/script/" } },
  { "^http_parser%.h", { "src/http/parse.c" } },
  {
    "^openssl/",
    {
      "src/tls/",
      "src/base/digest.c", "src/base/random.c", -- digests and random bytes
      FAULTS,
    },
  },
  { "^zlib%.h", { "src/encode/", "src/script/api_packed.c" } },
  { "^brotli/", { "src/encode/" } },
  { "^zstd%.h", { "src/encode/" } },
  { "^nghttp2/", { "src/worker/h2_", "src/control/probe_h2.c", "src/http/h2_mem.c" } },
  { "^ares", { "src/control/", FAULTS } },
  { "^jansson%.h", { "src/script/", FAULTS } },
  { "^seccomp%.h", { "src/contain/" } },
  { "^linux/landlock%.h", { "src/contain/" } },
}

local function allowed(path, list)
  for _, one in ipairs(list) do
    if path == one or (one:match("[/_]$") and path:sub(1, #one) == one) then
      return true
    end
  end
  return false
end

local function folder_allows(folder, included)
  local target = included:match("^([^/]+)/")
  if target == folder then
    return true
  end
  for _, one in ipairs(MAY_INCLUDE[folder]) do
    if one == target or one == included then
      return true
    end
  end
  return false
end

describe("includes", function()
  it("go one way between the folders of src", function()
    local problems = {}
    for _, path in ipairs(tree.c_files()) do
      local folder = path:match("^src/([^/]+)/")
      for _, include in ipairs(folder and tree.includes(path) or {}) do
        if not include.system and not folder_allows(folder, include.path) then
          problems[#problems + 1] = ("%s:%d: %s/ may not include %s"):format(
            path, include.line, folder, include.path)
        end
      end
    end
    tree.report(problems)
  end)

  it("name the folder of what they include", function()
    local problems = {}
    for _, path in ipairs(tree.c_files()) do
      for _, include in ipairs(tree.includes(path)) do
        if not include.system and not include.path:find("/") and path:find("^src/.*/") then
          problems[#problems + 1] = ("%s:%d: write the folder of %s"):format(
            path, include.line, include.path)
        end
      end
    end
    tree.report(problems)
  end)

  it("of a library's headers stand only in the files that may know it", function()
    local problems = {}
    for _, path in ipairs(tree.c_files()) do
      for _, include in ipairs(tree.includes(path)) do
        for _, rule in ipairs(ONLY_IN) do
          if include.system and include.path:find(rule[1]) and not allowed(path, rule[2]) then
            problems[#problems + 1] = ("%s:%d: <%s> belongs to %s"):format(
              path, include.line, include.path, table.concat(rule[2], ", "))
          end
        end
      end
    end
    tree.report(problems)
  end)

  it("know every folder of src", function()
    for _, path in ipairs(tree.c_files()) do
      local folder = path:match("^src/([^/]+)/")
      assert.is_truthy(not folder or MAY_INCLUDE[folder], path .. ": a folder without a rule here")
    end
  end)
end)
